// Checks files for the tests in Python: what they give to the program is given to the page, and the reports compared.
//
// Standard input: {"policy": …, "holder": …, "now": …, "cases": [[{"path": as the user sees it, "file": on disk}]]}
// Standard output: for each case the report, or {"trouble": …}.

import { openAsBlob, readFileSync } from "node:fs";

import { toUtf8 } from "../src/core/bytes.js";
import { check, CheckingError, jsonOf } from "../src/checking/index.js";
import type { Input } from "../src/model/model.js";

interface Asked {
  readonly policy: object;
  readonly holder: string | null;
  readonly now: number;
  readonly cases: readonly (readonly { readonly path: string; readonly file: string }[])[];
}

const { policy, holder, now, cases } = JSON.parse(readFileSync(0, "utf8")) as Asked;
const surroundings = { fetch, now: () => now, signal: new AbortController().signal };
const reports = [];
for (const files of cases) {
  const inputs = await Promise.all(
    files.map(async ({ path, file }): Promise<Input> => ({ kind: "file", path, file: await openAsBlob(file) })),
  );
  const request = { inputs, policy: toUtf8(JSON.stringify(policy)), holderEmail: holder, asOfBlock: false };
  try {
    const report = await check(request, surroundings, () => undefined);
    const problems = report.answers.map(({ problem }) => problem);
    reports.push({ ...(JSON.parse(jsonOf(report)) as object), problems });
  } catch (error) {
    if (!(error instanceof CheckingError)) throw error;
    reports.push({ trouble: error.trouble, message: error.message });
  }
}
process.stdout.write(JSON.stringify(reports));
