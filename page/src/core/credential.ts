// What a credential says that verification needs. docs/spec/verification.md, steps 1 and 2.

import { credentialHash } from "./canonical.js";
import { MalformedError } from "./errors.js";
import { isArray, isObject, type JsonObject, type JsonValue, parseJsonObject } from "./json.js";
import { type AnchorProof, CRYPTOSUITE, parseAnchorProof } from "./proof.js";
import { parseStatusEntries, type StatusEntries } from "./status.js";
import { parseDateTime } from "./time.js";

const MAX_PROOFS = 16;

export interface Credential {
  /** The file's JSON, as it was read. */
  readonly document: JsonObject;
  /** `issuer`, or its `id`: a DID where a registry knows it. */
  readonly issuer: string;
  /** Unix seconds; null where absent. */
  readonly validFrom: number | null;
  readonly validUntil: number | null;
  readonly anchorProofs: readonly AnchorProof[];
  /** What the other proofs call themselves. */
  readonly otherProofs: readonly string[];
  /** Null without an anchor proof: then the entries are not looked at. */
  readonly statusEntries: StatusEntries | null;
  /** SHA-256 of the canonical bytes. */
  readonly hash: Uint8Array;
}

/** Read a credential's file. */
export function parseCredential(bytes: Uint8Array): Credential {
  return readCredential(parseJsonObject(bytes));
}

/** Read a credential that was parsed as part of something else. */
export function readCredential(document: JsonObject): Credential {
  if (!includes(document["type"], "VerifiableCredential")) {
    throw new MalformedError("type must include VerifiableCredential");
  }
  if (document["id"] !== undefined && typeof document["id"] !== "string") throw new MalformedError("id must be text");
  const issuer = readIssuer(document["issuer"]);
  const [validFrom, validUntil] = [readDate(document, "validFrom"), readDate(document, "validUntil")];
  const proofs = readProofs(document["proof"]);
  const anchorProofs = proofs.filter(isAnchorProof).map(parseAnchorProof);
  return {
    document,
    issuer,
    validFrom,
    validUntil,
    anchorProofs,
    otherProofs: proofs.filter((proof) => !isAnchorProof(proof)).map(nameOf),
    statusEntries: readStatusEntries(document, anchorProofs),
    hash: credentialHash(document),
  };
}

/** Whether text, or an array, is or holds `word`. */
function includes(value: JsonValue | undefined, word: string): boolean {
  return value === word || (isArray(value) && value.includes(word));
}

function readIssuer(value: JsonValue | undefined): string {
  const issuer = isObject(value) ? value["id"] : value;
  if (typeof issuer !== "string" || issuer === "") throw new MalformedError("issuer or issuer.id must be text");
  return issuer;
}

function readDate(document: JsonObject, name: string): number | null {
  const value = document[name];
  if (value === undefined) return null;
  if (typeof value !== "string") throw new MalformedError(`${name} must be text`);
  return parseDateTime(value);
}

function readProofs(value: JsonValue | undefined): JsonObject[] {
  if (value === undefined) return [];
  if (isObject(value) && isAnchorProof(value)) throw new MalformedError("an anchor proof must stand in an array");
  const proofs = isArray(value) ? value : [value];
  if (proofs.length > MAX_PROOFS) throw new MalformedError(`more than ${MAX_PROOFS} proofs`);
  return proofs.map((proof) => {
    if (!isObject(proof)) throw new MalformedError("each proof must be an object");
    return proof;
  });
}

function isAnchorProof(proof: JsonObject): boolean {
  return proof["cryptosuite"] === CRYPTOSUITE;
}

function nameOf(proof: JsonObject): string {
  const name = proof["cryptosuite"] ?? proof["type"];
  return typeof name === "string" ? name : "of an unnamed kind";
}

function readStatusEntries(document: JsonObject, proofs: readonly AnchorProof[]): StatusEntries | null {
  if (proofs.length === 0) return null;
  const entries = parseStatusEntries(document["credentialStatus"]);
  for (const proof of proofs) {
    if (proof.registry.id !== entries.registry.id || proof.issuerId !== entries.issuerId) {
      throw new MalformedError("status entries and anchor proof name different registries or issuers");
    }
  }
  return entries;
}
