// The policy's file: exactly its members, or it is unusable.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { toUtf8 } from "../src/core/bytes.js";
import { MalformedError } from "../src/core/errors.js";
import { parsePolicy } from "../src/core/policy.js";

const page = readFileSync(new URL("../../../docs/spec/policy.md", import.meta.url), "utf8");
const example = JSON.parse(/```json\n([^`]*)```/.exec(page)?.[1] ?? "") as { registries: [object] };
const read = (changes: object) => parsePolicy(toUtf8(JSON.stringify({ ...example, ...changes })));
const [registry] = example.registries;

test("the example of the specification", () => {
  const policy = read({});
  assert.equal(policy.registries[0]?.registry.chainId, "31337");
  assert.deepEqual([policy.vouching, policy.confirmations, policy.maxAgeSeconds], ["oneNode", 0, null]);
  assert.deepEqual(policy.nodes, ["http://127.0.0.1:8545"]);
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
