// Headers, account and storage proofs, against block-headers.json, state-proofs.json and ethereumjs' real answers.

import assert from "node:assert/strict";

import { keccak_256 } from "@noble/hashes/sha3.js";

import { fromInteger, parseHex, toHex, toInteger } from "../src/core/bytes.js";
import { StateProofError } from "../src/core/errors.js";
import { encodeHeader, parseHeader, type RpcBlock } from "../src/core/header.js";
import { type Account, provenAccount, provenSlot } from "../src/core/stateProof.js";
import { each, hexAll, readJson } from "./support.js";

interface Headers {
  readonly valid: {
    name: string;
    block: RpcBlock;
    header: string;
    number: number;
    timestamp: number;
    stateRoot: string;
  }[];
}
interface StateProofs {
  readonly blockHash: string;
  readonly header: string;
  readonly address: string;
  readonly valid: {
    accounts: { name: string; address: string; proof: string[]; account: AccountVector | null }[];
    storage: { name: string; slot: string; proof: string[]; value: string }[];
  };
  readonly invalid: { storage: { name: string; slot: string; proof: string[]; reason: string }[] };
}
interface AccountVector {
  readonly nonce: number;
  readonly balance: string;
  readonly storageRoot: string;
  readonly codeHash: string;
}
/** As a node answers `eth_getProof`. */
interface RpcProof {
  readonly address: string;
  readonly accountProof: string[];
  readonly nonce: string;
  readonly balance: string;
  readonly storageHash: string;
  readonly codeHash: string;
  readonly storageProof: { key: string; value: string; proof: string[] }[];
}

each(
  "block header",
  readJson<Headers>("block-headers.json").valid,
  ({ name }) => name,
  ({ block, header, number, timestamp, stateRoot }) => {
    const hash = parseHex(String(block["hash"]), 32);
    assert.equal(toHex(encodeHeader(block)), header);
    const parsed = parseHeader(parseHex(header), hash);
    assert.deepEqual([parsed.number, parsed.time, toHex(parsed.stateRoot)], [number, timestamp, stateRoot]);
    for (const other of [
      { ...block, timestamp: "0x1" },
      { ...block, extraData: "0xabcdef12" },
      { ...block, blockAccessListHash: "0x" + "cd".repeat(32) },
      { ...block, slotNumber: "0x123456789" },
      { ...block, requestsHash: "0x" + "cd".repeat(32) },
    ]) {
      const altered = encodeHeader(other);
      assert.notEqual(toHex(altered), header);
      assert.throws(() => parseHeader(altered, hash), StateProofError);
    }
    assert.throws(() => encodeHeader({ ...block, nonce: null }), StateProofError);
    const beside = { hash: "0x00", size: null, uncles: [], totalDifficulty: "x", fieldToCome: "0x1" };
    assert.equal(toHex(encodeHeader({ ...block, ...beside })), header);
  },
);

const { blockHash, header, address, valid, invalid } = readJson<StateProofs>("state-proofs.json");
const { stateRoot } = parseHeader(parseHex(header), parseHex(blockHash));
const storageRoot = parseHex(
  valid.accounts.find((each) => each.address === address)?.account?.storageRoot ?? "no such account",
);

each(
  "account, valid",
  valid.accounts,
  ({ name }) => name,
  (vector) => {
    const account = provenAccount(stateRoot, parseHex(vector.address, 20), hexAll(vector.proof));
    assert.deepEqual(account === null ? null : plain(account), vector.account);
  },
);
each(
  "storage, valid",
  valid.storage,
  ({ name }) => name,
  ({ slot, proof, value }) => {
    assert.equal(toHex(fromInteger(provenSlot(storageRoot, toInteger(parseHex(slot)), hexAll(proof)), 32)), value);
  },
);
each(
  "storage, invalid",
  invalid.storage,
  ({ name, reason }) => `${name} (${reason})`,
  ({ slot, proof }) => {
    assert.throws(() => provenSlot(storageRoot, toInteger(parseHex(slot)), hexAll(proof)), StateProofError);
  },
);

each(
  "a real account",
  ["eth/eip1186_validAccount.json", "eth/eip1186_nonexistentAccount.json", "eth/eip1186_contractWithStorage.json"],
  (name) => name,
  (name) => {
    const answer = readJson<RpcProof>(name);
    // These vectors carry no header; the first node is the root's.
    const nodes = hexAll(answer.accountProof);
    const account = provenAccount(
      keccak_256(nodes[0] ?? new Uint8Array()),
      parseHex(answer.address.toLowerCase()),
      nodes,
    );
    if (name.includes("nonexistent")) {
      assert.equal(account, null);
      return;
    }
    assert.ok(account !== null);
    assert.deepEqual(plain(account), {
      nonce: Number(answer.nonce),
      balance: BigInt(answer.balance).toString(),
      storageRoot: answer.storageHash,
      codeHash: answer.codeHash,
    });
    for (const { key, value, proof } of answer.storageProof) {
      assert.equal(provenSlot(account.storageRoot, BigInt(key), hexAll(proof)), BigInt(value));
    }
  },
);

function plain({ nonce, balance, storageRoot: root, codeHash }: Account): AccountVector {
  return { nonce: Number(nonce), balance: balance.toString(), storageRoot: toHex(root), codeHash: toHex(codeHash) };
}
