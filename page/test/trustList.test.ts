// Trust lists, against trust-lists.json: which hold, what follows from them, which may follow another.

import assert from "node:assert/strict";
import { test } from "node:test";

import { toUtf8 } from "../src/core/bytes.js";
import { MalformedError, TrustListError } from "../src/core/errors.js";
import { parsePolicy } from "../src/core/policy.js";
import { SignatureError } from "../src/core/signature.js";
import { applyTrustLists, checkTrustList, requireSuccessor } from "../src/core/trustList.js";
import type { Asking } from "../src/ledger/asking.js";
import { keptInBrowser, keptInMemory, type ListStore, resolvePolicy } from "../src/ledger/index.js";
import { each, readJson } from "./support.js";

interface Vectors {
  readonly valid: { name: string; list: object; signer: string; sequence: number }[];
  readonly invalid: { name: string; list: object; isMalformed: boolean }[];
  readonly use: {
    name: string;
    policy: object;
    list: object;
    now: number;
    trusted: { registries: string[]; deniedIssuers: string[] } | null;
  }[];
  readonly successors: { name: string; accepted: object; list: object; mayFollow: boolean }[];
}

const vectors = readJson<Vectors>("trust-lists.json");
const bytesOf = (value: object): Uint8Array => toUtf8(JSON.stringify(value));
const nameOf = ({ name }: { name: string }): string => name;

each("trust list", vectors.valid, nameOf, ({ list, signer, sequence }) => {
  const read = checkTrustList(bytesOf(list));
  assert.deepEqual([read.signer, read.sequence], [signer, sequence]);
});

each("refused trust list", vectors.invalid, nameOf, ({ list, isMalformed }) => {
  assert.throws(
    () => checkTrustList(bytesOf(list)),
    (error) => error instanceof MalformedError && error instanceof SignatureError !== isMalformed,
  );
});

test("whole numbers of a trust list have neither fraction nor exponent", () => {
  const text = JSON.stringify(vectors.valid[0]?.list);
  for (const other of ["7.0", "7e0", "70e-1"]) {
    const written = text.replace('"sequence":7', `"sequence":${other}`);
    assert.notEqual(written, text);
    assert.throws(() => checkTrustList(toUtf8(written)), /strict JSON/);
  }
});

each("use of a trust list", vectors.use, nameOf, ({ policy, list, now, trusted }) => {
  const use = (): unknown => {
    const { registries, deniedIssuers } = applyTrustLists(
      parsePolicy(bytesOf(policy)),
      [checkTrustList(bytesOf(list))],
      now,
    );
    return [registries.map(({ registry }) => registry.id).sort(), [...deniedIssuers].sort()];
  };
  if (trusted === null) assert.throws(use, TrustListError);
  else assert.deepEqual(use(), [[...trusted.registries].sort(), [...trusted.deniedIssuers].sort()]);
});

each("successor", vectors.successors, nameOf, ({ accepted, list, mayFollow }) => {
  const follow = (): void => requireSuccessor(checkTrustList(bytesOf(list)), checkTrustList(bytesOf(accepted)));
  if (mayFollow) follow();
  else assert.throws(follow, TrustListError);
});

// Fetching and keeping.

const SOURCE = "https://lists.example/north.json";

interface Offered {
  readonly accepted?: Uint8Array;
  readonly offered?: Uint8Array;
  readonly given?: Uint8Array;
  readonly source?: string;
  readonly signer?: string;
  readonly now?: number;
}

/** Resolve a policy with one list; give the sequence of the list that is kept then. */
async function resolve(lists: Offered, kept: ListStore = keptInMemory()): Promise<number | null> {
  const { accepted, offered, given, source = SOURCE, signer = signerOf(), now = 1_790_000_100 } = lists;
  const key = JSON.stringify([source, signer]);
  if (accepted !== undefined) await kept.write(key, accepted);
  const asking: Asking = {
    fetch: (address) => {
      assert.equal(address, SOURCE);
      return Promise.resolve(offered === undefined ? new Response("", { status: 503 }) : new Response(offered.slice()));
    },
    signal: new AbortController().signal,
    onRequest: () => undefined,
  };
  const policy = parsePolicy(
    bytesOf({ format: "credanchor/policy@v1", registries: [], trustLists: [{ source, signer }] }),
  );
  const listing = { asking, now, kept, ...(given === undefined ? {} : { given: new Map([[source, given]]) }) };
  const { trustLists, registries } = await resolvePolicy(policy, listing);
  assert.deepEqual([trustLists, registries.length > 0], [[], true]);
  const last = await kept.read(key);
  return last === null ? null : checkTrustList(last).sequence;
}

function signerOf(): string {
  const [first] = vectors.successors;
  assert.ok(first !== undefined);
  return checkTrustList(bytesOf(first.accepted)).signer;
}

for (const { name, accepted, list, mayFollow } of vectors.successors) {
  test(`kept trust list: ${name}`, async () => {
    const [before, next] = [bytesOf(accepted), bytesOf(list)];
    const wanted = checkTrustList(mayFollow ? next : before).sequence;
    assert.equal(await resolve({ accepted: before, offered: next }), wanted);
    assert.equal(await resolve({ accepted: before, given: next, source: "north.json" }), wanted);
  });
}

test("where no list comes, the one accepted before is used until it expires, and without one nothing is determined", async () => {
  const accepted = bytesOf(vectors.successors[0]?.accepted ?? {});
  assert.equal(await resolve({ accepted }), 7);
  assert.equal(await resolve({ accepted, offered: toUtf8("<html>welcome to the hotel</html>") }), 7);
  await assert.rejects(resolve({ accepted, now: 1_790_001_000 }), TrustListError);
  await assert.rejects(resolve({}), TrustListError);
  await assert.rejects(resolve({ source: "north.json" }), TrustListError);
  // What somebody else put in its place was never accepted.
  assert.equal(await resolve({ accepted: toUtf8("{}"), offered: accepted }), 7);
});

test("a list of another signer is not used, nor one from the future, and nothing is kept of it", async () => {
  const offered = bytesOf(vectors.successors[0]?.accepted ?? {});
  const kept = keptInMemory();
  const signer = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
  await assert.rejects(resolve({ offered, signer }, kept), TrustListError);
  await assert.rejects(resolve({ offered, now: 1_789_000_000 }, kept), TrustListError);
  assert.equal(await kept.read(JSON.stringify([SOURCE, signer])), null);
  assert.equal(await kept.read(JSON.stringify([SOURCE, signerOf()])), null);
});

test("a browser that keeps nothing has the memory", async () => {
  const kept = keptInBrowser();
  assert.equal(await kept.read("a"), null);
  await kept.write("a", Uint8Array.of(1));
  assert.deepEqual(await kept.read("a"), Uint8Array.of(1));
});
