// The anchor proof, as a member of a credential's `proof`. docs/spec/anchor-proof.md, "Format".

import { base64urlnopad } from "@scure/base";
import { decode, encode, rfc8949EncodeOptions } from "cborg";

import { concatBytes } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { checkMembers, isObject, type JsonValue } from "./json.js";
import type { InclusionProof } from "./merkle.js";
import { parseRegistry, type Registry } from "./registry.js";

/** What names a proof as an anchor proof. */
export const CRYPTOSUITE = "merkle-eip155-jcs-2026";
const MAX_PROOF_VALUE_LENGTH = 2048;
/** Enough for 2^32 leaves. */
const MAX_SIBLINGS = 32;
const FIXED = { type: "DataIntegrityProof", cryptosuite: CRYPTOSUITE, proofPurpose: "assertionMethod" } as const;

export interface AnchorProof extends InclusionProof {
  readonly registry: Registry;
  readonly issuerId: number;
  readonly root: Uint8Array;
  readonly salt: Uint8Array;
}

/** Read an anchor proof, of which there is exactly one spelling. */
export function parseAnchorProof(member: JsonValue): AnchorProof {
  if (!isObject(member)) throw new MalformedError("a proof must be an object");
  checkMembers(member, [...Object.keys(FIXED), "verificationMethod", "proofValue"], "an anchor proof");
  for (const [name, value] of Object.entries(FIXED)) {
    if (member[name] !== value) throw new MalformedError(`${name} of an anchor proof must be ${value}`);
  }
  const { verificationMethod, proofValue } = member;
  if (typeof proofValue !== "string") throw new MalformedError("proofValue must be text");
  const proof = readFields(decodeMap(proofValue));
  if (verificationMethod !== `did:pkh:${proof.registry.id}#issuer-${proof.issuerId}`) {
    throw new MalformedError("verificationMethod must repeat what proofValue says");
  }
  if (proofValue !== renderProofValue(proof)) {
    throw new MalformedError("proofValue must be deterministic CBOR in unpadded base64url");
  }
  return proof;
}

/** Write a proof's `proofValue`: base64url of deterministic CBOR. */
export function renderProofValue(proof: AnchorProof): string {
  const { registry, siblings, issuerId, root, salt, size, leafIndex } = proof;
  const fields = { registry: registry.id, issuerId, root, size, leafIndex, salt, path: concatBytes(...siblings) };
  return `u${base64urlnopad.encode(encode(fields, rfc8949EncodeOptions))}`;
}

function decodeMap(proofValue: string): Map<unknown, unknown> {
  if (proofValue.length > MAX_PROOF_VALUE_LENGTH || !proofValue.startsWith("u")) {
    throw new MalformedError(`proofValue must be u and base64url, of at most ${MAX_PROOF_VALUE_LENGTH} characters`);
  }
  let value: unknown;
  try {
    // A Map, so that keys are only keys. How strict the library is does not matter: the bytes are compared afterwards.
    value = decode(base64urlnopad.decode(proofValue.slice(1)), { useMaps: true, rejectDuplicateMapKeys: true });
  } catch {
    throw new MalformedError("proofValue must be CBOR in unpadded base64url");
  }
  if (!(value instanceof Map)) throw new MalformedError("proofValue must hold a map");
  return value;
}

function readFields(fields: Map<unknown, unknown>): AnchorProof {
  const registry = fields.get("registry");
  if (typeof registry !== "string") throw new MalformedError("registry must be text");
  const size = readUnsigned(fields, "size", 1, 2 ** 32 - 1);
  return {
    registry: parseRegistry(registry),
    issuerId: readUnsigned(fields, "issuerId", 1, 2 ** 32 - 1),
    root: readBytes(fields, "root", 32),
    salt: readBytes(fields, "salt", 32),
    size,
    leafIndex: readUnsigned(fields, "leafIndex", 0, size - 1),
    siblings: readSiblings(fields),
  };
}

function readUnsigned(fields: Map<unknown, unknown>, name: string, lowest: number, highest: number): number {
  const value = fields.get(name);
  if (typeof value !== "number" || !Number.isInteger(value) || value < lowest || value > highest) {
    throw new MalformedError(`${name} must be a whole number from ${lowest} to ${highest}`);
  }
  return value;
}

function readBytes(fields: Map<unknown, unknown>, name: string, length?: number): Uint8Array {
  const value = fields.get(name);
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) {
    throw new MalformedError(`${name} must be bytes${length === undefined ? "" : `, ${length} of them`}`);
  }
  return value;
}

function readSiblings(fields: Map<unknown, unknown>): Uint8Array[] {
  const path = readBytes(fields, "path");
  if (path.length % 32 !== 0 || path.length > 32 * MAX_SIBLINGS) {
    throw new MalformedError(`path must be at most ${MAX_SIBLINGS} siblings of 32 bytes`);
  }
  return Array.from({ length: path.length / 32 }, (_, index) => path.slice(32 * index, 32 * (index + 1)));
}
