// Signatures of receipts and trust lists, by another library's Ed25519: node's own. docs/spec/receipt.md, "Signature".

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";

import { canonicalBytes } from "../src/core/canonical.js";
import { type JsonObject } from "../src/core/json.js";
import { each, readJson, strict } from "./support.js";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** SubjectPublicKeyInfo of an Ed25519 key, but for its 32 bytes (RFC 8410). */
const KEY_HEAD = Buffer.from("302a300506032b6570032100", "hex");

interface Signed {
  proof: { verificationMethod: string; proofValue: string };
}
interface Vectors<Name extends string> {
  readonly valid: ({ name: string } & Record<Name, Signed>)[];
  readonly invalid: ({ name: string; isMalformed: boolean } & Record<Name, Signed>)[];
}

const receipts = readJson<Vectors<"receipt">>("receipts.json");
const lists = readJson<Vectors<"list">>("trust-lists.json");
const documents = [
  ...receipts.valid.map(({ name, receipt }) => ({ name: `receipt ${name}`, document: receipt, holds: true })),
  ...lists.valid.map(({ name, list }) => ({ name: `trust list ${name}`, document: list, holds: true })),
  ...receipts.invalid
    .filter(({ isMalformed }) => !isMalformed)
    .map(({ name, receipt }) => ({ name: `receipt ${name}`, document: receipt, holds: false })),
  ...lists.invalid
    .filter(({ isMalformed }) => !isMalformed)
    .map(({ name, list }) => ({ name: `trust list ${name}`, document: list, holds: false })),
];

each(
  "signature",
  documents,
  ({ name }) => name,
  ({ document, holds }) => {
    assert.equal(isSigned(document), holds);
  },
);

function isSigned(document: Signed): boolean {
  const { proofValue, ...config } = document.proof;
  const [did = "", fragment] = document.proof.verificationMethod.split("#");
  assert.equal(did, `did:key:${fragment}`);
  const key = base58(did.slice("did:key:".length), 34);
  assert.deepEqual([...key.subarray(0, 2)], [0xed, 0x01]);
  const publicKey = createPublicKey({ key: Buffer.concat([KEY_HEAD, key.subarray(2)]), format: "der", type: "spki" });
  // The config has no member `proof`, and of the document it is left out.
  const signed = Buffer.concat([config, document].map((each) => sha256(canonicalBytes(strict(each) as JsonObject))));
  return verify(null, signed, publicKey, base58(proofValue, 64));
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** Read multibase base58btc. */
function base58(text: string, length: number): Buffer {
  assert.equal(text[0], "z");
  const number = [...text.slice(1)].reduce((sum, digit) => sum * 58n + BigInt(ALPHABET.indexOf(digit)), 0n);
  return Buffer.from(number.toString(16).padStart(length * 2, "0"), "hex");
}
