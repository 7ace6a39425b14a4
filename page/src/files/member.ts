// One member of a ZIP archive, unpacked. In one read where that is possible: an archive may have thousands of them, and the
// library's way, of one stream behind the other, takes longer than judging what is in them. APPNOTE.TXT, section 4.3.7.

import { equalBytes } from "../core/bytes.js";

/** Of a member's own header, before its name. */
export const HEADER_BYTES = 30;
const HEADER_START = 0x04034b50;
/** Most headers have less behind the name; where there is more, the data is read by itself. */
const EXTRA_BYTES = 128;
const [STORED, DEFLATED] = [0, 8];
/** What packing may add: deflating never doubles, but for very little. */
const PACKING_BYTES = 1024;

/** What the table of contents says of a member. */
export interface Listed {
  /** Of its own header, in the file. */
  readonly offset: number;
  readonly rawFilename: Uint8Array;
  readonly compressionMethod: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly crc32?: number;
}

/** Gives bytes of the archive: fewer where it ends. */
export type ReadAt = (start: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

/** Read a member; null if it is damaged, packed in a way that is not known here, or not what the table of contents says. */
export async function readMember(readAt: ReadAt, listed: Listed): Promise<Uint8Array | null> {
  const { offset, rawFilename, compressionMethod, compressedSize, uncompressedSize } = listed;
  if (compressedSize > 2 * uncompressedSize + PACKING_BYTES) return null;
  const nameEnd = HEADER_BYTES + rawFilename.length;
  const bytes = await readAt(offset, nameEnd + EXTRA_BYTES + compressedSize);
  if (bytes.length < nameEnd) return null;
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const isSame =
    header.getUint32(0, true) === HEADER_START &&
    header.getUint16(8, true) === compressionMethod &&
    header.getUint16(26, true) === rawFilename.length &&
    equalBytes(bytes.subarray(HEADER_BYTES, nameEnd), rawFilename);
  if (!isSame) return null;
  const start = nameEnd + header.getUint16(28, true);
  const packed =
    start + compressedSize <= bytes.length
      ? bytes.subarray(start, start + compressedSize)
      : await readAt(offset + start, compressedSize);
  const content = await unpack(packed, listed);
  return content !== null && crcOf(content) === listed.crc32 ? content : null;
}

async function unpack(
  packed: Uint8Array<ArrayBuffer>,
  { compressionMethod, compressedSize, uncompressedSize }: Listed,
): Promise<Uint8Array | null> {
  if (packed.length !== compressedSize) return null;
  if (compressionMethod === STORED) return packed.length === uncompressedSize ? packed.slice() : null;
  return compressionMethod === DEFLATED ? inflate(packed, uncompressedSize) : null;
}

/** Inflate as much as is stated, and no byte more. */
async function inflate(packed: Uint8Array<ArrayBuffer>, size: number): Promise<Uint8Array | null> {
  const { writable, readable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter();
  // Where it fails, reading fails, too.
  const written = Promise.allSettled([writer.write(packed), writer.close()]);
  const reader = readable.getReader();
  const content = new Uint8Array(size);
  let length = 0;
  try {
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined) break;
      if (length + value.length > size) return null;
      content.set(value, length);
      length += value.length;
    }
    return length === size ? content : null;
  } catch {
    return null;
  } finally {
    await reader.cancel().catch(() => undefined);
    await written;
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** CRC-32 as ZIP and PNG have it (ISO 3309). */
function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
