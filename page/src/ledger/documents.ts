// Fetches issuers' DID documents, where a policy wants them: the only thing that ever asks an issuer's server.
// docs/spec/verification.md, "DID documents". Nothing is judged here.

import { documentUrl } from "../core/didDocument.js";
import { CredanchorError } from "../core/errors.js";
import type { Evidence } from "../core/evidence.js";
import { fetchBytes } from "./fetching.js";
import type { Asking } from "./asking.js";

const MAX_BYTES = 262_144;
/** Credentials name whom they like: who drops many into a page must not be made to flood anybody. */
const AT_ONCE = 4;

type Documents = NonNullable<Evidence["didDocuments"]>;

/** Fetch the documents of issuers, each once; those that could not be had are left out, so that nothing confirms them. */
export async function collectDocuments(dids: Iterable<string>, asking: Asking): Promise<Documents> {
  const left = [...new Set(dids)];
  const found: Documents[number][] = [];
  const fetchNext = async (): Promise<void> => {
    for (let did = left.shift(); did !== undefined; did = left.shift()) {
      const url = documentUrl(did);
      if (url === null) continue;
      try {
        found.push({ did, document: await fetchBytes(url, MAX_BYTES, asking) });
      } catch (error) {
        if (!(error instanceof CredanchorError)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, fetchNext));
  return found;
}
