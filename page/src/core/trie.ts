// Proofs in Ethereum's Merkle Patricia tries. docs/spec/verification.md, "State proofs".
//
// Not by @ethereumjs/mpt: it is asynchronous, wants the root's node first, and refuses the empty trie. The tests hold this
// against it.

import { keccak_256 } from "@noble/hashes/sha3.js";

import { equalBytes, parseHex, toHex } from "./bytes.js";
import { StateProofError } from "./errors.js";
import { asBytes, asList, decodeRlp, type RlpItem } from "./rlp.js";

/** A path has 64 nibbles, so at most 65 nodes. */
const MAX_NODES = 65;
/** A full branch: 16 hashes and an empty value. */
export const MAX_NODE_BYTES = 532;
/** Keccak-256 of the empty string's RLP. */
const EMPTY_ROOT = parseHex("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/**
 * Give the value at `path` in the trie with this root; null where the nodes prove that there is none.
 *
 * Every node but the last leads at least a nibble down, so the walk ends.
 *
 * @param path 32 bytes: keys are hashed by the caller.
 * @param nodes In any order; those not on the path do not matter.
 * @throws StateProofError The nodes prove neither.
 */
export function provenValue(root: Uint8Array, path: Uint8Array, nodes: readonly Uint8Array[]): Uint8Array | null {
  if (nodes.length > MAX_NODES) throw new StateProofError(`more than ${MAX_NODES} nodes`);
  if (nodes.some((node) => node.length > MAX_NODE_BYTES)) throw new StateProofError("a node is too large");
  return follow(root, path, byHash(nodes)).value;
}

/** Nodes by their hashes. */
export type Nodes = ReadonlyMap<string, Uint8Array>;

export function byHash(nodes: readonly Uint8Array[]): Nodes {
  return new Map(nodes.map((node) => [toHex(keccak_256(node)), node]));
}

/** Follow `path` as `provenValue` does, among any number of nodes; give the nodes that were needed, too. */
export function follow(
  root: Uint8Array,
  path: Uint8Array,
  known: Nodes,
): { value: Uint8Array | null; nodes: Uint8Array[] } {
  const nodes: Uint8Array[] = [];
  return { value: walk(root, path, known, nodes), nodes };
}

function walk(root: Uint8Array, path: Uint8Array, known: Nodes, taken: Uint8Array[]): Uint8Array | null {
  if (equalBytes(root, EMPTY_ROOT)) return null;
  let node = resolve(root, known, taken);
  for (let rest = toNibbles(path); ;) {
    if (node.length === 17) {
      const [next, ...after] = rest;
      // All keys are 32 bytes long: none ends where others go on.
      if (next === undefined || !isEmpty(node[16])) throw new StateProofError("a key ends at a branch");
      const child = node[next];
      if (isEmpty(child)) return null;
      node = resolve(child, known, taken);
      rest = after;
      continue;
    }
    if (node.length !== 2) throw new StateProofError("a node has neither 17 items nor 2");
    const [isLeaf, part] = unpackPath(asBytes(node[0]));
    if (isLeaf ? part.length !== rest.length : part.length === 0 || part.length >= rest.length) {
      throw new StateProofError("a node's path is too short or too long");
    }
    const matches = part.every((nibble, index) => nibble === rest[index]);
    if (isLeaf) return matches ? asBytes(node[1]) : null;
    if (!matches) return null;
    node = resolve(node[1], known, taken);
    rest = rest.slice(part.length);
  }
}

/** Follow a reference: the hash of a node, or a small node itself. */
function resolve(reference: RlpItem | undefined, known: Nodes, taken: Uint8Array[]): readonly RlpItem[] {
  if (reference !== undefined && !(reference instanceof Uint8Array)) return reference;
  const node = known.get(toHex(asBytes(reference, 32)));
  if (node === undefined) throw new StateProofError("a node on the path is missing");
  taken.push(node);
  return asList(decodeRlp(node));
}

function isEmpty(item: RlpItem | undefined): boolean {
  return item instanceof Uint8Array && item.length === 0;
}

/** Undo the hex-prefix encoding: a flag nibble (1: odd, 2: leaf), one of padding if even, then the path. */
function unpackPath(packed: Uint8Array): readonly [isLeaf: boolean, nibbles: number[]] {
  const nibbles = toNibbles(packed);
  const [flags = 16, padding = 0] = nibbles;
  const isOdd = flags % 2 === 1;
  if (flags > 3 || (!isOdd && padding !== 0)) throw new StateProofError("a node's path has wrong flags");
  return [flags >= 2, nibbles.slice(isOdd ? 1 : 2)];
}

function toNibbles(bytes: Uint8Array): number[] {
  return Array.from(bytes).flatMap((byte) => [byte >> 4, byte & 15]);
}
