// Reads the vectors that every implementation is held against, and makes one named test of each.

import { readFileSync } from "node:fs";
import { test } from "node:test";

import { parseHex, toUtf8 } from "../src/core/bytes.js";
import { type JsonValue, parseJsonObject } from "../src/core/json.js";

/** From page/build/test. */
const VECTORS = new URL("../../../tests/vectors/", import.meta.url);

/** Read a file of vectors; one that is not there fails the tests that need it. */
export function readVectors(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, VECTORS)));
}

/** Read a file of vectors as JSON. Its type is what tests/vectors promises; a file that breaks it fails its tests. */
export function readJson<T>(name: string): T {
  return JSON.parse(new TextDecoder().decode(readVectors(name))) as T;
}

/** Make a test of each vector. None at all is a failure: it would prove nothing. */
export function each<T>(what: string, vectors: readonly T[], nameOf: (vector: T) => string, run: (vector: T) => void) {
  if (vectors.length === 0) throw new Error(`no vectors: ${what}`);
  for (const vector of vectors) test(`${what}: ${nameOf(vector)}`, () => run(vector));
}

/** Give what an ordinary JSON reader read as the strict reader would have. */
export function strict(value: unknown): JsonValue {
  const read = parseJsonObject(toUtf8(JSON.stringify({ value })))["value"];
  if (read === undefined) throw new Error("the vector lacks a value");
  return read;
}

export function hexAll(texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => parseHex(text));
}

/** Numbers that are the same in every run: mulberry32. Gives whole numbers from 0, below `limit`. */
export function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

export function randomBytes(random: (limit: number) => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256));
}
