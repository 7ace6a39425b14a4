// Puts the page into one file: the worker's script within the page's own, both allowed by their hashes and nothing else.
// Says how large it is. The same sources give the same bytes.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";

import { bundle, HERE, workerSource } from "./bundling.mjs";

function hashOf(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const { text: worker } = await bundle("src/checking/main.ts");
const { text: script } = await bundle("src/ui/main.ts", { plugins: [workerSource(worker)] });
const style = readFileSync(`${HERE}/src/page.css`, "utf8").trim();
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  "worker-src blob:",
  // Nodes and links are the user's to name; without TLS only on this machine.
  "connect-src https: http://localhost:* http://*.localhost:* http://127.0.0.1:*",
  "img-src data: blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html credanchor",
].join("; ");
const html = readFileSync(`${HERE}/src/page.html`, "utf8")
  .replace('http-equiv="Content-Security-Policy" content=""', (found) => found.replace('""', `"${policy}"`))
  .replace("<style></style>", () => `<style>${style}</style>`)
  .replace("<script></script>", () => `<script>${script}</script>`);
for (const target of process.argv.slice(2)) {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, html);
}
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(
  `verifier page: ${kilobytes(Buffer.byteLength(html))}, ${kilobytes(gzipSync(html, { level: 9 }).length)} gzipped`,
);
