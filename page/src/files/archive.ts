// ZIP archives, in memory and member by member. An archive made to exhaust time or memory is refused; a member that two
// programs could take for two different files is malformed instead of being one of them.

import { BlobReader, configure, type Entry, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js/lib/zip-core-native.js";

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

/** Does not read more at once than the table of contents may have; members come as streams. */
class CarefulReader extends BlobReader {
  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    if (length > MAX_DIRECTORY_BYTES) throw new InputError("archiveTooLarge", "its table of contents is too long");
    try {
      return await super.readUint8Array(index, length);
    } catch {
      throw new InputError("readFailed", "the file cannot be read");
    }
  }
}

/**
 * Read the members that may be credentials; hidden ones are passed over.
 *
 * @param maxBytes Longest member that is read.
 * @throws InputError It is no ZIP archive, is damaged, or has more in it than is read.
 */
export async function* readMembers(archive: Blob, maxBytes: number): AsyncGenerator<Member> {
  // A bad name is said of its member, and spoils no other.
  const checks = { checkOverlappingEntry: true, checkCrc32: true, filenameValidation: "tolerant" } as const;
  const reader = new ZipReader(new CarefulReader(archive), checks);
  try {
    const wanted = await readDirectory(reader);
    const times = new Map<string, number>();
    for (const { filename } of wanted) times.set(filename, (times.get(filename) ?? 0) + 1);
    let total = 0;
    for (const entry of wanted) {
      const problem = problemOf(entry, times, maxBytes);
      if (problem !== null) {
        yield { name: entry.filename, content: problem };
        continue;
      }
      total += entry.uncompressedSize;
      if (total > MAX_TOTAL_BYTES)
        throw new InputError("archiveTooLarge", `it unpacks to more than ${MAX_TOTAL_BYTES} bytes`);
      yield { name: entry.filename, content: await readOne(entry) };
    }
  } finally {
    await reader.close();
  }
}

async function readDirectory(reader: ZipReader<Blob>): Promise<Entry[]> {
  const wanted: Entry[] = [];
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      if (entry.filename.endsWith("/") || !isWanted(entry.filename)) continue;
      wanted.push(entry);
      if (wanted.length > MAX_MEMBERS) throw new InputError("archiveTooLarge", `it has more than ${MAX_MEMBERS} files`);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError("badArchive", "it is no ZIP archive, or is damaged");
  }
  return wanted;
}

/** Whether a file of a folder or archive may be a credential, or have some in it: by its name, as it is not hidden. */
export function isWanted(name: string): boolean {
  const isHidden = name
    .split("/")
    .some((part) => part === "__MACOSX" || (part.startsWith(".") && part !== "." && part !== ".."));
  return !isHidden && SUFFIXES.some((suffix) => name.toLowerCase().endsWith(suffix));
}

function problemOf(entry: Entry, times: ReadonlyMap<string, number>, maxBytes: number): InputError | null {
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
  if (uncompressedSize > maxBytes) return new InputError("tooLarge", `it has more than ${maxBytes} bytes`);
  return null;
}

async function readOne(entry: Entry): Promise<Uint8Array | InputError> {
  try {
    // The library stops at the size that is stated, and looks at the checksum.
    if (!entry.directory) return await entry.getData(new Uint8ArrayWriter());
  } catch {
    // Said below: the library has many names for damage.
  }
  return new InputError("badArchive", "it cannot be unpacked: damaged, or packed in a way that is not known here");
}
