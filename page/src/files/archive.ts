// ZIP archives, in memory and member by member. An archive made to exhaust time or memory is refused; a member that two
// programs could take for two different files is malformed instead of being one of them.

import { BlobReader, type Entry, ZipReader } from "@zip.js/zip.js/lib/zip-core-native.js";

import { InputError } from "./found.js";
import { HEADER_BYTES, readMember } from "./member.js";

const MAX_MEMBERS = 100_000;
/** Of all members that are read, unpacked. */
const MAX_TOTAL_BYTES = 2 ** 32;
/** Unpacked to packed. Credentials reach 20, DEFLATE can 1,032: what is beyond is made to be large. */
const MAX_RATIO = 200;
/** A member up to here may have any ratio: a short text of one letter is no bomb. */
const SMALL_BYTES = 65_536;
/** An archive up to here is read at once: a browser takes long for each of a thousand reads. */
const NEAR_BYTES = 64 * 2 ** 20;
/** Of the table of contents: 100,000 members with names of 100 letters. */
const MAX_DIRECTORY_BYTES = 16 * 2 ** 20;
const SUFFIXES = [".json", ".png", ".svg", ".zip"];
const DAMAGED = "it cannot be unpacked: damaged, or packed in a way that is not known here";
const [FILE_TYPE, REGULAR] = [0o170000, 0o100000];

export interface Member {
  readonly name: string;
  readonly content: Uint8Array | InputError;
}

/** Whether bytes begin like an archive. */
export function isArchive(start: Uint8Array): boolean {
  const [p, k, third, fourth] = start;
  return p === 0x50 && k === 0x4b && ((third === 3 && fourth === 4) || (third === 5 && fourth === 6));
}

/** Does not read more at once than the table of contents may have. */
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
  const entries = await readDirectory(archive);
  const wanted = entries.filter(({ filename }) => !filename.endsWith("/") && isWanted(filename));
  if (wanted.length > MAX_MEMBERS) throw new InputError("archiveTooLarge", `it has more than ${MAX_MEMBERS} files`);
  const times = new Map<string, number>();
  for (const { filename } of wanted) times.set(filename, (times.get(filename) ?? 0) + 1);
  const overlapping = overlappingOf(entries);
  const near = archive.size <= NEAR_BYTES ? new Uint8Array(await archive.arrayBuffer()) : null;
  const readAt = async (start: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
    near?.subarray(start, start + length) ?? new Uint8Array(await archive.slice(start, start + length).arrayBuffer());
  let total = 0;
  for (const entry of wanted) {
    const { filename: name, uncompressedSize } = entry;
    const problem = problemOf(entry, times, maxBytes);
    if (problem === null) total += uncompressedSize;
    if (total > MAX_TOTAL_BYTES)
      throw new InputError("archiveTooLarge", `it unpacks to more than ${MAX_TOTAL_BYTES} bytes`);
    const content = problem ?? (overlapping.has(entry) ? null : await readMember(readAt, entry));
    yield { name, content: content ?? new InputError("badArchive", DAMAGED) };
  }
}

async function readDirectory(archive: Blob): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    // A bad name is said of its member, and spoils no other.
    const reader = new ZipReader(new CarefulReader(archive), { filenameValidation: "tolerant" });
    for await (const entry of reader.getEntriesGenerator()) entries.push(entry);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError("badArchive", "it is no ZIP archive, or is damaged");
  }
  return entries;
}

/** Find the members whose bytes reach into the next one's: what is large in few bytes is made of such. */
function overlappingOf(entries: readonly Entry[]): ReadonlySet<Entry> {
  const inOrder = [...entries].sort((one, other) => one.offset - other.offset);
  return new Set(
    inOrder.filter(({ offset, rawFilename, compressedSize }, index) => {
      const next = inOrder[index + 1]?.offset ?? Infinity;
      return offset + HEADER_BYTES + rawFilename.length + compressedSize > next;
    }),
  );
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
