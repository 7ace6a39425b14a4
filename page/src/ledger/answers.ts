// What nodes answer, read strictly; any member that is missing or malformed throws. Reading is not believing.

import { keccak_256 } from "@noble/hashes/sha3.js";

import { equalBytes, fromInteger, parseHex, toHex } from "../core/bytes.js";
import { MalformedError } from "../core/errors.js";
import type { StorageProof } from "../core/evidence.js";
import { type Block as Header, encodeHeader, parseHeader } from "../core/header.js";
import { memberOf, type Question } from "./rpc.js";

/** A block as a node names it: the header hashes to the hash, nothing else is proven. */
export interface Block extends Header {
  readonly header: Uint8Array;
}

/** Answer to `eth_getProof`, not yet checked. */
export interface AccountProof {
  readonly accountNodes: readonly Uint8Array[];
  readonly storage: readonly StorageProof[];
}

export type Which = number | "latest" | "finalized";

/** go-ethereum proves 1,024 slots at once, others 1,000. */
export const MAX_SLOTS = 1000;

export const askChainId: Question<string> = {
  method: "eth_chainId",
  params: [],
  read: (result) => readQuantity(result).toString(),
};

/** Ask for a block; null if there is none. Its hash is made from its header, and its number is the one asked for. */
export function askBlock(which: Which): Question<Block | null> {
  const name = typeof which === "number" ? `0x${which.toString(16)}` : which;
  const read = (result: unknown): Block | null => {
    const block = readBlock(result);
    if (block !== null && typeof which === "number" && block.number !== which) throw otherBlock();
    return block;
  };
  return { method: "eth_getBlockByNumber", params: [name, false], read };
}

export function askBlockByHash(hash: Uint8Array): Question<Block | null> {
  const read = (result: unknown): Block | null => {
    const block = readBlock(result);
    if (block !== null && !equalBytes(block.hash, hash)) throw otherBlock();
    return block;
  };
  return { method: "eth_getBlockByHash", params: [toHex(hash), false], read };
}

/** Ask for proofs of slots at a block, as many at once as nodes allow; by its hash, for a number may change its meaning. */
export function askProofs(
  address: Uint8Array,
  slots: readonly bigint[],
  blockHash: Uint8Array,
): Question<AccountProof>[] {
  const questions: Question<AccountProof>[] = [];
  for (let start = 0; start < Math.max(slots.length, 1); start += MAX_SLOTS) {
    const some = slots.slice(start, start + MAX_SLOTS);
    const named = some.map((slot) => toHex(fromInteger(slot, 32)));
    const params = [toHex(address), named, { blockHash: toHex(blockHash) }];
    questions.push({ method: "eth_getProof", params, read: (result) => readAccountProof(result, some) });
  }
  return questions;
}

function readBlock(result: unknown): Block | null {
  if (result === null) return null;
  if (typeof result !== "object") throw new MalformedError("expected a block");
  const header = encodeHeader({ ...result });
  const hash = keccak_256(header);
  const stated = memberOf(result, "hash");
  if (typeof stated !== "string" || stated.toLowerCase() !== toHex(hash)) {
    throw new MalformedError("the block's header does not hash to the block's hash");
  }
  return { ...parseHeader(header, hash), header };
}

function readAccountProof(result: unknown, slots: readonly bigint[]): AccountProof {
  const entries = memberOf(result, "storageProof");
  if (!Array.isArray(entries) || entries.length !== slots.length)
    throw new MalformedError("expected proofs of the slots");
  return {
    accountNodes: readNodes(memberOf(result, "accountProof")),
    storage: slots.map((slot, index) => {
      const entry: unknown = entries[index];
      // Nodes write a slot as 32 bytes or as a number.
      if (readQuantity(memberOf(entry, "key")) !== slot) throw new MalformedError("the proof is of another slot");
      return { slot, nodes: readNodes(memberOf(entry, "proof")) };
    }),
  };
}

function readNodes(value: unknown): Uint8Array[] {
  if (!Array.isArray(value)) throw new MalformedError("expected the nodes of a proof");
  return value.map((node: unknown) => {
    if (typeof node !== "string") throw new MalformedError("expected a node in hex");
    return parseHex(node.toLowerCase());
  });
}

function readQuantity(value: unknown): bigint {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) {
    throw new MalformedError("expected a number in hex");
  }
  return BigInt(value);
}

function otherBlock(): MalformedError {
  return new MalformedError("another block than asked for");
}
