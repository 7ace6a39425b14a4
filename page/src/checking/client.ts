// The page's side of the worker. A stopped checking ends its worker: nothing that it still does comes in any more.

import type { Answer, Checker, CheckEvent, Checking, CheckRequest, Report } from "../model/model.js";
import { CheckingError, stoppedFrame, type WorkEvent } from "./check.js";
import { type Frame, reportOf } from "./report.js";
import type { FromWorker } from "./worker.js";

/** The part of a `Worker` that is used. */
export interface WorkerHandle {
  onmessage: ((message: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  onmessageerror: ((event: MessageEvent) => void) | null;
  postMessage(request: CheckRequest): void;
  terminate(): void;
}

export class WorkerChecker implements Checker {
  private worker: WorkerHandle | null = null;
  private running: Checking | null = null;

  /** @param start Starts a worker that runs `serve`. */
  constructor(private readonly start: () => WorkerHandle) {}

  /** Another one that is not done yet is stopped. */
  check(request: CheckRequest, listen: (event: CheckEvent) => void): Checking {
    this.running?.stop();
    const heard = new Heard(request, listen);
    let stop = (): void => undefined;
    const report = new Promise<Report>((resolve, reject) => {
      const crashed = (message: string): void => {
        this.end();
        reject(new CheckingError("crashed", message));
      };
      let worker: WorkerHandle;
      try {
        worker = this.worker ??= this.start();
      } catch (error) {
        crashed(error instanceof Error ? error.message : String(error));
        return;
      }
      worker.onmessage = ({ data }) => {
        if (data.kind === "event") {
          heard.hear(data.event);
          return;
        }
        this.running = null;
        if (data.kind === "done") resolve(heard.report());
        else reject(new CheckingError(data.trouble, data.message));
      };
      worker.onerror = (event) => crashed(event.message || "the worker could not be started");
      worker.onmessageerror = () => crashed("what the worker says cannot be read");
      worker.postMessage(request);
      stop = () => {
        // A stop that comes late ends nobody else's work.
        if (this.running === checking) this.end();
        resolve(heard.report());
      };
    });
    const checking: Checking = { report, stop: () => stop() };
    if (this.worker !== null) this.running = checking;
    return checking;
  }

  private end(): void {
    this.worker?.terminate();
    this.worker = null;
    this.running = null;
  }
}

/** What a worker has told so far. */
class Heard {
  private readonly answers: Answer[] = [];
  private readonly contacted = new Set<string>();
  private frame: Frame | null = null;

  constructor(
    private readonly request: CheckRequest,
    private readonly listen: (event: CheckEvent) => void,
  ) {}

  hear(event: WorkEvent): void {
    if (event.kind === "judging") {
      this.frame = event.frame;
      return;
    }
    if (event.kind === "answers") this.answers.push(...event.answers);
    if (event.kind === "contacting" && event.purpose !== "node") this.contacted.add(event.host);
    this.listen(event);
  }

  report(): Report {
    const frame = this.frame ?? stoppedFrame(Math.floor(Date.now() / 1000), this.contacted);
    return reportOf(this.request, frame, this.answers);
  }
}
