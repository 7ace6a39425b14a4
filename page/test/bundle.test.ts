// Bundles, against bundle.json: what is read and what follows; and what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_BUNDLE_BYTES, parseBundle, pinned } from "../src/core/bundle.js";
import { parseHex, toHex, toUtf8 } from "../src/core/bytes.js";
import { MalformedError } from "../src/core/errors.js";
import { parsePolicy } from "../src/core/policy.js";
import { Verifier } from "../src/core/verify.js";
import { each, readJson, seeded } from "./support.js";

interface Valid {
  readonly name: string;
  readonly bundle: string;
  readonly policy: object;
  readonly now: number;
  readonly blocks: { registry: string; blockHash: string; number: number; time: number }[];
  readonly verdicts: { outcome: string; reason: string }[];
}
interface Vectors {
  readonly valid: Valid[];
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
    assert.deepEqual(verdictsOn(parseHex(vector.bundle), vector), vector.verdicts);
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
        const outcomes = verdictsOn(altered, vector).map(({ outcome }) => outcome);
        assert.ok(!outcomes.includes("invalid"), `${vector.name}, byte ${at}`);
      } catch (error) {
        assert.ok(error instanceof MalformedError, `${vector.name}, byte ${at}: ${String(error)}`);
      }
    }
  }
});

function verdictsOn(bytes: Uint8Array, { policy, now }: Valid): Valid["verdicts"] {
  const { credentials, proofs } = parseBundle(bytes);
  const evidence = { registries: proofs.map(pinned), missing: [] };
  const rules = parsePolicy(toUtf8(JSON.stringify(policy)));
  return credentials
    .map((credential) => new Verifier(evidence, rules, now).judge(credential))
    .map(({ outcome, reason }) => ({ outcome, reason }));
}
