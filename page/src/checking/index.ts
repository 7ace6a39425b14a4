// Checks credentials: in this thread, or in a worker.

export { check, CheckingError, type Surroundings, type WorkEvent } from "./check.js";
export { WorkerChecker, type WorkerHandle } from "./client.js";
export { type Group, GROUPS, groupOf, inOrder } from "./groups.js";
export { clipped, csvOf, jsonOf, nameOf, toUtc } from "./output.js";
export { type FromWorker, serve, type WorkerScope } from "./worker.js";
