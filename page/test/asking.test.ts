// Nodes and servers that dawdle, flood, mix answers up or say who may not be told: bounded, and nothing of it believed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CredanchorError } from "../src/core/errors.js";
import { shownNode } from "../src/core/evidence.js";
import { parsePolicy, type Policy } from "../src/core/policy.js";
import { toUtf8 } from "../src/core/bytes.js";
import { heightsToAsk, highestAgreed, type Said } from "../src/ledger/agreement.js";
import type { Asking } from "../src/ledger/asking.js";
import { collectDocuments } from "../src/ledger/documents.js";
import { endpointOf, nodeName, requireUsableNodes } from "../src/ledger/endpoint.js";
import { LedgerError } from "../src/ledger/errors.js";
import { FetchError, fetchBytes } from "../src/ledger/fetching.js";
import { type Question, RpcNode } from "../src/ledger/rpc.js";
import { seeded } from "./support.js";

type Call = { readonly id: number; readonly method: string };
type Answering = (calls: readonly Call[], isBatch: boolean, request: RequestInit) => unknown;

const NODE = "https://node.example/key-7f3a";
const QUESTIONS: readonly Question<string>[] = ["one", "two", "three"].map((method) => ({
  method,
  params: [],
  read: (result) => {
    if (typeof result !== "string") throw new CredanchorError("expected text");
    return result;
  },
}));

/** A node that answers so; what is no Response is the body of one. */
function asking(answer: Answering, changes: Partial<Asking> = {}): Asking & { readonly requests: RequestInit[] } {
  const requests: RequestInit[] = [];
  return {
    requests,
    fetch: (_, request = {}) => {
      requests.push(request);
      const content: unknown = JSON.parse(typeof request.body === "string" ? request.body : "null");
      const calls = (Array.isArray(content) ? content : [content]) as Call[];
      const said = answer(calls, Array.isArray(content), request);
      return Promise.resolve(said instanceof Response ? said : Response.json(said));
    },
    signal: new AbortController().signal,
    onRequest: () => undefined,
    limits: { pauseMs: 0 },
    ...changes,
  };
}

const right = ({ id, method }: Call): object => ({ jsonrpc: "2.0", id, result: `says ${method}` });
const RIGHT = ["says one", "says two", "says three"];

const MIXED: readonly (readonly [name: string, answer: Answering, requests: number])[] = [
  ["as they were asked", (calls) => calls.map(right), 1],
  ["in another order", (calls) => calls.map(right).reverse(), 1],
  ["one left out", (calls, many) => (many ? calls.slice(1).map(right) : calls.map(right)[0]), 2],
  [
    "one given twice, differently",
    (calls, many) => (many ? [...calls.map(right), { jsonrpc: "2.0", id: 1, result: "another" }] : calls.map(right)[0]),
    2,
  ],
  [
    "too much at once",
    (calls, many) =>
      many ? calls.map(({ id }) => ({ jsonrpc: "2.0", id, error: { code: -32005 } })) : calls.map(right)[0],
    4,
  ],
  ["refused with HTTP 400", (calls, many) => (many ? new Response("no", { status: 400 }) : calls.map(right)[0]), 4],
  ["one object for all", (calls, many) => (many ? { error: null } : calls.map(right)[0]), 4],
];
for (const [name, answer, requests] of MIXED) {
  test(`several questions, answered ${name}`, async () => {
    const node = asking(answer);
    assert.deepEqual(await new RpcNode(NODE, node).ask(QUESTIONS), RIGHT);
    assert.equal(node.requests.length, requests);
  });
}

test("an answer is read for the question whose id it has, and strictly", async () => {
  const node = new RpcNode(
    NODE,
    asking((calls) => calls.map(({ id }) => ({ id, ...(id === 2 ? { error: { message: "no\u001b[2J\nway" } } : {}) }))),
  );
  const answers = await node.ask(QUESTIONS);
  assert.deepEqual(
    answers.map((each) => each instanceof LedgerError && [each.kind, each.message]),
    [
      ["unavailable", "the node https://node.example/… answered one without a result"],
      ["refused", "the node https://node.example/… refused two: no [2J way"],
      ["unavailable", "the node https://node.example/… answered three without a result"],
    ],
  );
});

test("a busy node is asked three times, one that denies once", async () => {
  for (const [status, times] of [
    [429, 3],
    [503, 3],
    [403, 1],
    [500, 1],
  ] as const) {
    const node = asking(() => new Response("no", { status }));
    const answer = await new RpcNode(NODE, node).askOne(one());
    assert.match(errorOf(answer).message, new RegExp(`HTTP status ${status}`));
    assert.equal(node.requests.length, times);
  }
});

test("neither a flood nor a trickle goes on for ever", async () => {
  const endless = (): Response =>
    new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(65_536)) }));
  const flooded = asking(endless, { limits: { answerBytes: 1_000_000 } });
  assert.match(errorOf(await new RpcNode(NODE, flooded).askOne(one())).message, /sent more than 1000000 bytes/);
  await assert.rejects(fetchBytes("https://a.example/x", 1000, asking(endless)), { problem: "fetchedTooLarge" });

  const silent = asking(() => undefined, { limits: { nodeMs: 1, documentMs: 1 }, fetch: untilAborted });
  assert.match(errorOf(await new RpcNode(NODE, silent).askOne(one())).message, /did not answer in time/);
  await assert.rejects(fetchBytes("https://a.example/x", 1000, silent), { problem: "timedOut" });
});

test("stopping stops what is under way", async () => {
  const stop = new AbortController();
  const node = new RpcNode(
    NODE,
    asking(() => undefined, { fetch: untilAborted, signal: stop.signal }),
  );
  const asked = node.ask(QUESTIONS);
  stop.abort();
  await assert.rejects(asked, { name: "AbortError" });
  await assert.rejects(node.askOne(one()), { name: "AbortError" });
});

test("a connection that does not come about is the node's doing; anything else that is thrown is ours", async () => {
  for (const error of [new TypeError("terminated"), new DOMException("broke", "NetworkError")]) {
    const node = asking(() => undefined, { fetch: () => Promise.reject(error) });
    assert.match(errorOf(await new RpcNode(NODE, node).askOne(one())).message, /cannot be reached/);
  }
  const broken = asking(() => undefined, { fetch: () => Promise.reject(new RangeError("a mistake of ours")) });
  await assert.rejects(new RpcNode(NODE, broken).askOne(one()), RangeError);
});

test("nobody is led elsewhere, and nothing is sent along that was not asked for", async () => {
  const node = asking((calls) => right(calls[0] ?? { id: 0, method: "" }));
  await new RpcNode("https://ana:s%C3%A9same%25@node.example/", node).askOne(one());
  const [request] = node.requests;
  assert.deepEqual(
    [request?.redirect, request?.credentials, request?.referrerPolicy, request?.headers],
    [
      "error",
      "omit",
      "no-referrer",
      {
        "Content-Type": "application/json",
        Authorization: `Basic ${Buffer.from("ana:sésame%").toString("base64")}`,
      },
    ],
  );
});

test("what may be secret in an address is not shown", () => {
  for (const address of [
    "https://ana:secret@node.example:8545/secret",
    "https://node.example:8545?key=secret",
    "https://a@b:secret@node.example:8545/#secret",
    "https://node.example:8545\\secret",
  ]) {
    assert.equal(shownNode(address), "https://node.example:8545/…");
    assert.equal(nodeName(address), "https://node.example:8545/…");
  }
  assert.equal(nodeName("HTTP://Node.example//"), "http://node.example");
  assert.equal(shownNode("known block 0xab"), "known block 0xab");
});

test("the same node in other letters is the same node", () => {
  const same = [
    ["https://node.example", "https://NODE.example.:443/key", "https://u:p@node.example?x"],
    [
      "http://127.0.0.1:8545",
      "http://localhost:8545/",
      "http://[::1]:8545",
      "http://127.9.9.9:8545",
      "http://0x7f.1:8545",
    ],
  ];
  for (const addresses of same) assert.equal(new Set(addresses.map(endpointOf)).size, 1);
  const [first = "", second = ""] = same[0] ?? [];
  assert.throws(() => requireUsableNodes(policyOf([first, second], "kOfN")), CredanchorError);
  requireUsableNodes(policyOf([first, second], "oneNode"));
  assert.throws(() => requireUsableNodes(policyOf(["node.example"], "oneNode")), CredanchorError);
});

test("few issuers are asked at a time, each once, and only over https", async () => {
  let under = 0;
  let most = 0;
  const addresses: string[] = [];
  const fetch: Asking["fetch"] = async (address) => {
    addresses.push(String(address));
    under += 1;
    most = Math.max(most, under);
    await new Promise((resolve) => setImmediate(resolve));
    under -= 1;
    return new Response("{}", { status: String(address).includes("college3.") ? 404 : 200 });
  };
  const dids = Array.from({ length: 20 }, (_, index) => `did:web:college${index}.example`);
  const found = await collectDocuments(
    [...dids, ...dids, "did:key:z6Mk", "did:web:127.0.0.1", "did:web:a.example%3A99999"],
    asking(() => undefined, { fetch }),
  );
  assert.deepEqual([found.length, addresses.length, most], [19, 20, 4]);
  assert.ok(addresses.every((address) => /^https:\/\/college\d+\.example\/\.well-known\/did\.json$/.test(address)));
});

test("only addresses that are safe to fetch are fetched", async () => {
  for (const [address, problem] of [
    ["http://a.example/x", "insecureAddress"],
    ["file:///etc/passwd", "notAddress"],
    ["https://u:p@a.example/", "notAddress"],
    ["javascript:alert(1)", "notAddress"],
    ["https://a.example/\nx", "notAddress"],
  ] as const) {
    const node = asking(() => new Response("x"));
    await assert.rejects(
      fetchBytes(address, 10, node),
      (error) => error instanceof FetchError && error.problem === problem,
    );
    assert.equal(node.requests.length, 0);
  }
});

test("fewer liars than must agree never have a block accepted", () => {
  const random = seeded(21);
  for (let round = 0; round < 500; round += 1) {
    const count = 2 + random(5);
    const needed = Math.floor(count / 2) + 1 + random(count - Math.floor(count / 2));
    const liars = Math.min(random(needed), count - needed);
    const said: Said = new Map(
      Array.from({ length: count }, (_, node) => {
        const reached = 100 - random(4);
        const blocks = Array.from({ length: 8 }, (__, place) => reached - place);
        const lie = (height: number): [number, string] => [height + random(9) - 4, `lie ${random(3)}`];
        return [`${node}`, new Map(blocks.map((height) => (node < liars ? lie(height) : [height, `true ${height}`])))];
      }),
    );
    const agreement = highestAgreed(said, needed);
    assert.equal(agreement?.hash, `true ${agreement?.number}`);
  }
});

test("whom chance would choose, nobody chooses", () => {
  const two = new Map([1, 2, 3, 4].map((node) => [`${node}`, new Map([[7, node < 3 ? "a" : "b"]])]));
  assert.throws(() => highestAgreed(two, 2), { kind: "unvouched" });
  assert.equal(highestAgreed(two, 3), null);
  assert.deepEqual(heightsToAsk([9, 5, 7], 2), { first: [7, 5], below: [6, 3, 0, 4, 1] });
  assert.deepEqual(heightsToAsk([9], 2), { first: [], below: [] });
});

function one(): Question<string> {
  const [question] = QUESTIONS;
  assert.ok(question !== undefined);
  return question;
}

function errorOf(answer: unknown): LedgerError {
  assert.ok(answer instanceof LedgerError);
  return answer;
}

function policyOf(nodes: string[], vouching: string): Policy {
  return parsePolicy(toUtf8(JSON.stringify({ format: "credanchor/policy@v1", registries: [], nodes, vouching })));
}

function untilAborted(_: unknown, request?: RequestInit): Promise<Response> {
  return new Promise((_, reject) => {
    const { signal } = request ?? {};
    signal?.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
  });
}
