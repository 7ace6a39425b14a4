// What the user gave, one thing after the other: files, text, and links, which are fetched.

import { MAX_BUNDLE_BYTES } from "../core/bundle.js";
import { toUtf8 } from "../core/bytes.js";
import { checkAddress, FetchError, fetchBytes } from "../ledger/fetching.js";
import type { Asking } from "../ledger/asking.js";
import type { Input } from "../model/model.js";
import { isWanted } from "./archive.js";
import { type Found, InputError } from "./found.js";
import { asFound, readFile } from "./opened.js";

const LINK = /^https?:\/\/\S+$/i;

/** Read everything that was given, in order. What cannot be read is an answer like any other, never the end of the rest. */
export async function* readInputs(inputs: readonly Input[], asking: Asking): AsyncGenerator<Found> {
  for (const input of inputs) {
    asking.signal.throwIfAborted();
    if (input.kind === "link") yield* readLink(input.url.trim(), asking);
    else if (input.kind === "text") yield* readText(input.text, asking);
    else {
      // Its place in a folder, whose own name the user chose: what is plainly none of ours is passed over there.
      const [, ...below] = input.path.split("/");
      const isNamed = below.length === 0;
      const source = { path: input.path, member: null, address: null };
      if (isNamed || isWanted(below.join("/"))) yield* readFile(input.file, { source, isNamed, contacted: [] });
    }
  }
}

async function* readText(text: string, asking: Asking): AsyncGenerator<Found> {
  if (LINK.test(text.trim())) {
    yield* readLink(text.trim(), asking);
    return;
  }
  const origin = { source: { path: null, member: null, address: null }, isNamed: true, contacted: [] };
  // What is no text has no bytes: the browser would write others for it.
  if (/\p{Surrogate}/u.test(text)) yield { ...origin, content: new InputError("notText", "not UTF-8") };
  else yield* asFound(toUtf8(text), origin);
}

async function* readLink(url: string, asking: Asking): AsyncGenerator<Found> {
  const source = { path: null, member: null, address: withoutSecrets(url) };
  let contacted: readonly string[] = [];
  try {
    const { hostname } = checkAddress(url);
    contacted = [hostname];
    const bytes = await fetchBytes(url, MAX_BUNDLE_BYTES, asking);
    yield* readFile(new Blob([new Uint8Array(bytes)]), { source, isNamed: true, contacted });
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    yield { source, content: new InputError(error.problem, error.message), isNamed: true, contacted };
  }
}

/** What may be secret in an address is not repeated: name, password, query. */
function withoutSecrets(url: string): string {
  const [start = ""] = url.split(/[?#]/);
  return `${start.replace(/\/\/[^/]*@/, "//…@")}${start === url ? "" : "?…"}`;
}
