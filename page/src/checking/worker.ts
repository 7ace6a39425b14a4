// The worker's side: takes one request after the other, and tells what happens.

import { keptInBrowser } from "../ledger/index.js";
import type { CheckRequest, Trouble } from "../model/model.js";
import { check, CheckingError, type WorkEvent } from "./check.js";

export type FromWorker =
  | { readonly kind: "event"; readonly event: WorkEvent }
  /** All answers came before. */
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly trouble: Trouble; readonly message: string };

/** The part of a worker's global scope that is used. */
export interface WorkerScope {
  onmessage: ((message: MessageEvent<CheckRequest>) => void) | null;
  postMessage(message: FromWorker): void;
}

/** Serve requests in a worker. */
export function serve(scope: WorkerScope): void {
  const { signal } = new AbortController();
  const surroundings = {
    fetch: (...given: Parameters<typeof fetch>) => fetch(...given),
    now: () => Math.floor(Date.now() / 1000),
    signal,
    lists: keptInBrowser(),
  };
  scope.onmessage = ({ data }) => {
    check(data, surroundings, (event) => scope.postMessage({ kind: "event", event }))
      .then(() => scope.postMessage({ kind: "done" }))
      .catch((error: unknown) => {
        const trouble = error instanceof CheckingError ? error.trouble : "crashed";
        scope.postMessage({ kind: "failed", trouble, message: error instanceof Error ? error.message : String(error) });
      });
  };
}
