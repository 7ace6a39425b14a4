// Whether a credential is of the person with an e-mail address, in its own words. Open Badges 3.0, `IdentityObject`.

import { md5 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import { toUtf8 } from "../core/bytes.js";
import { isArray, isObject, type JsonObject, type JsonValue } from "../core/json.js";
import type { HolderMatch } from "../model/model.js";

/** MD5 is broken for those who choose both texts; here nobody but the issuer chooses one. */
const HASHES = new Map([
  ["sha256", sha256],
  ["md5", md5],
]);
const MAILTO = "mailto:";

/** Compare an address with those that a credential states of its holder or holders. */
export function matchHolder(credential: JsonObject, email: string): HolderMatch {
  const answers = emailsOf(credential["credentialSubject"]).map((identity) => matchesEmail(identity, email));
  if (answers.includes(true)) return "matches";
  return answers.includes(false) ? "doesNotMatch" : "notStated";
}

/** Bring an address to the one form that is hashed. */
export function normalizeEmail(email: string): string {
  return email.trim().toLowerCase();
}

/** Others may have hashed the address as it was written, so it is tried like that, too; null: it cannot be compared. */
function matchesEmail(identity: JsonObject, email: string): boolean | null {
  const stated = identity["identityHash"];
  const salt = Object.hasOwn(identity, "salt") ? identity["salt"] : "";
  if (typeof stated !== "string" || typeof salt !== "string") return null;
  if (identity["hashed"] === false) return normalizeEmail(stated) === normalizeEmail(email);
  const [algorithm = "", hash = ""] = stated.split(/\$(.*)/s);
  const hasher = HASHES.get(algorithm);
  if (hasher === undefined) return null;
  const hashes = [normalizeEmail(email), email.trim()].map((each) => bytesToHex(hasher(toUtf8(each + salt))));
  return hashes.includes(hash.toLowerCase());
}

/** An `id` that is a `mailto:` address is one in clear. */
function emailsOf(subjects: JsonValue | undefined): JsonObject[] {
  return objectsIn(subjects).flatMap((subject) => {
    const id = subject["id"];
    const isAddress = typeof id === "string" && id.toLowerCase().startsWith(MAILTO);
    const own = isAddress ? [{ hashed: false, identityHash: id.slice(MAILTO.length) }] : [];
    const stated = objectsIn(subject["identifier"]).filter((each) => each["identityType"] === "emailAddress");
    return [...own, ...stated];
  });
}

/** Take an object for a list of one, as JSON-LD does. */
function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return (isArray(value) ? value : [value]).filter(isObject);
}
