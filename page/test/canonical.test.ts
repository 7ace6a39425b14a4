// Strict JSON and canonical bytes, against canonical.json and the vectors of cyberphone/json-canonicalization.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";

import { parseHex, toHex } from "../src/core/bytes.js";
import { canonicalBytes, credentialHash } from "../src/core/canonical.js";
import { MalformedError } from "../src/core/errors.js";
import { type JsonValue, parseJsonObject } from "../src/core/json.js";
import { each, readJson, readVectors } from "./support.js";

interface Vectors {
  readonly valid: { name: string; input: string; canonical: string; sha256: string }[];
  readonly invalid: { name: string; input: string; reason: string }[];
}

const { valid, invalid } = readJson<Vectors>("canonical.json");

each(
  "canonical, valid",
  valid,
  ({ name }) => name,
  ({ input, canonical, sha256 }) => {
    const document = parseJsonObject(parseHex(input));
    assert.equal(toHex(canonicalBytes(document)), canonical);
    assert.equal(toHex(credentialHash(document)), sha256);
  },
);

each(
  "canonical, invalid",
  invalid,
  ({ name, reason }) => `${name} (${reason})`,
  ({ input }) => {
    const bytes = parseHex(input);
    assert.throws(() => parseJsonObject(bytes), MalformedError);
  },
);

// The canonical form alone: they are not all objects, and some numbers in them are refused here. So under a member, and
// read by JSON.parse.
each(
  "cyberphone",
  readdirSync(new URL("../../../tests/vectors/jcs/input/", import.meta.url)),
  (name) => name,
  (name) => {
    const text = (folder: string): string => new TextDecoder().decode(readVectors(`jcs/${folder}/${name}`)).trim();
    const value = JSON.parse(text("input")) as JsonValue;
    assert.equal(new TextDecoder().decode(canonicalBytes({ value })), `{"value":${text("output")}}`);
  },
);
