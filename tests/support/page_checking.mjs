// The page's own checking, as built from TypeScript, for Python's tests: one request in, its reports out.
//
//   in   {policy, holder, asOfBlock, files}   policy as text; files are [{path, file}]: as the user sees it, and on disk
//   out  {json, csv}, or {trouble} where nothing could be checked

import { openAsBlob, readFileSync } from "node:fs";

import { check, CheckingError, csvOf, jsonOf } from "../../page/build/src/checking/index.js";

const { policy, holder, asOfBlock, files } = JSON.parse(readFileSync(0, "utf8"));
const inputs = await Promise.all(
  files.map(async ({ path, file }) => ({ kind: "file", path, file: await openAsBlob(file) })),
);
const request = { inputs, policy: new TextEncoder().encode(policy), holderEmail: holder, asOfBlock };
const surroundings = { fetch, now: () => Math.floor(Date.now() / 1000), signal: new AbortController().signal };

async function answer() {
  try {
    const report = await check(request, surroundings, () => {});
    return { json: jsonOf(report), csv: csvOf(report) };
  } catch (error) {
    if (error instanceof CheckingError) return { trouble: error.trouble };
    throw error;
  }
}

process.stdout.write(JSON.stringify(await answer()));
