// The worker and its client, with a real thread: answers in order, stopping, crashing, one checking after the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { toUtf8 } from "../src/core/bytes.js";
import { check, CheckingError, type FromWorker, WorkerChecker, type WorkerHandle } from "../src/checking/index.js";
import type { Answer, CheckEvent, CheckRequest, Input } from "../src/model/model.js";
import { readJson } from "./support.js";

const COUNT = 120;

class Thread implements WorkerHandle {
  onmessage: WorkerHandle["onmessage"] = null;
  onerror: WorkerHandle["onerror"] = null;
  onmessageerror: WorkerHandle["onmessageerror"] = null;
  private readonly worker = new Worker(new URL("./thread.js", import.meta.url));

  constructor() {
    this.worker.on("message", (data: FromWorker) => this.onmessage?.({ data } as MessageEvent<FromWorker>));
    this.worker.on("error", ({ message }) => this.onerror?.({ message } as ErrorEvent));
  }

  postMessage(request: CheckRequest): void {
    this.worker.postMessage(request);
  }

  terminate(): void {
    void this.worker.terminate();
  }
}

const vector = readJson<{
  valid: { name: string; bundle: string; policy: { knownBlocks: object; maxAgeSeconds: number }; now: number }[];
}>("bundle.json").valid.find(({ name }) => name === "one-credential");
assert.ok(vector !== undefined);
const { bundle, policy, now } = vector;
const bytes = new Uint8Array(Buffer.from(bundle.slice(2), "hex"));

function fileAt(path: string): Input {
  return { kind: "file", path, file: new Blob([bytes]) };
}

function requestOf(inputs: readonly Input[], changes: Partial<CheckRequest> = {}): CheckRequest {
  return { inputs, policy: toUtf8(JSON.stringify(policy)), holderEmail: null, asOfBlock: false, ...changes };
}

const many = Array.from({ length: COUNT }, (_, index) => fileAt(`${index}.json`));

/** Start threads, and end those that are left. */
async function withChecker(use: (checker: WorkerChecker, threads: Thread[]) => Promise<void>): Promise<void> {
  const threads: Thread[] = [];
  const checker = new WorkerChecker(() => {
    const thread = new Thread();
    threads.push(thread);
    return thread;
  });
  try {
    await use(checker, threads);
  } finally {
    for (const thread of threads) thread.terminate();
  }
}

test("all answers come in order, in pieces, from one worker for one checking after the other", () =>
  withChecker(async (checker, threads) => {
    for (const _ of [1, 2]) {
      const pieces: (readonly Answer[])[] = [];
      const { report } = checker.check(requestOf(many), (event) => {
        if (event.kind === "answers") pieces.push(event.answers);
      });
      const { answers, stopped, bases } = await report;
      assert.deepEqual(
        answers.map(({ number, source }) => [number, source.path]),
        many.map((_, index) => [index, `${index}.json`]),
      );
      assert.deepEqual(pieces.flat(), answers);
      assert.ok(pieces.length > 1);
      assert.deepEqual([stopped, bases.length, threads.length], [false, 1, 1]);
    }
  }));

test("a worker's report is the one that is made without", () =>
  withChecker(async (checker) => {
    const request = requestOf(many.slice(0, 3), { holderEmail: "ana@example.org", asOfBlock: true });
    const events: CheckEvent[] = [];
    const got = await checker.check(request, (event) => events.push(event)).report;
    const expected = await check(
      request,
      { fetch, now: () => got.checkedAt, signal: new AbortController().signal },
      () => undefined,
    );
    assert.deepEqual(got, expected);
    assert.deepEqual([...new Set(events.map(({ kind }) => kind))], ["reading", "answers"]);
  }));

test("what was answered when it is stopped stays, with what it rests on and from when on it is old", async () => {
  const stopping = new AbortController();
  const surroundings = { fetch, now: () => now, signal: stopping.signal };
  const report = await check(requestOf(many), surroundings, ({ kind }) => {
    if (kind === "answers") stopping.abort();
  });
  const [basis] = report.bases;
  assert.ok(basis !== undefined);
  assert.deepEqual(
    [report.stopped, report.answers.length > 0, report.answers.length < COUNT, report.checkedAt],
    [true, true, true, now],
  );
  assert.equal(report.staleAt, basis.blockAt + policy.maxAgeSeconds);
});

test("a worker that is stopped says the same of what it answered, and the next checking has a new one", () =>
  withChecker(async (checker, threads) => {
    const checking = checker.check(requestOf(many), (event) => {
      if (event.kind === "answers") checking.stop();
    });
    const report = await checking.report;
    const [basis] = report.bases;
    assert.deepEqual([report.stopped, report.answers.length < COUNT, report.bases.length], [true, true, 1]);
    assert.equal(report.staleAt, (basis?.blockAt ?? 0) + policy.maxAgeSeconds);
    checking.stop();
    const again = await checker.check(requestOf([fileAt("a")]), () => undefined).report;
    assert.deepEqual([again.answers.length, again.stopped, threads.length], [1, false, 2]);
  }));

test("one that is stopped before anything came has no answers", () =>
  withChecker(async (checker) => {
    const checking = checker.check(requestOf([fileAt("silent")]), () => undefined);
    checking.stop();
    const { answers, stopped, staleAt, bases } = await checking.report;
    assert.deepEqual([answers, stopped, staleAt, bases], [[], true, null, []]);
    const stopping = new AbortController();
    const surroundings = { fetch, now: () => now, signal: stopping.signal };
    const report = await check(requestOf(many), surroundings, () => stopping.abort());
    assert.deepEqual([report.answers, report.stopped], [[], true]);
  }));

test("a second checking stops the first, and hears nothing of it", () =>
  withChecker(async (checker) => {
    const first = checker.check(requestOf([fileAt("silent")]), () => undefined);
    const second = checker.check(requestOf([fileAt("b")]), () => undefined);
    assert.equal((await first.report).stopped, true);
    // Too late to stop anything.
    first.stop();
    const { answers, stopped } = await second.report;
    assert.deepEqual([answers.map(({ source }) => source.path), stopped], [["b"], false]);
  }));

test("a crash is an error that says so, and the next checking works", () =>
  withChecker(async (checker, threads) => {
    const crashed = (error: unknown): boolean =>
      error instanceof CheckingError && error.trouble === "crashed" && error.message !== "";
    await assert.rejects(checker.check(requestOf([fileAt("crash")]), () => undefined).report, crashed);
    const none = new WorkerChecker(() => {
      throw new Error("workers are switched off");
    });
    await assert.rejects(none.check(requestOf([fileAt("a")]), () => undefined).report, crashed);
    const { answers } = await checker.check(requestOf([fileAt("a")]), () => undefined).report;
    assert.deepEqual([answers.length, threads.length], [1, 2]);
  }));

test("what cannot be begun says why", () =>
  withChecker(async (checker) => {
    const twice = { ...policy, vouching: "kOfN", agreeing: 2, nodes: ["http://127.0.0.1:1", "http://localhost:1/"] };
    for (const [changes, trouble] of [
      [{ policy: toUtf8("{") }, "badPolicy"],
      [{ policy: toUtf8(JSON.stringify({ ...policy, nodes: ["ftp://x.example"] })) }, "badPolicy"],
      [{ policy: toUtf8(JSON.stringify({ ...twice, knownBlocks: {} })) }, "badPolicy"],
      [{ inputs: [] }, "nothingFound"],
    ] as const) {
      await assert.rejects(checker.check(requestOf([fileAt("a")], changes), () => undefined).report, (error) => {
        assert.ok(error instanceof CheckingError);
        assert.equal(error.trouble, trouble, error.message);
        return true;
      });
    }
  }));
