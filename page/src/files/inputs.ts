// What the user gave, one thing after the other: told apart by what is in it, and nothing of it kept here.

import { MAX_BUNDLE_BYTES } from "../core/bundle.js";
import { toUtf8 } from "../core/bytes.js";
import { MAX_BYTES } from "../core/json.js";
import { checkAddress, FetchError, fetchBytes } from "../ledger/fetching.js";
import type { Asking } from "../ledger/asking.js";
import type { Input, Source } from "../model/model.js";
import { isArchive, readMembers } from "./archive.js";
import { type Found, InputError } from "./found.js";
import { ourFormat } from "./parse.js";
import { bakedCredential, isPng, MAX_PICTURE_BYTES } from "./picture.js";

const START_BYTES = 512;

/** Read everything that was given, in order. What cannot be read is an answer like any other, never the end of the rest. */
export async function* readInputs(inputs: readonly Input[], asking: Asking): AsyncGenerator<Found> {
  // Of several files, as from a folder, those that are plainly none of ours are passed over.
  const isNamed = inputs.length === 1;
  for (const input of inputs) {
    asking.signal.throwIfAborted();
    if (input.kind === "link") yield* readLink(input.url, asking);
    else if (input.kind === "text") {
      const source = { path: null, member: null, address: null };
      // What is no text has no bytes: the browser would write others for it.
      const content = /\p{Surrogate}/u.test(input.text) ? new InputError("notText", "not UTF-8") : toUtf8(input.text);
      if (content instanceof InputError) yield { source, content, isNamed: true, contacted: [] };
      else yield* asFound(source, content, true, []);
    } else yield* readFile({ path: input.path, member: null, address: null }, input.file, isNamed, []);
  }
}

async function* readLink(url: string, asking: Asking): AsyncGenerator<Found> {
  const source = { path: null, member: null, address: withoutSecrets(url) };
  let contacted: readonly string[] = [];
  try {
    const { hostname } = checkAddress(url);
    contacted = [hostname];
    const bytes = await fetchBytes(url, MAX_BUNDLE_BYTES, asking);
    yield* readFile(source, new Blob([new Uint8Array(bytes)]), true, contacted);
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    yield { source, content: new InputError(error.problem, error.message), isNamed: true, contacted };
  }
}

async function* readFile(
  source: Source,
  file: Blob,
  isNamed: boolean,
  contacted: readonly string[],
): AsyncGenerator<Found> {
  const start = await bytesOf(file.slice(0, START_BYTES));
  if (isArchive(start) || source.path?.toLowerCase().endsWith(".zip") === true) {
    yield* readArchive(source, file, contacted);
    return;
  }
  const limit = isPicture(start) ? MAX_PICTURE_BYTES : ourFormat(start) === "bundle" ? MAX_BUNDLE_BYTES : MAX_BYTES;
  // At most one byte more than is read: it says that there is more.
  yield* asFound(source, await bytesOf(file.slice(0, limit + 1)), isNamed, contacted);
}

async function* readArchive(source: Source, file: Blob, contacted: readonly string[]): AsyncGenerator<Found> {
  let isEmpty = true;
  try {
    for await (const { name, content } of readMembers(file, MAX_BUNDLE_BYTES)) {
      const its = { ...source, member: name };
      if (content instanceof InputError) {
        isEmpty = false;
        yield { source: its, content, isNamed: false, contacted };
      } else if (isArchive(content)) {
        isEmpty = false;
        const problem = new InputError("archiveInArchive", "an archive within an archive is not read");
        yield { source: its, content: problem, isNamed: false, contacted };
      } else {
        for (const found of asFound(its, content, false, contacted)) {
          isEmpty = false;
          yield found;
        }
      }
    }
    if (isEmpty) throw new InputError("archiveEmpty", "the archive has no credential in it");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    yield { source, content: error, isNamed: true, contacted };
  }
}

/** Hand over one file, or the credential that is in it if it is a picture; other pictures are passed over. */
function* asFound(source: Source, bytes: Uint8Array, isNamed: boolean, contacted: readonly string[]): Generator<Found> {
  const start = bytes.subarray(0, START_BYTES);
  if (!isPicture(start)) {
    yield { source, content: bytes, isNamed, contacted };
    return;
  }
  const content = fromPicture(bytes);
  if (content !== null) yield { source, content, isNamed, contacted };
  else if (isNamed) {
    yield {
      source,
      content: new InputError("pictureWithout", "the picture has no credential in it"),
      isNamed,
      contacted,
    };
  }
}

function fromPicture(bytes: Uint8Array): Uint8Array | InputError | null {
  if (bytes.length > MAX_PICTURE_BYTES)
    return new InputError("tooLarge", `it has more than ${MAX_PICTURE_BYTES} bytes`);
  try {
    return bakedCredential(bytes);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** PNG, SVG; and those that people photograph, which have no credential in them. */
function isPicture(start: Uint8Array): boolean {
  const text = new TextDecoder().decode(start).trimStart();
  const isSvg = /^(?:<\?xml|<svg|<!--|<!DOCTYPE svg)/i.test(text);
  const isOther = (start[0] === 0xff && start[1] === 0xd8) || text.startsWith("GIF8") || /^RIFF.{4}WEBP/s.test(text);
  return isPng(start) || isSvg || isOther;
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

/** What may be secret in an address is not repeated: name, password, query. */
function withoutSecrets(url: string): string {
  const [start = ""] = url.split(/[?#]/);
  return `${start.replace(/\/\/[^/]*@/, "//…@")}${start === url ? "" : "?…"}`;
}
