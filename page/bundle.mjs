// Puts the page into one file: the worker's script within the page's own, both allowed by their hashes and nothing else.
// Says how large it is. The same sources give the same bytes.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const OPTIONS = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  format: "iife",
  platform: "browser",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  write: false,
  // What sax asks for where there is Node, and does without elsewhere.
  external: ["stream", "string_decoder"],
};

async function bundle(entry, plugins = []) {
  const { outputFiles } = await build({ ...OPTIONS, entryPoints: [entry], plugins });
  // An inline script ends at the first `</script`, whatever stands around it.
  return outputFiles[0].text.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
}

/** Gives the worker's script as the text of a module. */
export function workerSource(text) {
  return {
    name: "worker-source",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^credanchor:worker$/ }, ({ path }) => ({ path, namespace: "worker-source" }));
      onLoad({ filter: /.*/, namespace: "worker-source" }, () => ({ contents: text, loader: "text" }));
    },
  };
}

function hashOf(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const worker = await bundle("src/checking/main.ts");
const script = await bundle("src/ui/main.ts", [workerSource(worker)]);
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
