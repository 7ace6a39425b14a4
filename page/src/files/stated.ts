// What a credential says of itself, for people. None of it is confirmed.

import { isArray, isObject, type JsonObject, type JsonValue } from "../core/json.js";

export interface Stated {
  readonly credentialId: string;
  readonly name: string;
  readonly holderName: string;
  readonly issuerName: string;
  readonly issuerUrl: string;
  readonly issuerEmail: string;
}

export function statedBy(credential: JsonObject): Stated {
  const issuer = credential["issuer"];
  const of = isObject(issuer) ? issuer : {};
  return {
    credentialId: textOf(credential["id"]),
    name: textOf(credential["name"]),
    holderName: holderOf(credential["credentialSubject"]),
    issuerName: textOf(of["name"]),
    issuerUrl: textOf(of["url"]),
    issuerEmail: textOf(of["email"]),
  };
}

/** The names that it states in clear. */
function holderOf(subject: JsonValue | undefined): string {
  const identifiers = isObject(subject) ? subject["identifier"] : undefined;
  return (isArray(identifiers) ? identifiers : [])
    .filter(isObject)
    .filter((identity) => identity["identityType"] === "name" && identity["hashed"] === false)
    .map((identity) => textOf(identity["identityHash"]))
    .filter((name) => name !== "")
    .join(", ");
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
