// From bytes to credentials, or to the reason why there are none, told so that people know what to do.

import { parseUtf8 } from "../core/bytes.js";
import { type Bundle, MAX_BUNDLE_BYTES, parseBundle } from "../core/bundle.js";
import { type Credential, readCredential } from "../core/credential.js";
import { MalformedError } from "../core/errors.js";
import { isArray, isObject, type JsonObject, type JsonValue, MAX_BYTES, parseJsonObject } from "../core/json.js";
import type { Problem } from "../model/model.js";
import { InputError } from "./found.js";

/** Our own formats say first what they are, so that also one that is too long to be a credential is told apart. */
const OUR_FORMAT = /^\s*\{\s*"format"\s*:\s*"credanchor\/([a-z-]{1,30})@v[0-9]{1,4}"/;
const START_BYTES = 512;
const OURS: { readonly [format: string]: Problem } = {
  policy: "isPolicy",
  receipt: "isReceipt",
  "trust-list": "isTrustList",
  verification: "isReport",
};
const OPEN_BADGES_2 = /^https:\/\/w3id\.org\/openbadges\/v[12]$/;
const BLOCKCERTS = /^https:\/\/w3id\.org\/blockcerts\//;

/** Name the format of ours that a file says it has, such as `bundle`; empty if none. */
export function ourFormat(bytes: Uint8Array): string {
  return OUR_FORMAT.exec(new TextDecoder().decode(bytes.subarray(0, START_BYTES)))?.[1] ?? "";
}

/** Whether a file that is no credential is a bundle all the same: with its members in another order. */
export function isBundle(bytes: Uint8Array): boolean {
  try {
    return parseJsonObject(bytes, MAX_BUNDLE_BYTES)["format"] === "credanchor/bundle@v1";
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}

/** Read a credential. */
export function parseFile(bytes: Uint8Array): Credential {
  const start = startOf(bytes);
  if (bytes.length > MAX_BYTES)
    throw new InputError(otherKind(start) ?? "tooLarge", `it has more than ${MAX_BYTES} bytes`);
  let document: JsonObject;
  try {
    document = parseJsonObject(bytes);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new InputError(otherKind(start) ?? problemOfJson(bytes), error.message);
  }
  try {
    return readCredential(document);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new InputError(problemOf(document, bytes), error.message);
  }
}

/** Read a bundle. */
export function parseBundleFile(bytes: Uint8Array): Bundle {
  if (bytes.length > MAX_BUNDLE_BYTES) throw new InputError("tooLarge", `it has more than ${MAX_BUNDLE_BYTES} bytes`);
  try {
    return parseBundle(bytes);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new InputError("badBundle", error.message);
  }
}

function startOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, START_BYTES)).trimStart();
}

/** What people give in the place of a credential. */
function otherKind(start: string): Problem | null {
  if (start === "") return "empty";
  if (start.startsWith("%PDF")) return "pdf";
  if (/^<(?:!doctype html|html|head|body)/i.test(start)) return "webPage";
  if (/^"?eyJ[\w-]+\.[\w-]+\.?[\w-]*/.test(start)) return "jwt";
  return null;
}

function problemOfJson(bytes: Uint8Array): Problem {
  let text: string;
  try {
    text = parseUtf8(bytes);
  } catch {
    return "notText";
  }
  try {
    JSON.parse(text);
    return "notStrictJson";
  } catch {
    return "notJson";
  }
}

function problemOf(document: JsonObject, bytes: Uint8Array): Problem {
  const ours = OURS[ourFormat(bytes)];
  if (ours !== undefined) return ours;
  const contexts = textsOf(document["@context"]);
  const types = textsOf(document["type"]);
  if (!types.includes("VerifiableCredential")) {
    if (contexts.some((each) => BLOCKCERTS.test(each)) || document["signature"] !== undefined) return "blockcerts";
    const isBadge = contexts.some((each) => OPEN_BADGES_2.test(each)) || types.includes("Assertion");
    return isBadge ? "openBadge2" : "notCredential";
  }
  return hasAnchorProof(document["proof"]) ? "badProof" : "badCredential";
}

function hasAnchorProof(proof: JsonValue | undefined): boolean {
  return (isArray(proof) ? proof : [proof])
    .filter(isObject)
    .some((each) => each["cryptosuite"] === "merkle-eip155-jcs-2026");
}

function textsOf(value: JsonValue | undefined): string[] {
  return (isArray(value) ? value : [value]).filter((each) => typeof each === "string");
}
