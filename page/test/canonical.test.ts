// Strict JSON and canonical bytes, against canonical.json and the vectors of cyberphone/json-canonicalization.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";

import { parseHex, toHex, toUtf8 } from "../src/core/bytes.js";
import { canonicalBytes, credentialHash } from "../src/core/canonical.js";
import { MalformedError } from "../src/core/errors.js";
import { parseJsonObject } from "../src/core/json.js";
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
    assert.throws(() => parseJsonObject(parseHex(input)), MalformedError);
  },
);

// Their inputs hold anything; put under a member, so that each is an object.
const names = readdirSync(new URL("../../../tests/vectors/jcs/input/", import.meta.url));
each(
  "cyberphone",
  names,
  (name) => name,
  (name) => {
    const wrap = (folder: string): Uint8Array => {
      const text = new TextDecoder().decode(readVectors(`jcs/${folder}/${name}`));
      return toUtf8(`{"value":${text.trim()}}`);
    };
    assert.equal(toHex(canonicalBytes(parseJsonObject(wrap("input")))), toHex(wrap("output")));
  },
);
