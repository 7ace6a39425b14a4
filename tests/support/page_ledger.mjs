// The page's asking and judging, as built from TypeScript, for Python's tests: one request a line in, one answer a line out.
//
//   in   {policy, credentials, now, limits?, impatientWith?}   policy and credentials as text
//   out  {verdicts, missing, asked}, or {error} where nothing may be determined

import { createInterface } from "node:readline";

import { parseCredential } from "../../page/build/src/core/credential.js";
import { CredanchorError } from "../../page/build/src/core/errors.js";
import { parsePolicy } from "../../page/build/src/core/policy.js";
import { Verifier } from "../../page/build/src/core/verify.js";
import { collectDocuments, collectEvidence } from "../../page/build/src/ledger/index.js";

const bytesOf = (text) => new TextEncoder().encode(text);
const toHex = (bytes) => `0x${Buffer.from(bytes).toString("hex")}`;

/** Give up on one address sooner than on others: honest ones may be slow on a machine with much to do. */
function fetching({ url, ms }) {
  return (address, request) => {
    if (!address.startsWith(url)) return fetch(address, request);
    return Promise.race([
      fetch(address, request),
      new Promise((_, reject) => setTimeout(reject, ms, new DOMException("too late", "NetworkError"))),
    ]);
  };
}

async function answer({ policy: policyText, credentials: texts, now, limits = {}, impatientWith }) {
  const asked = [];
  const asking = {
    fetch: impatientWith === undefined ? fetch : fetching(impatientWith),
    signal: new AbortController().signal,
    onRequest: (address) => asked.push(address),
    limits: { pauseMs: 0, nodeMs: 60_000, ...limits },
  };
  const policy = parsePolicy(bytesOf(policyText));
  const credentials = texts.map((text) => parseCredential(bytesOf(text)));
  const { evidence, nodesAsked } = await collectEvidence(credentials, policy, asking);
  const didDocuments = policy.requireDidDocument
    ? await collectDocuments(
        credentials.map(({ issuer }) => issuer),
        asking,
      )
    : [];
  const verifier = new Verifier({ ...evidence, didDocuments }, policy, now);
  const verdicts = credentials.map((credential) => {
    const { outcome, reason, checks, basis } = verifier.judge(credential);
    const { registry, vouching, vouchedBy, block } = basis === null ? {} : { ...basis, registry: basis.trusted.registry.id };
    const named = basis && { registry, vouching, vouchedBy, nodesAsked: nodesAsked.get(registry), number: block.number };
    return { outcome, reason, checks, basis: named && { ...named, hash: toHex(block.hash), at: block.time } };
  });
  return { verdicts, missing: evidence.missing, asked };
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch((error) => {
    if (error instanceof CredanchorError) return { error: error.message };
    throw error;
  });
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
