// Where a credential's file leads in a registry: computed from the file, against the vectors of verification.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseHex, toUtf8 } from "../src/core/bytes.js";
import { parseCredential } from "../src/core/credential.js";
import { type Finding, findIn } from "../src/explorer/finding.js";
import { readJson } from "./support.js";

interface Case {
  readonly name: string;
  readonly credential: string;
  readonly checks: readonly { readonly step: number; readonly status: string }[];
}

const REGISTRY = "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3";
const { cases } = readJson<{ readonly cases: readonly Case[] }>("verification.json");

async function findingsOf(...files: readonly File[]): Promise<readonly Finding[]> {
  return findingsIn(REGISTRY, ...files);
}

async function findingsIn(registry: string, ...files: readonly File[]): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for await (const each of findIn(files, registry)) found.push(each);
  return found;
}

function fileOf(bytes: Uint8Array, name = "badge.json"): File {
  return new File([new Uint8Array(bytes)], name);
}

/** What the vectors say of a credential: that it leads to the batch it names, or does not, or names none here. */
function expectedOf({ credential, checks }: Case): Finding["kind"] {
  const { anchorProofs } = parseCredential(parseHex(credential));
  if (anchorProofs.length === 0) return "unrecorded";
  return checks.find(({ step }) => step === 3)?.status === "passed" ? "found" : "altered";
}

test("a credential leads to its batch exactly where its inclusion is proven", async () => {
  const seen = new Set<string>();
  for (const each of cases) {
    const [finding, ...others] = await findingsOf(fileOf(parseHex(each.credential)));
    assert.equal(finding?.kind, expectedOf(each), each.name);
    assert.equal(others.length, 0);
    seen.add(finding.kind);
  }
  assert.deepEqual([...seen].sort(), ["altered", "found", "unrecorded"]);
});

test("it leads to its batch, its leaf and its status position", async () => {
  const plain = cases.find(({ name }) => name === "valid-plain");
  assert.ok(plain !== undefined);
  const bytes = parseHex(plain.credential);
  const [proof] = parseCredential(bytes).anchorProofs;
  const [finding] = await findingsOf(fileOf(bytes, "Zoë.json"));
  assert.ok(finding?.kind === "found" && proof !== undefined);
  assert.deepEqual(finding.traces, [
    {
      issuerId: 7,
      root: `0x${Buffer.from(proof.root).toString("hex")}`,
      list: 0,
      index: 94567,
      leafIndex: proof.leafIndex,
      size: proof.size,
    },
  ]);
  assert.equal(finding.name, "Zoë.json");
  const [other] = await findingsIn(REGISTRY.replace("31337", "1"), fileOf(bytes));
  assert.deepEqual(other, { name: "badge.json", kind: "elsewhere", registries: [REGISTRY] });
});

test("bundles lead where their credentials do, in whichever order their members stand", async () => {
  const { valid } = readJson<{ readonly valid: readonly { readonly bundle: string }[] }>("bundle.json");
  assert.ok(valid.length > 0);
  for (const { bundle } of valid) {
    const bytes = parseHex(bundle);
    const turned = Object.entries(JSON.parse(new TextDecoder().decode(bytes)) as object).reverse();
    for (const each of [bytes, toUtf8(JSON.stringify(Object.fromEntries(turned)))]) {
      const kinds = (await findingsOf(fileOf(each))).map(({ kind }) => kind);
      assert.ok(kinds.length > 0 && kinds.every((kind) => kind === "found" || kind === "elsewhere"), kinds.join());
    }
  }
});

test("what is no credential is told apart, and never ends the rest", async () => {
  const plain = cases[0];
  assert.ok(plain !== undefined);
  const findings = await findingsOf(
    fileOf(toUtf8("%PDF-1.7"), "a.pdf"),
    fileOf(new Uint8Array(0), "b.json"),
    fileOf(toUtf8("PK\u0003\u0004nothing"), "c.zip"),
    fileOf(toUtf8('{"a": 1, "a": 2}'), "d.json"),
    fileOf(toUtf8('{"format": "credanchor/bundle@v1"}'), "e.json"),
    fileOf(parseHex(plain.credential), "f.json"),
  );
  assert.deepEqual(
    findings.map((each) => [each.name, each.kind === "problem" ? each.problem : each.kind]),
    [
      ["a.pdf", "pdf"],
      ["b.json", "empty"],
      ["c.zip", "badArchive"],
      ["d.json", "notStrictJson"],
      ["e.json", "badBundle"],
      ["f.json", "found"],
    ],
  );
});
