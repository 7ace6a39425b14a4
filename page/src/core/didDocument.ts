// Which accounts an issuer itself calls its own. docs/spec/verification.md, "DID documents".

import { MalformedError } from "./errors.js";
import { isArray, isObject, type JsonObject, parseJsonObject } from "./json.js";

const ACCOUNT = /^eip155:([1-9][0-9]{0,31}):0x([0-9a-fA-F]{40})$/;
const MAX_DOCUMENT_BYTES = 262_144;

/**
 * List the accounts of a chain that a DID calls its own, as numbers.
 *
 * @param document The DID's document; null where none was had, which did:pkh does not need.
 * @returns null where the DID says nothing: of another method, without a document, or with another DID's.
 */
export function accountsOf(did: string, document: Uint8Array | null, chainId: string): readonly bigint[] | null {
  if (did.startsWith("did:pkh:")) {
    const account = did.slice("did:pkh:".length);
    return ACCOUNT.test(account) ? accountsIn([account], chainId) : null;
  }
  if (!isWeb(did) || document === null || document.length > MAX_DOCUMENT_BYTES) return null;
  const content = parse(document);
  if (content === null || content["id"] !== did) return null;
  const methods = content["verificationMethod"];
  const stated = (isArray(methods) ? methods : []).map((method) =>
    isObject(method) ? method["blockchainAccountId"] : null,
  );
  return accountsIn(
    stated.filter((account) => typeof account === "string"),
    chainId,
  );
}

/**
 * Tell where the document of a DID is; null where none is fetched for it.
 *
 * did:web, "Method-specific identifier": the host with its port, then folders; `.well-known` where there are none.
 */
export function documentUrl(did: string): string | null {
  if (!isWeb(did)) return null;
  const [host = "", ...path] = did.slice("did:web:".length).split(":");
  const place = path.length === 0 ? ".well-known" : path.join("/");
  const name = host.replace("%3A", ":");
  // Of this machine, for trials; everything else is fetched over https.
  const isOwn = /^localhost(?::|$)/.test(name);
  return `${isOwn ? "http" : "https"}://${name}/${place}/did.json`;
}

function isWeb(did: string): boolean {
  const [host = "", ...path] = did.startsWith("did:web:") ? did.slice("did:web:".length).split(":") : [];
  const label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
  const isHost = new RegExp(`^(?:${label}\\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?(?:%3A[1-9][0-9]{0,4})?$`).test(host);
  return isHost && path.every((segment) => /^[A-Za-z0-9._-]+$/.test(segment) && segment !== "." && segment !== "..");
}

function parse(document: Uint8Array): JsonObject | null {
  try {
    return parseJsonObject(document);
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}

function accountsIn(stated: readonly string[], chainId: string): readonly bigint[] {
  return stated
    .map((account) => ACCOUNT.exec(account))
    .filter((match) => match !== null && match[1] === chainId)
    .map((match) => BigInt(`0x${match?.[2] ?? ""}`));
}
