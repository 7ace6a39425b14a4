// How the page's sources become scripts: for the page itself, and for the package that other sites embed.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

export const HERE = dirname(fileURLToPath(import.meta.url));
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
  metafile: true,
  write: false,
  // What sax asks for where there is Node, and does without elsewhere.
  external: ["stream", "string_decoder"],
};

/** Gives one script of all that its entry needs, and the paths of these sources. */
export async function bundle(entry, options = {}) {
  const { outputFiles, metafile } = await build({ ...OPTIONS, ...options, entryPoints: [entry] });
  // An inline script ends at the first `</script`, whatever stands around it.
  const text = outputFiles[0].text.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  return { text, sources: Object.keys(metafile.inputs) };
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
