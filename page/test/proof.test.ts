// Anchor proofs and status entries, against anchor-proofs.json, status-entries.json and the specification's example.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { toHex, toUtf8 } from "../src/core/bytes.js";
import { parseCredential } from "../src/core/credential.js";
import { MalformedError } from "../src/core/errors.js";
import { isIncluded, leafHash } from "../src/core/merkle.js";
import { type AnchorProof, parseAnchorProof, renderProofValue } from "../src/core/proof.js";
import { isSet, parseStatusEntries, wordOf } from "../src/core/status.js";
import { each, randomBytes, readJson, seeded, strict } from "./support.js";

interface Proofs {
  readonly valid: {
    name: string;
    proof: object;
    registry: string;
    issuerId: number;
    root: string;
    size: number;
    leafIndex: number;
    salt: string;
    siblings: string[];
  }[];
  readonly invalid: { name: string; proof: unknown; reason: string }[];
}
interface Entries {
  readonly valid: { name: string; entries: unknown; registry: string; issuerId: number; list: number; index: number }[];
  readonly invalid: { name: string; entries: unknown; reason: string }[];
}

const proofs = readJson<Proofs>("anchor-proofs.json");
each(
  "anchor proof, valid",
  proofs.valid,
  ({ name }) => name,
  ({ proof: member, name: _, ...expected }) => {
    assert.deepEqual(plain(parseAnchorProof(strict(member))), expected);
  },
);
each(
  "anchor proof, invalid",
  proofs.invalid,
  ({ name, reason }) => `${name} (${reason})`,
  ({ proof }) => {
    const member = strict(proof);
    assert.throws(() => parseAnchorProof(member), MalformedError);
  },
);

const entries = readJson<Entries>("status-entries.json");
each(
  "status entries, valid",
  entries.valid,
  ({ name }) => name,
  ({ entries: value, name: _, ...expected }) => {
    const { registry, issuerId, list, index } = parseStatusEntries(strict(value));
    assert.deepEqual({ registry: registry.id, issuerId, list, index }, expected);
  },
);
each(
  "status entries, invalid",
  entries.invalid,
  ({ name, reason }) => `${name} (${reason})`,
  ({ entries: value }) => {
    const read = strict(value);
    assert.throws(() => parseStatusEntries(read), MalformedError);
  },
);

test("the example of the specification", () => {
  const page = readFileSync(new URL("../../../docs/spec/anchor-proof.md", import.meta.url), "utf8");
  const [, example = ""] = /```json\n([^`]*)```/.exec(page) ?? [];
  const value = (name: string): string => new RegExp(`^\\| ${name} \\| \`(\\w+)\` \\|$`, "m").exec(page)?.[1] ?? "";
  const { anchorProofs, statusEntries, hash } = parseCredential(toUtf8(example));
  const proof = anchorProofs[0];
  assert.ok(proof !== undefined && statusEntries !== null);
  const leaf = leafHash(proof.salt, statusEntries, hash);
  assert.equal(toHex(hash), `0x${value("SHA-256 of the canonical bytes")}`);
  assert.equal(toHex(leaf), `0x${value("leaf")}`);
  assert.equal(toHex(proof.root), `0x${value("root")}`);
  assert.ok(isIncluded(leaf, proof, proof.root));
});

test("no two spellings: a proof value with any character altered is another proof, or none", () => {
  const random = seeded(4);
  const proof: AnchorProof = {
    registry: { id: `eip155:1:0x${"ab".repeat(20)}`, chainId: "1", address: new Uint8Array(20).fill(0xab) },
    issuerId: 300,
    root: randomBytes(random, 32),
    salt: randomBytes(random, 32),
    size: 70_000,
    leafIndex: 65_536,
    siblings: [randomBytes(random, 32), randomBytes(random, 32)],
  };
  const member = (proofValue: string): object => ({
    type: "DataIntegrityProof",
    cryptosuite: "merkle-eip155-jcs-2026",
    proofPurpose: "assertionMethod",
    verificationMethod: `did:pkh:${proof.registry.id}#issuer-${proof.issuerId}`,
    proofValue,
  });
  const whole = renderProofValue(proof);
  assert.deepEqual(plain(parseAnchorProof(strict(member(whole)))), plain(proof));
  for (const index of whole.split("").keys()) {
    for (const other of ["A", "b", "_", "=", "+", "é", ""]) {
      const altered = whole.slice(0, index) + other + whole.slice(index + 1);
      if (altered === whole) continue;
      try {
        assert.notDeepEqual(plain(parseAnchorProof(strict(member(altered)))), plain(proof));
      } catch (error) {
        assert.ok(error instanceof MalformedError, `${index} ${other}`);
      }
    }
  }
});

test("bits are counted from the least significant one", () => {
  assert.equal(wordOf(94_567), 369);
  assert.equal(wordOf(255), 0);
  assert.equal(wordOf(256), 1);
  assert.ok(isSet(1n << 103n, 94_567) && !isSet(1n << 102n, 94_567));
  assert.ok(isSet(1n << 255n, 255) && isSet(1n, 256));
});

function plain({ registry, root, salt, siblings, ...rest }: AnchorProof): object {
  return { ...rest, registry: registry.id, root: toHex(root), salt: toHex(salt), siblings: siblings.map(toHex) };
}
