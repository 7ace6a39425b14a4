// Bundles, against bundle.json: what is read and what follows; and what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_BUNDLE_BYTES, parseBundle } from "../src/core/bundle.js";
import { parseHex, toHex } from "../src/core/bytes.js";
import { MalformedError } from "../src/core/errors.js";
import { type BundleCase, judgeBundle } from "./judging.js";
import { each, readJson, seeded } from "./support.js";

interface Vectors {
  readonly valid: BundleCase[];
  readonly invalid: { name: string; bundle: string; reason: string }[];
}

const { valid, invalid } = readJson<Vectors>("bundle.json");

each(
  "bundle",
  valid,
  ({ name }) => name,
  (vector) => {
    const { proofs } = parseBundle(parseHex(vector.bundle));
    const blocks = proofs.map(({ registry, block: { hash, number, time } }) => ({
      registry: registry.id,
      blockHash: toHex(hash),
      number,
      time,
    }));
    assert.deepEqual(blocks, vector.blocks);
    assert.deepEqual(judgeBundle(parseHex(vector.bundle), vector), vector.verdicts);
  },
);

each(
  "malformed bundle",
  invalid,
  ({ name, reason }) => `${name} (${reason})`,
  ({ bundle }) => assert.throws(() => parseBundle(parseHex(bundle)), MalformedError),
);

test("a bundle of 16 MiB is read, one byte more is not", () => {
  const bundle = parseHex(valid[0]?.bundle ?? "");
  const padded = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length).fill(0x20);
    bytes.set(bundle);
    return bytes;
  };
  assert.equal(parseBundle(padded(MAX_BUNDLE_BYTES)).credentials.length, 1);
  assert.throws(() => parseBundle(padded(MAX_BUNDLE_BYTES + 1)), MalformedError);
});

test("a bundle with a byte altered is malformed, or its block is unknown, or it says the same", () => {
  const random = seeded(7);
  for (const vector of valid.filter(({ verdicts }) => verdicts.every(({ outcome }) => outcome === "valid"))) {
    const bundle = parseHex(vector.bundle);
    for (let round = 0; round < 50; round += 1) {
      const at = random(bundle.length);
      const altered = bundle.map((byte, index) => (index === at ? byte ^ (1 << random(8)) : byte));
      try {
        const outcomes = judgeBundle(altered, vector).map(({ outcome }) => outcome);
        assert.ok(!outcomes.includes("invalid"), `${vector.name}, byte ${at}`);
      } catch (error) {
        assert.ok(error instanceof MalformedError, `${vector.name}, byte ${at}: ${String(error)}`);
      }
    }
  }
});
