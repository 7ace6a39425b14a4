// What runs in the worker of the tests: the page's own serving, in a thread of node. One path makes it crash, one never ends.

import { parentPort } from "node:worker_threads";

import { type FromWorker, serve, type WorkerScope } from "../src/checking/index.js";
import type { CheckRequest } from "../src/model/model.js";

const port = parentPort;
if (port === null) throw new Error("this is for a worker");
const scope: WorkerScope = { onmessage: null, postMessage: (message: FromWorker) => port.postMessage(message) };
serve(scope);
port.on("message", (data: CheckRequest) => {
  const [first] = data.inputs;
  if (first?.kind === "file" && first.path === "crash") throw new Error("out of order");
  if (first?.kind === "file" && first.path === "silent") return;
  scope.onmessage?.({ data } as MessageEvent<CheckRequest>);
});
