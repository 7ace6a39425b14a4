// Everything together, in node: files are told apart, judged, and what comes of them is put into words and files.

import assert from "node:assert/strict";
import { test } from "node:test";

import { toUtf8 } from "../src/core/bytes.js";
import { check, CheckingError, csvOf, jsonOf } from "../src/checking/index.js";
import type { Answer, Input, Report } from "../src/model/model.js";
import { readJson } from "./support.js";

const POLICY = toUtf8(JSON.stringify({ format: "credanchor/policy@v1", registries: [] }));
const NOW = 1_790_000_000;

async function run(inputs: readonly Input[], holderEmail: string | null = null): Promise<Report> {
  const surroundings = {
    fetch: () => Promise.reject(new TypeError("no network here")),
    now: () => NOW,
    signal: new AbortController().signal,
  };
  return check({ inputs, policy: POLICY, holderEmail, asOfBlock: false }, surroundings, () => undefined);
}

async function answerTo(content: string | Uint8Array, path = "file.json"): Promise<Answer> {
  const parts = typeof content === "string" ? content : new Uint8Array(content);
  const { answers } = await run([{ kind: "file", file: new Blob([parts]), path }]);
  const [answer] = answers;
  assert.ok(answer !== undefined);
  return answer;
}

for (const [name, content, problem] of [
  ["nothing", "", "empty"],
  ["white space", "  \n ", "empty"],
  ["PDF", "%PDF-1.7 …", "pdf"],
  ["web page", "<!doctype html><title>Badge</title>", "webPage"],
  ["signed token", "eyJhbGciOiJFZERTQSJ9.eyJ2YyI6e319.c2ln", "jwt"],
  ["cut short", '{"type": "VerifiableCredential", ', "notJson"],
  ["doubled key", '{"a": 1, "a": 2}', "notStrictJson"],
  ["not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "notText"],
  ["some JSON", '{"name": "x"}', "notCredential"],
  ["prototype", '{"__proto__": {"type": "VerifiableCredential"}}', "notCredential"],
  ["Open Badge 2", '{"@context": "https://w3id.org/openbadges/v2", "type": "Assertion"}', "openBadge2"],
  ["Blockcerts 2", '{"@context": ["https://w3id.org/blockcerts/v2"], "type": "Assertion"}', "blockcerts"],
  ["policy", '{"format": "credanchor/policy@v1"}', "isPolicy"],
  ["bundle", '{"format": "credanchor/bundle@v1"}', "badBundle"],
  ["deep", `{"a": ${"[".repeat(100_000)}`, "notJson"],
  ["large", `{"a": "${"x".repeat(50_000_000)}"}`, "tooLarge"],
  ["without issuer", '{"type": "VerifiableCredential"}', "badCredential"],
  ["drawing", '<svg xmlns="http://www.w3.org/2000/svg"/>', "pictureWithout"],
] as const) {
  test(`problem: ${name}`, async () => {
    const answer = await answerTo(content);
    assert.deepEqual([answer.outcome, answer.problem], ["malformed", problem], answer.message);
  });
}

test("a credential without anchor proof is not valid, and what it says is told", async () => {
  const credential = {
    id: "urn:uuid:1",
    name: "Knots",
    type: ["VerifiableCredential"],
    issuer: { id: "did:web:x.example", name: "X", url: "https://x.example" },
    credentialSubject: {
      identifier: [
        { identityType: "name", hashed: false, identityHash: "Zoé" },
        { identityType: "emailAddress", hashed: false, identityHash: "Zoe@example.org" },
      ],
    },
  };
  const input: Input = { kind: "text", text: JSON.stringify(credential) };
  const [answer] = (await run([input], " zoe@EXAMPLE.org ")).answers;
  assert.deepEqual([answer?.outcome, answer?.reason, answer?.holder], ["invalid", "notAnchored", "matches"]);
  assert.deepEqual([answer?.facts?.name, answer?.facts?.holderName, answer?.confirmed], ["Knots", "Zoé", false]);
  const [other] = (await run([input], "ana@example.org")).answers;
  assert.equal(other?.holder, "doesNotMatch");
});

test("an address is fetched only if it is safe, and what does not come is unknown", async () => {
  for (const [url, problem] of [
    ["ftp://x.example/1", "notAddress"],
    ["https://me:secret@x.example/1", "notAddress"],
    ["http://x.example/1", "insecureAddress"],
    ["https://x.example/1?key=secret", "notFetchedCors"],
  ] as const) {
    const report = await run([{ kind: "link", url }]);
    const [answer] = report.answers;
    assert.deepEqual([answer?.outcome, answer?.reason, answer?.problem], ["unknown", "notFetched", problem]);
    assert.ok(!jsonOf(report).includes("secret"), jsonOf(report));
  }
});

test("without a credential there is nothing to say, and a policy that is none is said to be", async () => {
  await assert.rejects(run([]), (error) => error instanceof CheckingError && error.trouble === "nothingFound");
});

test("CSV keeps what strangers wrote from running in a spreadsheet", async () => {
  const name = '=HYPERLINK("https://evil.example")';
  const text = JSON.stringify({ name, type: "VerifiableCredential", issuer: "did:web:x.example" });
  const csv = csvOf(await run([{ kind: "text", text }]));
  assert.ok(csv.startsWith("\ufeffanswer,holder,file,"));
  assert.ok(csv.includes(`"'=HYPERLINK(""https://evil.example"")"`), csv);
});

test("bundles of the vectors are judged with no node asked", async () => {
  const { valid } = readJson<{
    valid: {
      name: string;
      bundle: string;
      policy: object;
      now: number;
      verdicts: { outcome: string; reason: string }[];
    }[];
  }>("bundle.json");
  for (const { bundle, policy, now, verdicts, name } of valid) {
    const bytes = new Uint8Array(Buffer.from(bundle.slice(2), "hex"));
    const asked: string[] = [];
    const surroundings = {
      fetch: (address: unknown) => {
        asked.push(String(address));
        return Promise.reject(new TypeError("no network here"));
      },
      now: () => now,
      signal: new AbortController().signal,
    };
    const inputs: Input[] = [{ kind: "file", file: new Blob([bytes]), path: "x.json" }];
    const request = { inputs, policy: toUtf8(JSON.stringify(policy)), holderEmail: null, asOfBlock: false };
    const { answers } = await check(request, surroundings, () => undefined);
    assert.deepEqual(
      answers.map(({ outcome, reason }) => ({ outcome, reason })),
      verdicts.map(({ outcome, reason }) => ({ outcome, reason })),
      name,
    );
    assert.deepEqual(asked, []);
  }
});
