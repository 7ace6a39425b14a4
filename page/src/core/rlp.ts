// RLP in its one form. docs/spec/verification.md, "State proofs".

import { RLP } from "@ethereumjs/rlp";

import { toInteger } from "./bytes.js";
import { StateProofError } from "./errors.js";

export type RlpItem = Uint8Array | readonly RlpItem[];

/** Decode one item that fills the input; an encoding that is not the shortest is refused. */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  // The library takes no bytes at all for an empty string.
  if (bytes.length === 0) throw new StateProofError("not RLP: no bytes");
  try {
    return RLP.decode(bytes);
  } catch {
    // Its errors, and the stack's, where lists are nested without end.
    throw new StateProofError("not RLP of the shortest form");
  }
}

/** Encode bytes, or lists of them. */
export function encodeRlp(item: RlpItem): Uint8Array {
  return RLP.encode(item as Parameters<typeof RLP.encode>[0]);
}

/** Require a list. */
export function asList(item: RlpItem): readonly RlpItem[] {
  if (item instanceof Uint8Array) throw new StateProofError("expected an RLP list");
  return item;
}

/** Require bytes, of exactly `length` if given. */
export function asBytes(item: RlpItem | undefined, length?: number): Uint8Array {
  if (!(item instanceof Uint8Array) || (length !== undefined && item.length !== length)) {
    throw new StateProofError(`expected ${length ?? "any number of"} bytes in RLP`);
  }
  return item;
}

/** Require an unsigned integer of at most `maxBytes`, without leading zeros. */
export function asInteger(item: RlpItem | undefined, maxBytes = 32): bigint {
  const bytes = asBytes(item);
  if (bytes[0] === 0 || bytes.length > maxBytes) throw new StateProofError("expected an integer without leading zeros");
  return toInteger(bytes);
}
