// JSON-RPC over HTTP to one node: bounded in time and size, never more than asked for, nothing of it believed.
//
// By the browser's own `fetch`: libraries for Ethereum read answers of any length, and follow where a node sends them.

import { CredanchorError } from "../core/errors.js";
import { type Asking, exchange, limitsOf, NoConnectionError, TooLateError, TooLongError } from "./asking.js";
import { nodeName, withoutPassword } from "./endpoint.js";
import { LedgerError } from "./errors.js";

/** go-ethereum takes 1,000 calls in one request, providers that sell access 100 and more. */
const MAX_CALLS = 100;
const ATTEMPTS = 3;
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

class BusyError extends LedgerError {}
class NoBatchesError extends CredanchorError {}

export class RpcNode {
  /** For people, without what may be secret in the address. */
  readonly name: string;
  private readonly url: string;
  private readonly authorization: { readonly Authorization?: string };
  private takesBatches = true;

  constructor(
    readonly address: string,
    private readonly asking: Asking,
  ) {
    this.name = nodeName(address);
    ({ url: this.url, authorization: this.authorization } = withoutPassword(address));
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
    const { pauseMs } = limitsOf(this.asking);
    for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof BusyError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs * 2 ** (attempt - 1)));
      }
    }
    return ask();
  }

  private async exchange(what: string, content: unknown): Promise<unknown> {
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
    const { nodeMs: ms, answerBytes: maxBytes } = limitsOf(this.asking);
    const headers = { "Content-Type": "application/json", ...this.authorization };
    try {
      const answer = await exchange(this.asking, this.url, { method: "POST", headers, body }, { ms, maxBytes });
      return [answer.status, new TextDecoder().decode(answer.body)];
    } catch (error) {
      if (error instanceof TooLongError)
        throw new LedgerError(`the node ${this.name} sent more than ${maxBytes} bytes`);
      if (error instanceof TooLateError) throw new LedgerError(`the node ${this.name} did not answer in time`);
      if (!(error instanceof NoConnectionError)) throw error;
      const words = "cannot be reached, broke off, sent elsewhere, or does not let web pages ask it (CORS)";
      throw new LedgerError(`the node ${this.name} ${words}`);
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
