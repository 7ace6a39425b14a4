// Checking without a face, for pages that show answers in their own way.

import { WorkerChecker } from "../checking/client.js";
import type { Checker } from "../model/model.js";
import { startWorker } from "../ui/startWorker.js";

export interface CheckerOptions {
  /** Address of the package's worker.js on the page's own site; without it the worker is started from a `blob:`. */
  readonly workerSrc?: string | null;
}

/** Make what checks, in a worker of its own that starts with the first checking. One checking at a time. */
export function createChecker({ workerSrc = null }: CheckerOptions = {}): Checker {
  return new WorkerChecker(() => startWorker(workerSrc));
}
