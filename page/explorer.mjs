// Builds the script of the explorer's page for credential files, which the service puts into that page.
// The same sources give the same bytes.

import { writeFileSync } from "node:fs";

import { bundle } from "./bundling.mjs";

const { text } = await bundle("src/explorer/main.ts");
for (const target of process.argv.slice(2)) writeFileSync(target, text);
