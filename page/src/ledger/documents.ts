// Fetches issuers' DID documents, where a policy wants them: the only thing that ever asks an issuer's server.
// docs/spec/verification.md, "DID documents". Nothing is judged here.

import { documentUrl } from "../core/didDocument.js";
import { CredanchorError } from "../core/errors.js";
import type { Evidence } from "../core/evidence.js";
import { fetchBytes } from "./fetching.js";
import type { Asking } from "./asking.js";

const MAX_BYTES = 262_144;

type Documents = NonNullable<Evidence["didDocuments"]>;

/** Fetch the documents of issuers, each once; those that could not be had are left out, so that nothing confirms them. */
export async function collectDocuments(dids: Iterable<string>, asking: Asking): Promise<Documents> {
  const found = await Promise.all(
    [...new Set(dids)].map(async (did) => {
      const url = documentUrl(did);
      if (url === null) return [];
      try {
        return [{ did, document: await fetchBytes(url, MAX_BYTES, asking) }];
      } catch (error) {
        if (!(error instanceof CredanchorError)) throw error;
        return [];
      }
    }),
  );
  return found.flat();
}
