// OpenAttestation v2, in memory, offline: openattestation.cjs wrap DOCUMENTS.json wraps them all at once; with `verify`,
// each is wrapped and then, from its text, told to be unchanged and in its batch. (What was issued and what was revoked
// its verifiers ask of the chain: that is no part of it.)
const { readFileSync } = require("node:fs");
const { verifySignature, wrapDocuments } = require("@tradetrust-tt/tradetrust");
const { version } = require("@tradetrust-tt/tradetrust/package.json");
const { measure } = require("./measure.cjs");

const WARM_UP = 100;

const [, , what, file] = process.argv;
const documents = JSON.parse(readFileSync(file, "utf-8"));

function verify(text) {
  if (!verifySignature(JSON.parse(text))) {
    throw new Error("what was wrapped does not verify");
  }
}

async function wrap() {
  let wrapped = [];
  // Compiled by the engine before it is measured.
  wrapDocuments(documents.slice(0, WARM_UP));
  const measured = await measure(version, [documents], (all) => {
    wrapped = wrapDocuments(all);
  });
  verify(JSON.stringify(wrapped[wrapped.length - 1]));
  return { ...measured, count: wrapped.length };
}

async function verifyAll() {
  const texts = wrapDocuments(documents).map((document) => JSON.stringify(document));
  texts.slice(0, WARM_UP).forEach(verify);
  return measure(version, texts, verify);
}

(what === "wrap" ? wrap() : verifyAll()).then((measured) => console.log(JSON.stringify(measured)));
