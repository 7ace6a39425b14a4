// Leaves and inclusion, against leaves.json, trees.json, CanCred's anchored proofs, and a tree that is built naively.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { sha256 } from "@noble/hashes/sha2.js";

import { equalBytes, fromInteger, parseHex, toHex } from "../src/core/bytes.js";
import { isIncluded, leafHash, leafPreimage, nodeHash } from "../src/core/merkle.js";
import { each, hexAll, readJson, seeded } from "./support.js";

interface Leaves {
  readonly valid: {
    name: string;
    salt: string;
    list: number;
    statusIndex: number;
    credentialHash: string;
    preimage: string;
    leaf: string;
  }[];
}
interface Trees {
  readonly valid: { name: string; size: number; root: string; proofs: { leafIndex: number; siblings: string[] }[] }[];
  readonly invalid: {
    name: string;
    root: string;
    size: number;
    leaf: string;
    leafIndex: number;
    siblings: string[];
    reason: string;
  }[];
}
interface CanCred {
  readonly targetHash: string;
  readonly merkleRoot: string;
  readonly proof: { left?: string; right?: string }[];
}

each(
  "leaf",
  readJson<Leaves>("leaves.json").valid,
  ({ name }) => name,
  ({ salt, list, statusIndex, credentialHash, preimage, leaf }) => {
    const parts = [parseHex(salt, 32), { list, index: statusIndex }, parseHex(credentialHash, 32)] as const;
    assert.equal(leafPreimage(...parts).length, 73);
    assert.equal(toHex(leafPreimage(...parts)), preimage);
    assert.equal(toHex(leafHash(...parts)), leaf);
  },
);

const trees = readJson<Trees>("trees.json");
each(
  "tree, valid",
  trees.valid,
  ({ name }) => name,
  ({ size, root, proofs }) => {
    assert.ok(proofs.length > 0);
    for (const { leafIndex, siblings } of proofs) {
      assert.ok(isIncluded(leafOf(leafIndex), { leafIndex, size, siblings: hexAll(siblings) }, parseHex(root, 32)));
    }
  },
);
each(
  "tree, invalid",
  trees.invalid,
  ({ name, reason }) => `${name} (${reason})`,
  ({ root, size, leaf, leafIndex, siblings }) => {
    assert.ok(!isIncluded(parseHex(leaf, 32), { leafIndex, size, siblings: hexAll(siblings) }, parseHex(root, 32)));
  },
);

// These say which side a sibling is on, and not the size: any size that asks for the same sides will do.
each(
  "CanCred",
  readdirSync(new URL("../../../tests/vectors/cancred/", import.meta.url)),
  (name) => name,
  (name) => {
    const { targetHash, merkleRoot, proof } = readJson<CanCred>(`cancred/${name}`);
    const size = 2 ** proof.length;
    const leafIndex = proof.reduce((index, { left }, level) => index + (left === undefined ? 0 : 2 ** level), 0);
    const siblings = hexAll(proof.map(({ left, right }) => `0x${left ?? right}`));
    const included = (root: string): boolean =>
      isIncluded(parseHex(`0x${targetHash}`), { leafIndex, size, siblings }, parseHex(root));
    assert.ok(included(`0x${merkleRoot}`));
    assert.ok(!included(`0x${targetHash}`));
  },
);

test("every leaf of every tree up to 130, and random ones up to 1,025", () => {
  const random = seeded(3);
  const sizes = Array.from({ length: 130 }, (_, index) => index + 1);
  for (const size of [...sizes, 256, 257, 1023, 1024, 1025]) {
    const levels = buildNaively(size);
    const root = levels.at(-1)?.[0] ?? new Uint8Array();
    const places = size <= 130 ? levels[0]?.keys() : Array.from({ length: 50 }, () => random(size));
    for (const leafIndex of places ?? []) {
      const siblings = proveNaively(levels, leafIndex);
      const proof = { leafIndex, size, siblings };
      assert.ok(isIncluded(leafOf(leafIndex), proof, root));
      assert.ok(!isIncluded(leafOf(leafIndex + 1), proof, root));
      assert.ok(!isIncluded(leafOf(leafIndex), { ...proof, siblings: [...siblings, root] }, root));
      assert.ok(!isIncluded(leafOf(leafIndex), { ...proof, siblings: siblings.slice(1) }, root) || size === 1);
      assert.ok(!isIncluded(leafOf(leafIndex), { ...proof, leafIndex: size }, root));
    }
  }
});

test("the last leaf of the largest batch has 32 siblings, the one of an almost empty last level fewer", () => {
  const siblings = Array.from({ length: 32 }, (_, index) => leafOf(index));
  for (const [leafIndex, size, count] of [
    [0, 2 ** 32 - 1, 32],
    [2 ** 32 - 2, 2 ** 32 - 1, 31],
    [2 ** 31, 2 ** 31 + 1, 1],
  ] as const) {
    const root = foldNaively(leafIndex, size, siblings.slice(0, count));
    assert.ok(isIncluded(leafOf(0), { leafIndex, size, siblings: siblings.slice(0, count) }, root));
  }
});

function leafOf(index: number): Uint8Array {
  return sha256(fromInteger(index, 4));
}

/** Build all levels by the words of the specification: paired from left to right, a last one moves up. */
function buildNaively(size: number): Uint8Array[][] {
  const levels = [Array.from({ length: size }, (_, index) => leafOf(index))];
  for (let level = levels[0] ?? []; level.length > 1; levels.push(level)) {
    const above: Uint8Array[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const [left, right] = level.slice(index, index + 2);
      if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right));
    }
    level = above;
  }
  return levels;
}

function proveNaively(levels: Uint8Array[][], leafIndex: number): Uint8Array[] {
  const neighbours = levels.map((level, height) => {
    const index = Math.floor(leafIndex / 2 ** height);
    return level[index % 2 === 0 ? index + 1 : index - 1];
  });
  return neighbours.filter((each) => each !== undefined);
}

/** Fold with bigints and bit operators, which the core may not use. */
function foldNaively(leafIndex: number, size: number, siblings: Uint8Array[]): Uint8Array {
  let node = leafOf(0);
  const left = [...siblings];
  for (let [index, last] = [BigInt(leafIndex), BigInt(size) - 1n]; last > 0n; index >>= 1n, last >>= 1n) {
    if (index === last && (index & 1n) === 0n) continue;
    const sibling = left.shift() ?? new Uint8Array(32);
    node = (index & 1n) === 1n ? nodeHash(sibling, node) : nodeHash(node, sibling);
  }
  assert.ok(left.length === 0 && !equalBytes(node, leafOf(0)));
  return node;
}
