// Bytes and the few forms they are read from: hex, UTF-8, big-endian integers.

import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";

import { MalformedError } from "./errors.js";

export { concatBytes };

const HEX = /^0x(?:[0-9a-f]{2})*$/;

// `ignoreBOM` keeps the mark in the text, where readers can refuse it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Read `0x` and lower-case hex; of exactly `length` bytes if given. */
export function parseHex(text: string, length?: number): Uint8Array {
  if (!HEX.test(text)) throw new MalformedError("expected 0x and lower-case hex digits");
  const bytes = hexToBytes(text.slice(2));
  if (length !== undefined && bytes.length !== length) {
    throw new MalformedError(`expected ${length} bytes of hex, got ${bytes.length}`);
  }
  return bytes;
}

/** Write `0x` and lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return `0x${bytesToHex(bytes)}`;
}

/** Decode UTF-8 as it stands: nothing is replaced, no byte order mark is dropped. */
export function parseUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MalformedError("not UTF-8");
  }
}

/** Encode text, which must be well-formed, as UTF-8. */
export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Whether both have the same bytes. Nothing compared here is secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Read an unsigned big-endian integer; no bytes are 0. */
export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`);
}

/** Write an unsigned integer as `length` bytes, big-endian. */
export function fromInteger(value: bigint | number, length: number): Uint8Array {
  const digits = value.toString(16).padStart(2 * length, "0");
  if (value < 0 || digits.length > 2 * length) throw new RangeError(`${value} does not fit in ${length} bytes`);
  return hexToBytes(digits);
}
