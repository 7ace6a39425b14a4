// Wraps documents as OpenAttestation v2 does: openattestation.cjs DOCUMENTS.json. In memory, offline.
const { readFileSync } = require("node:fs");
const { verifySignature, wrapDocuments } = require("@tradetrust-tt/tradetrust");
const { version } = require("@tradetrust-tt/tradetrust/package.json");

const WARM_UP = 100;

const documents = JSON.parse(readFileSync(process.argv[2], "utf-8"));
// Compiled by the engine before it is measured.
wrapDocuments(documents.slice(0, WARM_UP));

const started = process.hrtime.bigint();
const startedCpu = process.cpuUsage();
const wrapped = wrapDocuments(documents);
const { user, system } = process.cpuUsage(startedCpu);
const seconds = Number(process.hrtime.bigint() - started) / 1e9;

if (wrapped.length !== documents.length || !verifySignature(wrapped[wrapped.length - 1])) {
  throw new Error("what was wrapped does not verify");
}
console.log(JSON.stringify({ version, count: wrapped.length, seconds, cpu: (user + system) / 1e6 }));
