// Makes the npm package credanchor-verify: one module with the element, the worker's script by itself, and their types.
//
//   node page/package.mjs FOLDER      `npm pack FOLDER` makes a file of it; types come from `tsc --build page`

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import { bundle, HERE, workerSource } from "./bundling.mjs";

const ROOT = dirname(HERE);
const TYPES = join(HERE, "build", "src");
/** What a module says it takes from others of ours. */
const IMPORT = /(?:from|import)\s*\(?"(\.[^"]+)\.js"/g;

/** Gives a declaration's file and all that it needs. */
function declarations(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, path] of readFileSync(file, "utf8").matchAll(IMPORT)) {
    declarations(join(dirname(file), `${path}.d.ts`), found);
  }
  return found;
}

function nameIn(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name;
}

/** Gives the licences of the libraries within, each with its name: they want to be passed on with their code. */
function licences(sources) {
  const names = new Set(sources.flatMap((path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []));
  return [...names].sort().map((name) => {
    const folder = join(ROOT, "node_modules", name);
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${name} has no licence to pass on`);
    return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
}

const NAME = "credanchor-verify";
const target = resolve(process.argv[2] ?? "");
/** What is there is deleted, so it must be an earlier build. */
const isOurs = !existsSync(target) || (existsSync(join(target, "package.json")) && nameIn(target) === NAME);
if (process.argv.length !== 3 || !isOurs) {
  console.error("usage: node page/package.mjs FOLDER, a new one, or one that this has made before");
  process.exit(2);
}
const worker = await bundle("src/checking/main.ts");
const module = await bundle("src/element/index.ts", { format: "esm", plugins: [workerSource(worker.text)] });
const { version, license } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const manifest = {
  name: NAME,
  version,
  description: "A custom element that checks ledger-anchored Open Badges in the browser, and sends them nowhere.",
  license,
  type: "module",
  exports: {
    ".": { types: "./types/element/index.d.ts", default: "./credanchor-verify.js" },
    "./worker.js": "./worker.js",
    "./package.json": "./package.json",
  },
  types: "./types/element/index.d.ts",
  sideEffects: true,
  files: ["credanchor-verify.js", "worker.js", "types", "LIBRARIES.txt"],
  keywords: ["open-badges", "verifiable-credentials", "verifier", "web-component"],
};
rmSync(target, { recursive: true, force: true });
for (const file of declarations(join(TYPES, "element", "index.d.ts"))) {
  const place = join(target, "types", relative(TYPES, file));
  mkdirSync(dirname(place), { recursive: true });
  // The maps lead to sources, which are not in the package.
  writeFileSync(place, readFileSync(file, "utf8").replace(/\/\/# sourceMappingURL=.*\n?/, ""));
}
writeFileSync(join(target, "credanchor-verify.js"), `${module.text}\n`);
writeFileSync(join(target, "worker.js"), `${worker.text}\n`);
writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(
  join(target, "LIBRARIES.txt"),
  licences([...module.sources, ...worker.sources]).join(`\n${"-".repeat(80)}\n\n`),
);
copyFileSync(join(ROOT, "LICENSE"), join(target, "LICENSE"));
copyFileSync(join(HERE, "package.md"), join(target, "README.md"));
console.log(`${NAME} ${version}: ${relative(process.cwd(), target)}`);
