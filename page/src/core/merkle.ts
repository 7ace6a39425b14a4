// Leaf, node and inclusion. docs/spec/anchor-proof.md, "Leaf and tree".

import { sha256 } from "@noble/hashes/sha2.js";

import { concatBytes, equalBytes, fromInteger } from "./bytes.js";
import type { StatusPosition } from "./status.js";

export interface InclusionProof {
  readonly leafIndex: number;
  readonly size: number;
  /** From the leaf level up. */
  readonly siblings: readonly Uint8Array[];
}

/** The 73 bytes that a leaf is the hash of. */
export function leafPreimage(salt: Uint8Array, position: StatusPosition, credentialHash: Uint8Array): Uint8Array {
  const place = [fromInteger(position.list, 4), fromInteger(position.index, 4)];
  return concatBytes(Uint8Array.of(0), salt, ...place, credentialHash);
}

/** Hash one credential into the tree. */
export function leafHash(salt: Uint8Array, position: StatusPosition, credentialHash: Uint8Array): Uint8Array {
  return sha256(leafPreimage(salt, position, credentialHash));
}

/** Hash two neighbours into the node above them. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(left, right));
}

/** Whether the siblings lead from `leaf` to `root`, with not one too many. `size` may be as large as 2^32 − 1. */
export function isIncluded(leaf: Uint8Array, proof: InclusionProof, root: Uint8Array): boolean {
  let [index, width, node, used] = [proof.leafIndex, proof.size, leaf, 0];
  if (index >= width) return false;
  // No bit operators: they would take sizes from 2^31 up for negative.
  for (; width > 1; index = Math.floor(index / 2), width = Math.ceil(width / 2)) {
    const isRight = index % 2 === 1;
    if (!isRight && index + 1 === width) continue;
    const sibling = proof.siblings[used];
    if (sibling === undefined) return false;
    used += 1;
    node = isRight ? nodeHash(sibling, node) : nodeHash(node, sibling);
  }
  return used === proof.siblings.length && equalBytes(node, root);
}
