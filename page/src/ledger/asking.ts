// What asking needs from outside, and what bounds it: time and length, whatever the other side does.

import { CredanchorError } from "../core/errors.js";

/** How long is waited, and how much is read. */
export interface Limits {
  /** Longest time for one request to a node, its answer included. */
  readonly nodeMs: number;
  /** Longest time for one document from elsewhere. */
  readonly documentMs: number;
  /** A proof of 1,000 slots has about 5 MB in hex; four are asked for at once. */
  readonly answerBytes: number;
  /** Before a busy node is asked again; doubled before the third time. */
  readonly pauseMs: number;
  /** When it is over, no further node is asked for proofs. */
  readonly proofsMs: number;
}

const USUAL: Limits = {
  nodeMs: 10_000,
  documentMs: 15_000,
  answerBytes: 32 * 2 ** 20,
  pauseMs: 100,
  proofsMs: 60_000,
};

/** What asking needs from outside. */
export interface Asking {
  readonly fetch: typeof fetch;
  /** Ends all that is under way. */
  readonly signal: AbortSignal;
  /** Told before each request which address is asked. */
  readonly onRequest: (address: string) => void;
  /** Those that are not to be as usual. */
  readonly limits?: Partial<Limits>;
}

export class TooLateError extends CredanchorError {}
export class TooLongError extends CredanchorError {}
/** No connection came about, or it broke. A browser does not say which: that would tell pages about the network. */
export class NoConnectionError extends CredanchorError {}

export function limitsOf({ limits }: Asking): Limits {
  return { ...USUAL, ...limits };
}

/**
 * Send one request and read what comes, but for redirections: nobody sends us elsewhere.
 *
 * @throws TooLateError It took longer than `ms`.
 * @throws TooLongError There are more than `maxBytes`.
 * @throws NoConnectionError Nothing came, or not all.
 */
export async function exchange(
  asking: Asking,
  address: string,
  request: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
  { ms, maxBytes }: { readonly ms: number; readonly maxBytes: number },
): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  asking.signal.throwIfAborted();
  asking.onRequest(address);
  // Not AbortSignal.any and .timeout: of signals that nothing else holds, engines have lost some.
  const own = new AbortController();
  const stop = (): void => own.abort();
  const timer = setTimeout(stop, ms);
  asking.signal.addEventListener("abort", stop);
  try {
    const response = await asking.fetch(address, {
      ...request,
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
      redirect: "error",
      signal: own.signal,
    });
    return { status: response.status, body: await readBody(response, maxBytes) };
  } catch (error) {
    if (error instanceof TooLongError) throw error;
    asking.signal.throwIfAborted();
    if (own.signal.aborted) throw new TooLateError();
    if (error instanceof TypeError || error instanceof DOMException) throw new NoConnectionError();
    throw error;
  } finally {
    clearTimeout(timer);
    asking.signal.removeEventListener("abort", stop);
    // What is left of an answer that was not read is not wanted.
    stop();
  }
}

/** Read a body piece by piece, so that no flood is kept. */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    pieces.push(next.value);
    length += next.value.length;
    if (length > maxBytes) throw new TooLongError();
  }
  const whole = new Uint8Array(length);
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}
