// Canonical bytes of a credential: RFC 8785 without its top-level `proof`. docs/spec/anchor-proof.md, "Input".

import { sha256 } from "@noble/hashes/sha2.js";
import canonicalize from "canonicalize";

import { toUtf8 } from "./bytes.js";
import type { JsonObject, JsonValue } from "./json.js";

/** Give the RFC 8785 form of the object without its top-level member `proof`. */
export function canonicalBytes(document: JsonObject): Uint8Array {
  const rest = Object.assign(Object.create(null), document) as { [key: string]: JsonValue };
  delete rest["proof"];
  // An object always has a form; the library's type allows for values that have none.
  return toUtf8(canonicalize(rest) as string);
}

/** SHA-256 of the canonical bytes. */
export function credentialHash(document: JsonObject): Uint8Array {
  return sha256(canonicalBytes(document));
}
