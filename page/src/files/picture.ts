// Badges that are pictures: the credential that is baked into a PNG or SVG (Open Badges 3.0, section 5.3).
// A picture with two credentials in it is refused, for readers would differ on which counts.

import sax from "sax";

import { parseUtf8, toUtf8 } from "../core/bytes.js";
import { CredanchorError } from "../core/errors.js";
import { InputError } from "./found.js";

/** Badges are drawings of some kilobytes. */
export const MAX_PICTURE_BYTES = 10 * 2 ** 20;

const PNG_START = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const KEYWORD = "openbadgecredential";
const NAMESPACE = "https://purl.imsglobal.org/ob/v3p0";
/** Where Open Badges 2.0 has its assertion, which is not read here. */
const OPEN_BADGES_2 = /(?:tEXt|iTXt)openbadges\0|http:\/\/openbadges\.org/;
/** Of a PNG chunk: length, type, and checksum after the data (PNG, section 5.3). */
const FRAME_BYTES = 12;
const ENCODING = /^(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/;
const DECLARATION_BYTES = 300;

export function isPng(start: Uint8Array): boolean {
  return PNG_START.every((byte, index) => start[index] === byte);
}

/** Give the credential that a PNG or SVG has in it; null if it has none. */
export function bakedCredential(picture: Uint8Array): Uint8Array | null {
  const found = isPng(picture) ? inPng(picture) : inSvg(picture);
  if (found.length > 1) throw new InputError("badPicture", "the picture has more than one credential in it");
  return found[0] ?? null;
}

/** Tell a picture that is meant to have a credential in it from any other, even if it is damaged. */
export function mayBeBaked(picture: Uint8Array): boolean {
  const text = latin1(picture);
  return text.includes(KEYWORD) || text.includes(NAMESPACE);
}

/** Whether a picture has a badge of an older kind in it. */
export function hasOpenBadge2(picture: Uint8Array): boolean {
  return OPEN_BADGES_2.test(latin1(picture));
}

function inPng(picture: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  const keyword = toUtf8(`${KEYWORD}\0`);
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength);
  for (let place = PNG_START.length; place < picture.length;) {
    const length = place + 8 <= picture.length ? view.getUint32(place) : Infinity;
    const data = picture.subarray(place + 8, place + 8 + length);
    if (data.length !== length) throw new InputError("badPicture", "the picture is damaged: it ends too early");
    const kind = String.fromCharCode(...picture.subarray(place + 4, place + 8));
    if (kind === "iTXt" && keyword.every((byte, index) => data[index] === byte)) {
      found.push(textOf(data.subarray(keyword.length)));
    }
    place += FRAME_BYTES + length;
  }
  return found;
}

/** Give the text of an iTXt chunk: after compression flag, method, language tag and translated keyword. */
function textOf(rest: Uint8Array): Uint8Array {
  const language = rest.indexOf(0, 2);
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
  if (rest[0] !== 0 || translated < 0) {
    throw new InputError("badPicture", "the credential in the picture is compressed or damaged");
  }
  return rest.slice(translated + 1);
}

function inSvg(picture: Uint8Array): Uint8Array[] {
  const found: string[] = [];
  const namespaces = new Namespaces();
  let text: string | null = null;
  // The reader's own namespaces take a time that grows with the square of attributes and depth.
  const reader = sax.parser(true, { position: false });
  // At the first error: the reader would go on, and make an error of each character.
  reader.onerror = (error) => {
    throw error;
  };
  reader.ondoctype = (type) => {
    if (type.includes("<!ENTITY")) throw new InputError("badPicture", "the picture declares entities");
  };
  reader.onopentag = ({ name, attributes }) => {
    if (!namespaces.enter(name, attributes)) return;
    if (Object.hasOwn(attributes, "verify"))
      throw new InputError("jwt", "the credential in the picture is a signed token");
    text = "";
  };
  reader.ontext = reader.oncdata = (piece) => {
    if (text !== null) text += piece;
  };
  reader.onclosetag = () => {
    if (!namespaces.leave() || text === null) return;
    found.push(text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""));
    text = null;
  };
  try {
    reader.write(decode(picture)).close();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError("badPicture", "this is no picture that can be read");
  }
  return found.map(toUtf8);
}

/** Which elements are credentials: Namespaces in XML, as far as that takes. */
class Namespaces {
  /** What a prefix stands for, the innermost last; the empty one is that of names without a prefix. */
  private readonly bound = new Map<string, string[]>();
  private hasRoot = false;
  private readonly open: { readonly declared: readonly string[]; readonly isCredential: boolean }[] = [];

  /** Take in the start of an element; tell whether it is a credential. */
  enter(name: string, attributes: { readonly [name: string]: unknown }): boolean {
    if (this.hasRoot && this.open.length === 0) throw new CredanchorError("there is a second root");
    this.hasRoot = true;
    const declared: string[] = [];
    for (const [each, value] of Object.entries(attributes)) {
      const prefix = each === "xmlns" ? "" : /^xmlns:(.+)$/s.exec(each)?.[1];
      if (prefix === undefined) continue;
      declared.push(prefix);
      const stack = this.bound.get(prefix) ?? [];
      stack.push(String(value));
      this.bound.set(prefix, stack);
    }
    const [, prefix = "", local = ""] = /^(?:([^:]*):)?(.*)$/s.exec(name) ?? [];
    const isCredential = local === "credential" && this.bound.get(prefix)?.at(-1) === NAMESPACE;
    this.open.push({ declared, isCredential });
    return isCredential;
  }

  /** Take in the end of an element; tell whether it is a credential. */
  leave(): boolean {
    const { declared = [], isCredential = false } = this.open.pop() ?? {};
    for (const prefix of declared) this.bound.get(prefix)?.pop();
    return isCredential;
  }
}

/** Read a drawing's text in the encoding that it declares, of those that every XML reader knows. */
function decode(picture: Uint8Array): string {
  const encoding = ENCODING.exec(latin1(picture.subarray(0, DECLARATION_BYTES)))?.[1]?.toLowerCase() ?? "utf-8";
  if (encoding === "iso-8859-1") return latin1(picture);
  if (encoding === "utf-8" || encoding === "us-ascii") return parseUtf8(picture);
  throw new CredanchorError(`the encoding ${encoding} is not read`);
}

/** One character for each byte. The decoder of that name would take some of them for others. */
function latin1(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; start += 8192) {
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 8192)));
  }
  return pieces.join("");
}
