// Ed25519 signatures of documents by a key that names itself. docs/spec/receipt.md, "Signature".

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { base58 } from "@scure/base";

import { concatBytes, equalBytes } from "./bytes.js";
import { canonicalBytes } from "./canonical.js";
import { MalformedError } from "./errors.js";
import { checkMembers, isObject, type JsonObject } from "./json.js";
import { parseDateTime } from "./time.js";

const FIXED = { type: "DataIntegrityProof", cryptosuite: "eddsa-jcs-2022", proofPurpose: "assertionMethod" } as const;
/** Multicodec of an Ed25519 public key. */
const KEY_PREFIX = Uint8Array.of(0xed, 0x01);

export interface Signature {
  /** did:key. */
  readonly signer: string;
  /** Unix seconds. */
  readonly signedAt: number;
}

/** The signature does not hold. */
export class SignatureError extends MalformedError {
  override name = "SignatureError";
}

/**
 * Check a document's one proof.
 *
 * @throws MalformedError It is absent, or not in its one form.
 * @throws SignatureError It does not hold.
 */
export function checkSigned(document: JsonObject): Signature {
  const { proof, ...rest } = document;
  if (!isObject(proof)) throw new MalformedError("expected one proof");
  checkMembers(proof, [...Object.keys(FIXED), "created", "verificationMethod", "proofValue"], "the proof");
  for (const [name, value] of Object.entries(FIXED)) {
    if (proof[name] !== value) throw new MalformedError(`${name} of the proof must be ${value}`);
  }
  const { proofValue, created, verificationMethod, ...config } = proof;
  if (typeof created !== "string" || !/^\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z$/.test(created)) {
    throw new MalformedError("created must be a time in UTC");
  }
  if (typeof verificationMethod !== "string") throw new MalformedError("verificationMethod must be text");
  const [signer = ""] = verificationMethod.split("#");
  const key = parseKey(signer);
  if (verificationMethod !== `${signer}#${signer.slice("did:key:".length)}`) {
    throw new MalformedError("verificationMethod must be twice the same key");
  }
  const signature = fromMultibase(proofValue, 64);
  const stated = { ...config, created, verificationMethod };
  const message = concatBytes(sha256(canonicalBytes(stated)), sha256(canonicalBytes(rest)));
  if (!holds(signature, message, key)) throw new SignatureError("the signature does not hold");
  return { signer, signedAt: parseDateTime(created) };
}

function parseKey(did: string): Uint8Array {
  const bytes = did.startsWith("did:key:") ? fromMultibase(did.slice("did:key:".length), 34) : null;
  if (bytes === null || !equalBytes(bytes.subarray(0, 2), KEY_PREFIX)) {
    throw new MalformedError("the signer must be the did:key of an Ed25519 key");
  }
  const key = bytes.slice(2);
  if (!isOfOrderL(key)) throw new MalformedError("the signer's key is no point of order L in its one encoding");
  return key;
}

function fromMultibase(value: unknown, length: number): Uint8Array {
  try {
    const bytes = typeof value === "string" && value.startsWith("z") ? base58.decode(value.slice(1)) : null;
    if (bytes?.length === length && `z${base58.encode(bytes)}` === value) return bytes;
  } catch {
    // Not base58: said below.
  }
  throw new MalformedError(`expected z and ${length} bytes in base58btc`);
}

/** Strict: libraries differ at the edges, so both points must be of order L, each in its one encoding. */
function holds(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  if (!isOfOrderL(signature.slice(0, 32))) return false;
  try {
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    // S is not below L.
    return false;
  }
}

function isOfOrderL(bytes: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes, false);
    return !point.is0() && point.isTorsionFree();
  } catch {
    // No point of the curve.
    return false;
  }
}
