// What is in a file: told apart by its bytes, and nothing of it kept here. Asks nobody: pages that must send nothing use it.

import { MAX_BUNDLE_BYTES } from "../core/bundle.js";
import { MAX_BYTES } from "../core/json.js";
import type { Source } from "../model/model.js";
import { isArchive, readMembers } from "./archive.js";
import { type Found, InputError } from "./found.js";
import { ourFormat } from "./parse.js";
import { bakedCredential, hasOpenBadge2, isPng, MAX_PICTURE_BYTES, mayBeBaked } from "./picture.js";

const START_BYTES = 512;
const PAGE = /^<(?:!doctype html|html|head|body)/i;

/** Where bytes come from. */
export interface Origin {
  readonly source: Source;
  readonly isNamed: boolean;
  readonly contacted: readonly string[];
}

/** Read a file: itself, the credential in it if it is a picture, or its members if it is an archive. */
export async function* readFile(file: Blob, origin: Origin): AsyncGenerator<Found> {
  let bytes: Uint8Array;
  try {
    const start = await bytesOf(file.slice(0, START_BYTES));
    if (isArchive(start) || origin.source.path?.toLowerCase().endsWith(".zip") === true) {
      yield* readArchive(file, origin);
      return;
    }
    const limit = isPicture(start) ? MAX_PICTURE_BYTES : ourFormat(start) === "bundle" ? MAX_BUNDLE_BYTES : MAX_BYTES;
    // At most one byte more than is read: it says that there is more.
    bytes = await bytesOf(file.slice(0, limit + 1));
  } catch (error) {
    // What the browser throws for a file that is gone, has changed, or is a folder.
    if (!(error instanceof DOMException)) throw error;
    yield { ...origin, content: new InputError("readFailed", `the file cannot be read: ${error.name}`) };
    return;
  }
  yield* asFound(bytes, origin);
}

async function* readArchive(file: Blob, origin: Origin): AsyncGenerator<Found> {
  let isEmpty = true;
  try {
    for await (const { name, content } of readMembers(file, MAX_BUNDLE_BYTES)) {
      const its = { ...origin, source: { ...origin.source, member: name }, isNamed: false };
      for (const found of asMember(content, its)) {
        isEmpty = false;
        yield found;
      }
    }
    if (isEmpty) throw new InputError("archiveEmpty", "the archive has no credential in it");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    yield { ...origin, content: error, isNamed: true };
  }
}

function* asMember(content: Uint8Array | InputError, origin: Origin): Generator<Found> {
  if (content instanceof InputError) yield { ...origin, content };
  else if (isArchive(content)) {
    yield { ...origin, content: new InputError("archiveInArchive", "an archive within an archive is not read") };
  } else yield* asFound(content, origin);
}

/** Hand over one file, or the credential that is in it if it is a picture; other pictures are passed over. */
export function* asFound(bytes: Uint8Array, origin: Origin): Generator<Found> {
  if (!isPicture(bytes)) {
    yield { ...origin, content: bytes };
    return;
  }
  const { source, isNamed } = origin;
  // What calls itself JSON was meant to be a credential.
  const isMeant = isNamed || (source.member ?? source.path ?? "").toLowerCase().endsWith(".json");
  const content = fromPicture(bytes);
  if (content instanceof Uint8Array) yield { ...origin, content };
  else if (!isMeant) {
    if (content !== null && mayBeBaked(bytes)) yield { ...origin, content };
  } else if (PAGE.test(startOf(bytes))) {
    // Named where credentials are read.
    yield { ...origin, content: bytes };
  } else {
    const none = hasOpenBadge2(bytes)
      ? new InputError("openBadge2", "the picture has an Open Badge of version 1 or 2 in it")
      : new InputError("pictureWithout", "the picture has no credential in it");
    yield { ...origin, content: content ?? none };
  }
}

function fromPicture(bytes: Uint8Array): Uint8Array | InputError | null {
  if (bytes.length > MAX_PICTURE_BYTES)
    return new InputError("tooLarge", `it has more than ${MAX_PICTURE_BYTES} bytes`);
  if (isPhotograph(bytes)) return null;
  try {
    return bakedCredential(bytes);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

function isPicture(bytes: Uint8Array): boolean {
  return isPng(bytes) || isPhotograph(bytes) || startOf(bytes).startsWith("<");
}

/** JPEG, GIF, WebP: no credential is ever in them. */
function isPhotograph(bytes: Uint8Array): boolean {
  return /^(?:\xff\xd8|GIF8|RIFF.{4}WEBP)/s.test(String.fromCharCode(...bytes.subarray(0, 12)));
}

function startOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, START_BYTES)).trimStart();
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}
