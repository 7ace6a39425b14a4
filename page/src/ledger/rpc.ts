// JSON-RPC over HTTP to one node: bounded in time and size, never more than asked for, nothing of it believed.
//
// By the browser's own `fetch`: libraries for Ethereum read answers of any length, and follow where a node sends them.

import { CredanchorError } from "../core/errors.js";
import { nodeName } from "./endpoint.js";
import { LedgerError } from "./errors.js";

/** Longest time for one request, its answer included. */
const TIMEOUT_MS = 10_000;
/** A proof of 1,000 slots has about 5 MB in hex. */
const MAX_ANSWER_BYTES = 32 * 2 ** 20;
/** go-ethereum takes 1,000 calls in one request, providers that sell access 100 and more. */
const MAX_CALLS = 100;
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;
const BUSY_STATUS: readonly number[] = [429, 502, 503, 504];
const DENIED_STATUS: readonly number[] = [401, 403, 404];
/** "response too large", "batch too large", "limit exceeded": ask for less at once. */
const TOO_MUCH: readonly unknown[] = [-32003, -32005];
const SHOWN_CHARACTERS = 300;

/** Something to ask a node, and how to read the result; `read` throws a CredanchorError for what is no answer to it. */
export interface Question<T> {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly read: (result: unknown) => T;
}

/** What asking needs from outside. */
export interface Asking {
  readonly fetch: typeof fetch;
  /** Ends all that is under way. */
  readonly signal: AbortSignal;
  /** Told before each request which address is asked. */
  readonly onRequest: (address: string) => void;
}

class BusyError extends LedgerError {}
class NoBatchesError extends CredanchorError {}

export class RpcNode {
  /** For people, without what may be secret in the address. */
  readonly name: string;
  private takesBatches = true;

  constructor(
    readonly address: string,
    private readonly asking: Asking,
  ) {
    this.name = nodeName(address);
  }

  /** Ask several things, in one request where the node takes that; give each answer, or why there is none. */
  async ask<T>(questions: readonly Question<T>[]): Promise<(T | LedgerError)[]> {
    const results: unknown[] = [];
    for (let start = 0; start < questions.length; start += MAX_CALLS) {
      results.push(...(await this.readMany(questions.slice(start, start + MAX_CALLS))));
    }
    return questions.map((question, index) => this.read(question, results[index]));
  }

  /** Ask one thing. */
  async askOne<T>(question: Question<T>): Promise<T | LedgerError> {
    return this.read(question, await this.readAlone(question));
  }

  private read<T>({ method, read }: Question<T>, result: unknown): T | LedgerError {
    if (result instanceof LedgerError) return result;
    try {
      return read(result);
    } catch (error) {
      if (!(error instanceof CredanchorError)) throw error;
      return new LedgerError(`the node ${this.name} answered ${method} with something else: ${error.message}`);
    }
  }

  private async readMany(questions: readonly Question<unknown>[]): Promise<unknown[]> {
    if (questions.length > 1 && this.takesBatches) {
      try {
        return await this.readBatch(questions);
      } catch (error) {
        if (!(error instanceof NoBatchesError)) throw error;
        this.takesBatches = false;
      }
    }
    return this.readSingly(questions);
  }

  private async readSingly(questions: readonly Question<unknown>[]): Promise<unknown[]> {
    const results: unknown[] = [];
    for (const question of questions) {
      const result = await this.readAlone(question);
      // A node that does not answer any more: each further request would only cost time.
      if (result instanceof LedgerError && result.kind !== "refused") {
        return [...results, ...questions.slice(results.length).map(() => result)];
      }
      results.push(result);
    }
    return results;
  }

  private async readAlone({ method, params }: Question<unknown>): Promise<unknown> {
    try {
      const answer = await this.patiently(() => this.exchange(method, request(1, method, params)));
      return this.resultOf(method, answer);
    } catch (error) {
      if (error instanceof LedgerError) return error;
      throw error;
    }
  }

  private async readBatch(questions: readonly Question<unknown>[]): Promise<unknown[]> {
    const what = `${questions.length} calls at once`;
    const content = questions.map(({ method, params }, index) => request(index + 1, method, params));
    let answers: unknown;
    try {
      answers = await this.patiently(() => this.exchange(what, content));
    } catch (error) {
      if (error instanceof LedgerError) return questions.map(() => error);
      throw error;
    }
    if (!Array.isArray(answers)) throw new NoBatchesError();
    // Answers are told apart by their ids alone; what is left out, given twice or too much is asked for by itself.
    const byId = new Map<unknown, unknown>();
    const doubled = new Set<unknown>();
    for (const answer of answers) {
      const id = memberOf(answer, "id");
      if (byId.has(id)) doubled.add(id);
      byId.set(id, answer);
    }
    const isClear = (id: number): boolean => byId.has(id) && !doubled.has(id) && !saysTooMuch(byId.get(id));
    if (!questions.some((_, index) => byId.has(index + 1))) throw new NoBatchesError();
    const again = questions.filter((_, index) => !isClear(index + 1));
    const alone = await this.readSingly(again);
    return questions.map((question, index) =>
      isClear(index + 1) ? this.resultOf(question.method, byId.get(index + 1)) : alone[again.indexOf(question)],
    );
  }

  /** Ask up to three times while the node is busy. */
  private async patiently(ask: () => Promise<unknown>): Promise<unknown> {
    for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof BusyError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (attempt - 1)));
      }
    }
    return ask();
  }

  private async exchange(what: string, content: unknown): Promise<unknown> {
    this.asking.signal.throwIfAborted();
    this.asking.onRequest(this.address);
    const [status, text] = await this.post(JSON.stringify(content));
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      answer = undefined;
    }
    if (status === 200 && answer !== undefined) return answer;
    // Some nodes give a JSON-RPC error with a status of 400; whatever else the body says then is no answer.
    if (status !== 200 && !BUSY_STATUS.includes(status) && isObject(memberOf(answer, "error"))) {
      return { error: memberOf(answer, "error") };
    }
    if (status === 200) throw new LedgerError(`the node ${this.name} answered ${what} with something that is not JSON`);
    const message = `the node ${this.name} answered ${what} with HTTP status ${status}`;
    if (BUSY_STATUS.includes(status)) throw new BusyError(message);
    if (Array.isArray(content) && !DENIED_STATUS.includes(status)) throw new NoBatchesError();
    throw new LedgerError(message);
  }

  private async post(body: string): Promise<[number, string]> {
    const limit = AbortSignal.any([this.asking.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const response = await this.asking.fetch(this.address, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/json" },
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
        redirect: "error",
        signal: limit,
      });
      return [response.status, await readText(response, MAX_ANSWER_BYTES)];
    } catch (error) {
      this.asking.signal.throwIfAborted();
      if (error instanceof TooLongError) {
        throw new LedgerError(`the node ${this.name} sent more than ${MAX_ANSWER_BYTES} bytes`);
      }
      if (limit.aborted) throw new LedgerError(`the node ${this.name} did not answer in time`);
      // A browser does not say which: that would tell pages about the network that they are in.
      if (error instanceof TypeError) {
        throw new LedgerError(`the node ${this.name} cannot be reached, or does not let web pages ask it (CORS)`);
      }
      throw error;
    }
  }

  private resultOf(method: string, answer: unknown): unknown {
    const failure = memberOf(answer, "error");
    if (failure !== undefined && failure !== null) {
      const message = memberOf(failure, "message");
      const words = typeof message === "string" ? oneLine(message) : "no reason given";
      return new LedgerError(`the node ${this.name} refused ${method}: ${words}`, "refused");
    }
    const result = memberOf(answer, "result");
    return result === undefined ? new LedgerError(`the node ${this.name} answered ${method} without a result`) : result;
  }
}

export class TooLongError extends CredanchorError {}

/** Read a body piece by piece, at most so long. */
export async function readText(response: Response, maxBytes: number): Promise<string> {
  return new TextDecoder().decode(await readBytes(response, maxBytes));
}

/** @throws TooLongError It is longer. */
export async function readBytes(response: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    pieces.push(next.value);
    length += next.value.length;
    if (length > maxBytes) {
      await reader?.cancel();
      throw new TooLongError();
    }
  }
  const whole = new Uint8Array(length);
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}

/** Give an own member of an object; undefined where there is none. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function request(id: number, method: string, params: readonly unknown[]): object {
  return { jsonrpc: "2.0", id, method, params };
}

function saysTooMuch(answer: unknown): boolean {
  return TOO_MUCH.includes(memberOf(memberOf(answer, "error"), "code"));
}

function oneLine(text: string): string {
  return text
    .slice(0, SHOWN_CHARACTERS)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
}
