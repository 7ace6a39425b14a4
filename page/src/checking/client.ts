// The page's side of the worker. A stopped checking ends its worker: nothing that it still does comes in any more.

import { CheckingError } from "./check.js";
import type { Answer, CheckEvent, Checker, Checking, CheckRequest, Report } from "../model/model.js";
import type { FromWorker } from "./worker.js";

export class WorkerChecker implements Checker {
  private worker: Worker | null = null;

  /** @param start Starts a worker that runs `serve`. */
  constructor(private readonly start: () => Worker) {}

  check(request: CheckRequest, listen: (event: CheckEvent) => void): Checking {
    const answers: Answer[] = [];
    let stop = (): void => undefined;
    const report = new Promise<Report>((resolve, reject) => {
      const end = (): void => {
        this.worker?.terminate();
        this.worker = null;
      };
      let worker: Worker;
      try {
        worker = this.worker ??= this.start();
      } catch (error) {
        reject(new CheckingError("crashed", error instanceof Error ? error.message : String(error)));
        return;
      }
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.kind === "event") {
          if (data.event.kind === "answers") answers.push(...data.event.answers);
          listen(data.event);
        } else if (data.kind === "report") resolve({ ...data.report, answers });
        else reject(new CheckingError(data.trouble, data.message));
      };
      worker.onerror = (event) => {
        end();
        reject(new CheckingError("crashed", event.message || "the worker could not be started"));
      };
      worker.postMessage(request);
      stop = () => {
        end();
        resolve(stopped(request, answers));
      };
    });
    return { report, stop: () => stop() };
  }
}

function stopped(request: CheckRequest, answers: readonly Answer[]): Report {
  return {
    checkedAt: Math.floor(Date.now() / 1000),
    asOfBlock: request.asOfBlock,
    asksHolder: request.holderEmail !== null,
    answers,
    bases: [],
    otherFiles: [],
    contacted: [],
    staleAt: null,
    stopped: true,
  };
}
