// What the strict reader must stand: hostile keys, depth, size, numbers and strings that other readers take.

import assert from "node:assert/strict";
import { test } from "node:test";

import { toUtf8 } from "../src/core/bytes.js";
import { canonicalBytes } from "../src/core/canonical.js";
import { MalformedError } from "../src/core/errors.js";
import { MAX_BYTES, MAX_DEPTH, parseJsonObject } from "../src/core/json.js";
import { seeded } from "./support.js";

const read = (text: string) => parseJsonObject(toUtf8(text));
const canonical = (text: string) => new TextDecoder().decode(canonicalBytes(read(text)));
const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;

test("keys of Object.prototype are keys like others, and are hashed", () => {
  const text = '{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":2,"toJSON":{"a":1},"toString":3}';
  const document = read(text);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.equal(Object.getPrototypeOf(document), null);
  assert.equal(canonical(text), text);
  assert.throws(() => read('{"__proto__":1,"\\u005f_proto__":2}'), MalformedError);
  assert.equal(read("{}")["constructor"], undefined);
});

test("only the proof on top is left out", () => {
  assert.equal(canonical('{"proof":[1],"a":{"proof":[2]}}'), '{"a":{"proof":[2]}}');
});

test("64 deep is read, 65 is not, and a million brackets exhaust no stack", () => {
  assert.equal(canonical(nested(MAX_DEPTH)), nested(MAX_DEPTH));
  assert.throws(() => read(nested(MAX_DEPTH + 1)), MalformedError);
  assert.throws(() => read(`{"a":${"[".repeat(1_000_000)}`), MalformedError);
  assert.throws(() => read('{"a":'.repeat(200_000)), MalformedError);
});

test("1 MiB is read, one byte more is not", () => {
  const text = `{"a":"${"x".repeat(MAX_BYTES - 8)}"}`;
  assert.equal(canonical(text), text);
  assert.throws(() => read(`${text} `), MalformedError);
});

// Each is what a slow pattern would take quadratic time for: minutes, not milliseconds.
const padding = MAX_BYTES - 100;
for (const [name, text] of Object.entries({
  "one long string": `{"a":"${"é".repeat(padding / 2)}"}`,
  "escapes only": `{"a":"${"\\n".repeat(padding / 2)}"}`,
  "many keys": `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":0`).join(",")}}`,
  "many numbers": `{"a":[${"0.5,".repeat(padding / 4)}0]}`,
  "white space": `{${" ".repeat(padding)}}`,
  "zeros after the point": `{"a":1.${"0".repeat(padding)}}`,
  "zeros before a digit after the point": `{"a":0.${"0".repeat(padding)}1}`,
  "many digits": `{"a":${"1".repeat(padding)}}`,
})) {
  test(`1 MiB of ${name}`, (t) => {
    const started = performance.now();
    try {
      canonicalBytes(read(text));
    } catch (error) {
      assert.ok(error instanceof MalformedError);
    }
    t.diagnostic(`1 MiB of ${name}: ${Math.round(performance.now() - started)} ms`);
  });
}

const numbers: { readonly [source: string]: string | null } = {
  "0": "0",
  "-0": "0",
  "0.0e5": "0",
  "0e999999999999": "0",
  "1.50": "1.5",
  "1e2": "100",
  "100e-2": "1",
  "1E+2": "100",
  "9007199254740991": "9007199254740991",
  "-9007199254740991.0": "-9007199254740991",
  "9007199254740992": null,
  "9007199254740993.0": null,
  "1e20": null,
  "1e400": null,
  "1e-400": null,
  "5e-324": "5e-324",
  "4e-324": null,
  "0.1": "0.1",
  "0.1000000000000000055511151231257827": null,
  "1e-7": "1e-7",
  "0.000001": "0.000001",
  "1.7976931348623157e308": null,
  "1e999999999999999999999": null,
  "1e-999999999999999999999": null,
  "01": null,
  "1.": null,
  ".5": null,
  "+1": null,
  "0x1": null,
  "1_0": null,
  NaN: null,
  "-Infinity": null,
  "-": null,
  "1e": null,
  "１": null,
};
for (const [source, expected] of Object.entries(numbers)) {
  test(`number ${source}`, () => {
    if (expected === null) assert.throws(() => read(`{"a":${source}}`), MalformedError);
    else assert.equal(canonical(`{"a":${source}}`), `{"a":${expected}}`);
  });
}

test("every double below 2^53 that JavaScript writes is read as it stands", () => {
  const random = seeded(1);
  const view = new DataView(new ArrayBuffer(8));
  for (let count = 0; count < 20_000; count += 1) {
    view.setUint32(0, random(2 ** 32));
    view.setUint32(4, random(2 ** 32));
    const value = view.getFloat64(0);
    const expected = Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
    const text = `{"a":${JSON.stringify(value)}}`;
    if (expected) assert.equal(canonical(text), `{"a":${String(value)}}`);
    else if (Number.isFinite(value)) assert.throws(() => read(text), MalformedError);
  }
});

test("what the strict reader takes, JSON.parse reads alike", () => {
  const random = seeded(2);
  const pieces = [
    '{"a":',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"b"',
    '"\\u00e9"',
    "1",
    "-0.5",
    "true",
    "null",
    " ",
    "\n",
    '"',
  ];
  let taken = 0;
  for (let count = 0; count < 50_000; count += 1) {
    const text = `{"a":${Array.from({ length: random(6) + 1 }, () => pieces[random(pieces.length)]).join("")}}`;
    let value;
    try {
      value = read(text);
    } catch (error) {
      assert.ok(error instanceof MalformedError, text);
      continue;
    }
    taken += 1;
    assert.equal(JSON.stringify(value), JSON.stringify(JSON.parse(text)));
  }
  assert.ok(taken > 100);
});

const refused: { readonly [name: string]: Uint8Array } = {
  "a byte order mark": toUtf8('\ufeff{"a":1}'),
  "UTF-16": Uint8Array.of(0xff, 0xfe, 0x7b, 0, 0x7d, 0),
  "a surrogate in UTF-8": Uint8Array.of(...toUtf8('{"a":"'), 0xed, 0xa0, 0x80, ...toUtf8('"}')),
  "an overlong form": Uint8Array.of(...toUtf8('{"a":"'), 0xc0, 0xaf, ...toUtf8('"}')),
  "a lone surrogate, escaped": toUtf8('{"a":"\\ud800"}'),
  "surrogates in the wrong order": toUtf8('{"a":"\\udc00\\ud800"}'),
  "a surrogate before a pair": toUtf8('{"a":"\\ud83d😀"}'),
  "a lone surrogate in a key": toUtf8('{"\\ud800":1}'),
  "U+FFFE": toUtf8('{"a":"\ufffe"}'),
  "U+FDD0, escaped": toUtf8('{"a":"\\ufdd0"}'),
  "U+10FFFF": toUtf8('{"a":"\u{10ffff}"}'),
  "a control character": toUtf8('{"a":"\u0001"}'),
  "a key twice, once escaped": toUtf8('{"a":1,"\\u0061":2}'),
  "a key twice, deep": toUtf8('{"a":[{"b":1,"b":1}]}'),
  "an array": toUtf8("[]"),
  "text after the object": toUtf8("{} {}"),
  "a comma at the end": toUtf8('{"a":1,}'),
  "no-break space": toUtf8('{\u00a0"a":1}'),
  "a comment": toUtf8('{"a":1/**/}'),
  "a short escape": toUtf8('{"a":"\\u00e"}'),
  "an escape that JSON lacks": toUtf8('{"a":"\\x41"}'),
  "a capital literal": toUtf8('{"a":True}'),
  nothing: toUtf8(""),
  "white space": toUtf8(" "),
};
for (const [name, bytes] of Object.entries(refused)) {
  test(`refused: ${name}`, () => assert.throws(() => parseJsonObject(bytes), MalformedError));
}

test("a byte order mark inside a string is a character, and pairs are one", () => {
  assert.equal(canonical('{"a":"\ufeff","b":"\\ud83d\\ude00"}'), '{"a":"\ufeff","b":"😀"}');
});
