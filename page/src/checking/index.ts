// Checks credentials: in this thread, or in a worker.

export { check, CheckingError, type Surroundings } from "./check.js";
export { WorkerChecker } from "./client.js";
export { type Group, GROUPS, groupOf, inOrder } from "./groups.js";
export { clipped, csvOf, jsonOf, nameOf, toUtc } from "./output.js";
export { serve, type WorkerScope } from "./worker.js";
