// The policy's file: exactly its members, or it is unusable.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { toUtf8 } from "../src/core/bytes.js";
import { MalformedError, TrustListError } from "../src/core/errors.js";
import { parsePolicy } from "../src/core/policy.js";
import { verify } from "../src/core/verify.js";

const page = readFileSync(new URL("../../../docs/spec/policy.md", import.meta.url), "utf8");
const example = JSON.parse(/```json\n([^`]*)```/.exec(page)?.[1] ?? "") as { registries: [object] };
const read = (changes: object) => parsePolicy(toUtf8(JSON.stringify({ ...example, ...changes })));
const [registry] = example.registries;
const list = { source: "list.json", signer: "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2" };
const credential = '{"type":"VerifiableCredential","issuer":"did:web:x.example"}';

test("the example of the specification", () => {
  const policy = read({});
  assert.equal(policy.registries[0]?.registry.chainId, "31337");
  assert.deepEqual([policy.vouching, policy.confirmations, policy.maxAgeSeconds], ["oneNode", 0, null]);
  assert.deepEqual(policy.nodes, ["http://127.0.0.1:8545"]);
});

test("a policy with trust lists judges nothing before they are put in", () => {
  const policy = read({ trustLists: [list, { ...list, source: "https://x.example/list.json" }] });
  assert.deepEqual(policy.trustLists[0], list);
  assert.throws(() => verify(toUtf8(credential), { registries: [], missing: [] }, policy, 0), TrustListError);
});

test("members left out have their defaults", () => {
  const { format, registries } = example as { format?: string; registries: [object] };
  const policy = parsePolicy(toUtf8(JSON.stringify({ format, registries })));
  assert.deepEqual([policy.vouching, policy.confirmations, policy.maxAgeSeconds], ["oneNode", null, 3600]);
  assert.deepEqual([policy.nodes, policy.agreeing, policy.knownBlocks.size], [[], 2, 0]);
});

test("more than half of the nodes must agree, and two at least", () => {
  for (const [count, agreeing] of [
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ] as const) {
    const nodes = Array.from({ length: count }, (_, index) => `http://127.0.0.1:${index}`);
    assert.equal(read({ vouching: "kOfN", nodes }).agreeing, agreeing);
  }
});

test("whole numbers of a policy have neither fraction nor exponent", () => {
  const text = JSON.stringify({ ...example, confirmations: 12 });
  assert.equal(parsePolicy(toUtf8(text)).confirmations, 12);
  for (const other of ["12.0", "12e0", "120e-1"]) {
    const written = text.replace('"confirmations":12', `"confirmations":${other}`);
    assert.notEqual(written, text);
    assert.throws(() => parsePolicy(toUtf8(written)), /strict JSON/);
  }
});

for (const [name, changes] of Object.entries({
  "another format": { format: "credanchor/policy@v2" },
  "an unknown member": { maxAge: 1 },
  "registries left out": { registries: undefined },
  "a node twice": { nodes: ["http://127.0.0.1:1", "http://127.0.0.1:1"] },
  "one node that must agree": { agreeing: 1 },
  "more nodes that must agree than there are": { vouching: "kOfN", nodes: ["http://a", "http://b"], agreeing: 3 },
  "one node of k": { vouching: "kOfN" },
  "known blocks in a list": { knownBlocks: [] },
  "known blocks of no chain": { knownBlocks: { "1": [] } },
  "a known block of 31 bytes": { knownBlocks: { "eip155:1": [`0x${"00".repeat(31)}`] } },
  "required proofs that are no list": { requiredProofs: "eddsa-jcs-2022" },
  "trust lists by name": { trustLists: ["list.json"] },
  "a trust list without a signer": { trustLists: [{ source: "list.json" }] },
  "a trust list signed by a name": { trustLists: [{ ...list, signer: "did:web:x.example" }] },
  "a trust list without https": { trustLists: [{ ...list, source: "http://x.example/list.json" }] },
  "a trust list from nowhere": { trustLists: [{ ...list, source: "" }] },
  "a trust list twice": { trustLists: [list, list] },
  "a word for yes": { requireDidDocument: "yes" },
  "a registry twice": { registries: [registry, registry] },
  "a registry with an unknown member": { registries: [{ ...registry, code: "" }] },
  "a registry in capitals": { registries: [{ ...registry, registry: `eip155:1:0x${"AB".repeat(20)}` }] },
  "a code hash of 31 bytes": { registries: [{ ...registry, codeHash: `0x${"00".repeat(31)}` }] },
  "a name that is no text": { registries: [{ ...registry, name: null }] },
  "registries that are no array": { registries: {} },
  "a registry that is no object": { registries: ["eip155"] },
  "an unknown word for vouching": { vouching: "anybody" },
  "a negative number of confirmations": { confirmations: -1 },
  "half a second": { maxAgeSeconds: 0.5 },
  "a number in quotes": { maxAgeSeconds: "3600" },
  "a denied issuer that is no text": { deniedIssuers: [7] },
})) {
  test(`refused: ${name}`, () => assert.throws(() => read(changes), MalformedError));
}
