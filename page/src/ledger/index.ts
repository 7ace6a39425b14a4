// Asks nodes for evidence, and issuers for what the policy wants of them. Nothing that comes is believed.

export { type Collected, collectEvidence, nodesOf } from "./collect.js";
export { collectDocuments } from "./documents.js";
export { isLoopback, nodeName, requireUsableNodes } from "./endpoint.js";
export { checkAddress, FetchError, fetchBytes } from "./fetching.js";
export type { Asking } from "./asking.js";
export { keptInBrowser, keptInMemory } from "./keeping.js";
export { type ListStore, resolvePolicy } from "./trustLists.js";
export { vouchFor } from "./vouching.js";
