// Badges that are pictures: the credential that is baked into a PNG or SVG (Open Badges 3.0, section 5.3).
// A picture with two credentials in it is refused, for readers would differ on which counts.

import sax, { type QualifiedTag } from "sax";

import { parseUtf8, toUtf8 } from "../core/bytes.js";
import { MalformedError } from "../core/errors.js";
import { InputError } from "./found.js";

/** Badges are drawings of some kilobytes. */
export const MAX_PICTURE_BYTES = 10 * 2 ** 20;

const PNG_START = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const KEYWORD = toUtf8("openbadgecredential\0");
const NAMESPACE = "https://purl.imsglobal.org/ob/v3p0";
/** Of a PNG chunk: length, type, and checksum after the data (PNG, section 5.3). */
const FRAME_BYTES = 12;

export function isPng(start: Uint8Array): boolean {
  return PNG_START.every((byte, index) => start[index] === byte);
}

/** Give the credential that a PNG or SVG has in it; null if it has none. */
export function bakedCredential(picture: Uint8Array): Uint8Array | null {
  const found = isPng(picture) ? inPng(picture) : inSvg(picture);
  if (found.length > 1) throw new InputError("badPicture", "the picture has more than one credential in it");
  return found[0] ?? null;
}

function inPng(picture: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength);
  for (let place = PNG_START.length; place < picture.length;) {
    const length = place + 8 <= picture.length ? view.getUint32(place) : Infinity;
    const data = picture.subarray(place + 8, place + 8 + length);
    if (data.length !== length) throw new InputError("badPicture", "the picture is damaged: it ends too early");
    const kind = String.fromCharCode(...picture.subarray(place + 4, place + 8));
    if (kind === "iTXt" && KEYWORD.every((byte, index) => data[index] === byte)) {
      found.push(textOf(data.subarray(KEYWORD.length)));
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
  const found: Uint8Array[] = [];
  let text: string | null = null;
  const reader = sax.parser(true, { xmlns: true, position: false });
  reader.ondoctype = (type) => {
    if (type.includes("<!ENTITY")) throw new InputError("badPicture", "the picture declares entities");
  };
  reader.onopentag = (tag) => {
    const { uri, local, attributes } = tag as QualifiedTag;
    if (uri !== NAMESPACE || local !== "credential") return;
    if (Object.hasOwn(attributes, "verify"))
      throw new InputError("jwt", "the credential in the picture is a signed token");
    text = "";
  };
  reader.ontext = reader.oncdata = (piece) => {
    if (text !== null) text += piece;
  };
  reader.onclosetag = (name) => {
    if (text === null || !/(?:^|:)credential$/.test(name)) return;
    found.push(toUtf8(text.trim()));
    text = null;
  };
  try {
    reader.write(parseUtf8(picture)).close();
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof MalformedError || error instanceof Error) {
      throw new InputError("badPicture", "this is no picture that can be read");
    }
    throw error;
  }
  return found;
}
