// ZIP archives, in memory and member by member. An archive made to exhaust time or memory is refused; a member that two
// programs could take for two different files is malformed instead of being one of them.

import {
  BlobReader,
  configure,
  type FileEntry,
  Uint8ArrayWriter,
  ZipReader,
} from "@zip.js/zip.js/lib/zip-core-native.js";

import { InputError } from "./found.js";

const MAX_MEMBERS = 100_000;
/** Of all members that are read, unpacked. */
const MAX_TOTAL_BYTES = 2 ** 32;
/** Unpacked to packed. Credentials reach 20, DEFLATE can 1,032: what is beyond is made to be large. */
const MAX_RATIO = 200;
/** A member up to here may have any ratio: a short text of one letter is no bomb. */
const SMALL_BYTES = 65_536;
/** Of the table of contents: 100,000 members with names of 100 letters. */
const MAX_DIRECTORY_BYTES = 16 * 2 ** 20;
const SUFFIXES = [".json", ".png", ".svg", ".zip"];
const [FILE_TYPE, REGULAR] = [0o170000, 0o100000];

// We are in a worker already.
configure({ useWebWorkers: false });

export interface Member {
  readonly name: string;
  readonly content: Uint8Array | InputError;
}

/** Whether bytes begin like an archive. */
export function isArchive(start: Uint8Array): boolean {
  const [p, k, third, fourth] = start;
  return p === 0x50 && k === 0x4b && ((third === 3 && fourth === 4) || (third === 5 && fourth === 6));
}

/**
 * Read the members that may be credentials; hidden ones are passed over.
 *
 * @param maxBytes Longest member wanted.
 * @throws InputError It is no ZIP archive, is damaged, or has more in it than is read.
 */
export async function* readMembers(archive: Blob, maxBytes: number): AsyncGenerator<Member> {
  const reader = new ZipReader(new BlobReader(archive), { checkOverlappingEntry: true });
  try {
    const wanted = await readDirectory(reader);
    const times = new Map<string, number>();
    for (const { filename } of wanted) times.set(filename, (times.get(filename) ?? 0) + 1);
    let total = 0;
    for (const entry of wanted) {
      const problem = problemOf(entry, times);
      if (problem !== null) {
        yield { name: entry.filename, content: problem };
        continue;
      }
      total += entry.uncompressedSize;
      if (total > MAX_TOTAL_BYTES)
        throw new InputError("archiveTooLarge", `it unpacks to more than ${MAX_TOTAL_BYTES} bytes`);
      yield { name: entry.filename, content: await readOne(entry, maxBytes) };
    }
  } finally {
    await reader.close();
  }
}

async function readDirectory(reader: ZipReader<Blob>): Promise<FileEntry[]> {
  const wanted: FileEntry[] = [];
  let directoryBytes = 0;
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      directoryBytes += entry.rawFilename.length + 46;
      if (directoryBytes > MAX_DIRECTORY_BYTES)
        throw new InputError("archiveTooLarge", "its table of contents is too long");
      if (entry.directory || !isWanted(entry.filename)) continue;
      wanted.push(entry);
      if (wanted.length > MAX_MEMBERS) throw new InputError("archiveTooLarge", `it has more than ${MAX_MEMBERS} files`);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError("badArchive", "it is no ZIP archive, or is damaged");
  }
  return wanted;
}

function isWanted(name: string): boolean {
  const parts = name.split("/");
  const isHidden = parts.some((part) => part === "__MACOSX" || (part.startsWith(".") && part !== ".."));
  return !isHidden && SUFFIXES.some((suffix) => name.toLowerCase().endsWith(suffix));
}

function problemOf(entry: FileEntry, times: ReadonlyMap<string, number>): InputError | null {
  const { filename: name, uncompressedSize, compressedSize } = entry;
  if (entry.encrypted) return new InputError("archiveEncrypted", "it is encrypted");
  if ((times.get(name) ?? 0) > 1) return new InputError("badArchive", "its name stands twice in the archive");
  const leadsOut = /^[/\\]|^.:/.test(name) || name.replaceAll("\\", "/").split("/").includes("..");
  if (leadsOut) return new InputError("badArchive", "its name leads out of the archive");
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  if (type !== 0 && type !== REGULAR)
    return new InputError("badArchive", "it is a link, or something else that is no file");
  if (uncompressedSize > Math.max(SMALL_BYTES, MAX_RATIO * compressedSize)) {
    return new InputError("archiveTooLarge", `it unpacks to more than ${MAX_RATIO} times its size`);
  }
  return null;
}

async function readOne(entry: FileEntry, maxBytes: number): Promise<Uint8Array | InputError> {
  if (entry.uncompressedSize > maxBytes) return new InputError("tooLarge", `it has more than ${maxBytes} bytes`);
  try {
    const content = await entry.getData(new Uint8ArrayWriter());
    // What is stated of the size counts; more than that is not what the archive says it is.
    if (content.length === entry.uncompressedSize) return content;
  } catch {
    // Said below: the library has many names for damage.
  }
  return new InputError("badArchive", "it cannot be unpacked: damaged, or packed in a way that is not known here");
}
