// Account and storage proofs (EIP-1186). docs/spec/verification.md, "State proofs".

import { keccak_256 } from "@noble/hashes/sha3.js";

import { fromInteger } from "./bytes.js";
import { StateProofError } from "./errors.js";
import { asBytes, asInteger, asList, decodeRlp } from "./rlp.js";
import { provenValue } from "./trie.js";

export interface Account {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly storageRoot: Uint8Array;
  readonly codeHash: Uint8Array;
}

/** Give the account at an address; null where the nodes prove that there is none. */
export function provenAccount(
  stateRoot: Uint8Array,
  address: Uint8Array,
  nodes: readonly Uint8Array[],
): Account | null {
  const value = provenValue(stateRoot, keccak_256(address), nodes);
  if (value === null) return null;
  const fields = asList(decodeRlp(value));
  if (fields.length !== 4) throw new StateProofError("an account has four fields");
  const [nonce, balance, storageRoot, codeHash] = fields;
  return {
    nonce: asInteger(nonce),
    balance: asInteger(balance),
    storageRoot: asBytes(storageRoot, 32),
    codeHash: asBytes(codeHash, 32),
  };
}

/** Give the word in a slot; an absent one is 0. */
export function provenSlot(storageRoot: Uint8Array, slot: bigint, nodes: readonly Uint8Array[]): bigint {
  const value = provenValue(storageRoot, keccak_256(fromInteger(slot, 32)), nodes);
  return value === null ? 0n : asInteger(decodeRlp(value));
}
