// Strict JSON: what `JSON.parse` lets pass, or silently changes, is refused. docs/spec/anchor-proof.md, "Input".

import { parseUtf8 } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { isExact } from "./numbers.js";

/** Objects have no prototype, so that no key, `__proto__` included, means more than itself. */
export type JsonObject = { readonly [key: string]: JsonValue };
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** Largest input, 1 MiB. */
export const MAX_BYTES = 1_048_576;
/** Deepest nesting; the outermost object is 1. */
export const MAX_DEPTH = 64;

// Sticky: each matches at the reader's place, without copying what is left.
const SPACE = /[ \t\n\r]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WHOLE_NUMBER = /-?(?:0|[1-9][0-9]*)(?![.eE0-9])/y;
// Lone surrogates count as code points of their own under the `u` flag; pairs do not.
const REFUSED = /[\p{Noncharacter_Code_Point}\p{Surrogate}]/u;

const ESCAPED: { readonly [letter: string]: string } = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Read one JSON object that fills the whole input. */
export function parseJsonObject(bytes: Uint8Array, maxBytes = MAX_BYTES): JsonObject {
  return read(bytes, maxBytes, NUMBER);
}

/** Read a document of ours, in which all numbers are whole and written without fraction or exponent. */
export function parseWholeNumbers(bytes: Uint8Array, maxBytes = MAX_BYTES): JsonObject {
  return read(bytes, maxBytes, WHOLE_NUMBER);
}

function read(bytes: Uint8Array, maxBytes: number, numbers: RegExp): JsonObject {
  if (bytes.length > maxBytes) throw new MalformedError(`larger than ${maxBytes} bytes`);
  return new Reader(parseUtf8(bytes), numbers).whole();
}

/** Whether `value` is an object: neither an array nor null. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isArray(value);
}

/** Like `Array.isArray`, which does not narrow readonly arrays. */
export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Require exactly these members, in any order. */
export function checkMembers(value: JsonObject, names: readonly string[], what: string): void {
  const found = Object.keys(value);
  if (found.length !== names.length || !names.every((name) => Object.hasOwn(value, name))) {
    throw new MalformedError(`${what} must have exactly the members ${names.join(", ")}`);
  }
}

class Reader {
  private place = 0;

  constructor(
    private readonly text: string,
    private readonly numbers: RegExp,
  ) {}

  whole(): JsonObject {
    this.take(SPACE);
    if (this.text[this.place] !== "{") throw this.wrong("expected an object");
    const value = this.object(1);
    this.take(SPACE);
    if (this.place !== this.text.length) throw this.wrong("expected nothing after the object");
    return value;
  }

  private value(depth: number): JsonValue {
    switch (this.text[this.place]) {
      case "{":
        return this.object(depth);
      case "[":
        return this.array(depth);
      case '"':
        return this.string();
      case "t":
        return this.literal("true", true);
      case "f":
        return this.literal("false", false);
      case "n":
        return this.literal("null", null);
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonObject {
    const value = Object.create(null) as { [key: string]: JsonValue };
    this.items(depth, "}", () => {
      const key = this.string();
      if (Object.hasOwn(value, key)) throw this.wrong("a key occurs twice");
      this.take(SPACE);
      this.expect(":");
      this.take(SPACE);
      value[key] = this.value(depth + 1);
    });
    return value;
  }

  private array(depth: number): JsonValue[] {
    const value: JsonValue[] = [];
    this.items(depth, "]", () => value.push(this.value(depth + 1)));
    return value;
  }

  /** Read what stands between brackets; the depth is checked first, so that no input exhausts the stack. */
  private items(depth: number, end: string, read: () => void): void {
    if (depth > MAX_DEPTH) throw this.wrong(`nested more than ${MAX_DEPTH} deep`);
    this.place += 1;
    this.take(SPACE);
    if (this.text[this.place] === end) {
      this.place += 1;
      return;
    }
    for (;;) {
      read();
      this.take(SPACE);
      if (this.text[this.place] !== ",") break;
      this.place += 1;
      this.take(SPACE);
    }
    this.expect(end);
  }

  private string(): string {
    this.expect('"');
    let value = this.take(PLAIN);
    while (this.text[this.place] !== '"') {
      const escape = this.take(ESCAPE);
      if (escape === "") throw this.wrong("a string does not end, or holds a wrong escape or a control character");
      const letter = escape.charAt(1);
      value += letter === "u" ? String.fromCharCode(Number.parseInt(escape.slice(2), 16)) : (ESCAPED[letter] ?? letter);
      value += this.take(PLAIN);
    }
    this.place += 1;
    if (REFUSED.test(value)) throw this.wrong("a string holds a lone surrogate or a noncharacter");
    return value;
  }

  private number(): number {
    const source = this.take(this.numbers);
    if (source === "") throw this.wrong("expected a value");
    const value = Number(source);
    if (!isExact(source, value)) throw this.wrong("a number is too large or differs from its canonical form");
    return value;
  }

  private literal<T extends JsonValue>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.place)) throw this.wrong("expected a value");
    this.place += word.length;
    return value;
  }

  private expect(character: string): void {
    if (this.text[this.place] !== character) throw this.wrong(`expected ${character}`);
    this.place += 1;
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.place += found.length;
    return found;
  }

  private wrong(what: string): MalformedError {
    return new MalformedError(`not strict JSON: ${what}, at character ${this.place}`);
  }
}
