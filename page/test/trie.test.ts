// RLP and tries, against tries.json, ethereum/tests, and tries that @ethereumjs/mpt builds.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createMerkleProof, MerklePatriciaTrie, verifyMerkleProof } from "@ethereumjs/mpt";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { equalBytes, parseHex, toHex, toUtf8 } from "../src/core/bytes.js";
import { StateProofError } from "../src/core/errors.js";
import { asInteger, decodeRlp, encodeRlp, type RlpItem } from "../src/core/rlp.js";
import { provenValue } from "../src/core/trie.js";
import { each, hexAll, randomBytes, readJson, seeded } from "./support.js";

interface Tries {
  readonly valid: { name: string; root: string; key: string; nodes: string[]; value: string | null }[];
  readonly invalid: { name: string; root: string; key: string; nodes: string[]; reason: string }[];
}
type Rlp = string | number | Rlp[];
type NextPrevious = { [name: string]: { in: string[]; tests: string[][] } };
type TrieTest = { in: [string, string | null][] | { [key: string]: string | null }; root: string };

const tries = readJson<Tries>("tries.json");
each(
  "trie, valid",
  tries.valid,
  ({ name }) => name,
  ({ root, key, nodes, value }) => {
    const found = provenValue(parseHex(root, 32), parseHex(key, 32), hexAll(nodes));
    assert.equal(found === null ? null : toHex(found), value);
    asWord(found);
  },
);
each(
  "trie, invalid",
  tries.invalid,
  ({ name, reason }) => `${name} (${reason})`,
  ({ root, key, nodes }) => {
    const proof = [parseHex(root, 32), parseHex(key, 32), hexAll(nodes)] as const;
    assert.throws(() => asWord(provenValue(...proof)), StateProofError);
  },
);

each(
  "RLP, valid",
  Object.entries(readJson<{ [name: string]: { in: Rlp; out: string } }>("eth/rlptest.json")),
  ([name]) => name,
  ([, vector]) => {
    const bytes = parseHex(vector.out.toLowerCase());
    assert.deepEqual(decodeRlp(bytes), toRlp(vector.in));
    assert.equal(toHex(encodeRlp(decodeRlp(bytes))), toHex(bytes));
  },
);
each(
  "RLP, example",
  Object.entries(readJson<{ [name: string]: { out: string } }>("eth/rlpexample.json")),
  ([name]) => name,
  ([, { out }]) => {
    assert.equal(toHex(encodeRlp(decodeRlp(parseHex(out)))), out);
  },
);
each(
  "RLP, invalid",
  Object.entries(readJson<{ [name: string]: { out: string } }>("eth/invalidRLPTest.json")),
  ([name]) => name,
  ([, { out }]) => {
    assert.throws(() => decodeRlp(parseHex(`0x${out.replace("0x", "").toLowerCase()}`)), StateProofError);
  },
);

for (const file of ["trietest_secureTrie", "trieanyorder_secureTrie", "hex_encoded_securetrie_test"]) {
  for (const [name, vector] of Object.entries(readJson<{ [name: string]: TrieTest }>(`eth/${file}.json`))) {
    test(`${file}: ${name}`, async () => {
      const content = new Map<string, Uint8Array>();
      const trie = new MerklePatriciaTrie({ useKeyHashing: true });
      for (const [key, value] of Array.isArray(vector.in) ? vector.in : Object.entries(vector.in)) {
        await trie.put(toBytes(key), value === null ? null : toBytes(value));
        content.set(key, value === null ? new Uint8Array() : toBytes(value));
      }
      const root = parseHex(vector.root, 32);
      assert.equal(toHex(trie.root()), vector.root);
      for (const [key, value] of [...content, ["nobody has this key", new Uint8Array()] as const]) {
        const nodes = await createMerkleProof(trie, toBytes(key));
        const found = provenValue(root, keccak_256(toBytes(key)), nodes);
        assert.equal(found === null ? "0x" : toHex(found), toHex(value));
      }
    });
  }
}

for (const file of ["trietest", "trieanyorder"]) {
  for (const [name, vector] of Object.entries(readJson<{ [name: string]: TrieTest }>(`eth/${file}.json`))) {
    test(`${file}: ${name}, keys of any length`, async () => {
      const content = new Map<string, Uint8Array | null>();
      const trie = new MerklePatriciaTrie();
      for (const [key, value] of Array.isArray(vector.in) ? vector.in : Object.entries(vector.in)) {
        await trie.put(toBytes(key), value === null ? null : toBytes(value));
        content.set(key, value === null ? null : toBytes(value));
      }
      assert.equal(toHex(trie.root()), vector.root);
      for (const [key, value] of content) {
        const nodes = await createMerkleProof(trie, toBytes(key));
        try {
          assert.deepEqual(provenValue(trie.root(), toBytes(key), nodes), value);
        } catch (error) {
          // In Ethereum's state no key is the beginning of another: there it gives nothing.
          assert.ok(error instanceof StateProofError && hasKin(key, content.keys()), String(error));
        }
      }
    });
  }
}

test("neighbours of keys are not taken for them", async () => {
  for (const { in: keys, tests } of Object.values(readJson<NextPrevious>("eth/trietestnextprev.json"))) {
    const trie = new MerklePatriciaTrie();
    for (const key of keys) await trie.put(toUtf8(key), toUtf8(`value of ${key}`));
    for (const key of new Set(tests.flat().filter((each) => each !== ""))) {
      const nodes = await createMerkleProof(trie, toUtf8(key));
      const value = keys.includes(key) ? toUtf8(`value of ${key}`) : null;
      try {
        assert.deepEqual(provenValue(trie.root(), toUtf8(key), nodes), value);
      } catch (error) {
        assert.ok(error instanceof StateProofError && hasKin(key, keys), String(error));
      }
    }
  }
});

test("the library takes our vectors of tries as we do", async () => {
  for (const { name, root, key, nodes, value } of tries.valid) {
    // It wants the root's node first, each node once, and no others; and has no proof of an empty trie.
    if (/reverse|beside|twice|repeated|empty-trie/.test(name)) continue;
    const found = await verifyMerkleProof(parseHex(key), hexAll(nodes), { root: parseHex(root) });
    assert.equal(found === null ? null : toHex(found), value, name);
  }
});

test("a thousand small tries: each node of each proof altered", async () => {
  const random = seeded(7);
  for (let round = 0; round < 1000; round += 1) {
    const trie = new MerklePatriciaTrie();
    const stem = randomBytes(random, 32);
    const someKey = (): Uint8Array => {
      const key = Uint8Array.from(stem);
      for (let at = random(33); at < 32; at += 1) key[at] = random(256);
      return key;
    };
    const content = new Map<string, Uint8Array>();
    for (let count = random(6); count >= 0; count -= 1) {
      const [key, value] = [someKey(), randomBytes(random, 1 + random(34))];
      await trie.put(key, value);
      content.set(toHex(key), value);
    }
    const key = random(3) === 0 ? someKey() : parseHex([...content.keys()][random(content.size)] ?? "0x");
    const [root, truth] = [trie.root(), content.get(toHex(key)) ?? null];
    const nodes = await createMerkleProof(trie, key);
    assert.deepEqual(provenValue(root, key, nodes), truth);
    for (let victim = 0; victim < nodes.length; victim += 1) {
      const altered = nodes.map((node) => Uint8Array.from(node));
      altered[victim]![random(altered[victim]!.length)]! ^= 1 << random(8);
      if (victim > 0 && nodes[victim]!.length < 32) {
        // It lies inside another, and stands here once more.
        assert.deepEqual(provenValue(root, key, altered), truth);
        continue;
      }
      assert.throws(() => provenValue(root, key, altered), StateProofError);
      await assert.rejects(verifyMerkleProof(key, altered, { root }));
    }
  }
});

test("random tries: what is there is proven, what is not is proven absent, and nothing altered proves anything else", async () => {
  const random = seeded(5);
  for (let round = 0; round < 25; round += 1) {
    const trie = new MerklePatriciaTrie();
    // Paths that part late make extensions and, with short values, nodes inside nodes.
    const stems = Array.from({ length: 1 + random(4) }, () => randomBytes(random, 32));
    const someKey = (): Uint8Array => {
      const key = Uint8Array.from(stems[random(stems.length)] ?? []);
      for (let at = random(33); at < 32; at += 1) key[at] = random(4) === 0 ? random(256) : (key[at] ?? 0);
      return key;
    };
    const content = new Map<string, Uint8Array>();
    for (let count = random(40); count >= 0; count -= 1) {
      const [key, value] = [someKey(), randomBytes(random, 1 + random(random(2) === 0 ? 3 : 60))];
      await trie.put(key, value);
      content.set(toHex(key), value);
    }
    for (const key of [...[...content.keys()].map((text) => parseHex(text)), ...Array.from({ length: 20 }, someKey)]) {
      await compare(trie, key, content.get(toHex(key)) ?? null, random);
    }
  }
});

/** Hold one proof, and altered forms of it, against the truth and against the library. */
async function compare(
  trie: MerklePatriciaTrie,
  key: Uint8Array,
  truth: Uint8Array | null,
  random: (limit: number) => number,
): Promise<void> {
  const root = trie.root();
  const nodes = await createMerkleProof(trie, key);
  assert.deepEqual(await verifyMerkleProof(key, nodes, { root }), truth);
  assert.deepEqual(provenValue(root, key, nodes), truth);
  assert.deepEqual(provenValue(root, key, [...nodes].reverse()), truth);
  assert.deepEqual(
    provenValue(root, key, [randomBytes(random, 40), new Uint8Array(), ...nodes, ...nodes].slice(0, 65)),
    truth,
  );
  const altered = nodes.map((node) => Uint8Array.from(node));
  const victim = altered[random(altered.length)];
  if (victim !== undefined) victim[random(victim.length)]! ^= 1 << random(8);
  for (const other of [altered, nodes.slice(1), nodes.slice(0, -1)]) {
    try {
      // Where a node lies inside another, the library lists it a second time: leaving that out leaves a whole proof.
      assert.deepEqual(provenValue(root, key, other), truth);
      assert.ok(nodes.some((node) => node.length < 32));
    } catch (error) {
      assert.ok(error instanceof StateProofError, String(error));
      await assert.rejects(verifyMerkleProof(key, other, { root }));
    }
  }
}

test("nodes that no honest trie has are refused, though their hashes lead to them", () => {
  const key = new Uint8Array(32);
  const leafPath = Uint8Array.of(0x20, ...key);
  const branch = (child: RlpItem): RlpItem[] => [child, ...Array.from({ length: 16 }, () => new Uint8Array())];
  const alone: { readonly [name: string]: RlpItem } = {
    "a string for a node": new Uint8Array(40),
    "three items": [leafPath, key, key],
    "no item": [],
    "flags 4": [Uint8Array.of(0x40, ...key), key],
    "padding that is not zero": [Uint8Array.of(0x21, ...key), key],
    "an empty path": [new Uint8Array(), key],
    "a list for a path": [[leafPath], key],
    "a list for a value": [leafPath, [key]],
    "an extension without a path": [Uint8Array.of(0x00), key],
    "an extension to nothing": [Uint8Array.of(0x10), new Uint8Array()],
    "a reference of 31 bytes": branch(new Uint8Array(31)),
    "a small node that is a branch of 16": branch(Array.from({ length: 16 }, () => new Uint8Array())),
  };
  for (const [name, node] of Object.entries(alone)) {
    const bytes = encodeRlp(node);
    assert.throws(() => provenValue(keccak_256(bytes), key, [bytes]), StateProofError, name);
  }
  const leaf = encodeRlp([leafPath, Uint8Array.of(1)]);
  assert.deepEqual(provenValue(keccak_256(leaf), key, [leaf]), Uint8Array.of(1));
  const longer = Uint8Array.of(...leaf, 0);
  assert.throws(() => provenValue(keccak_256(longer), key, [longer]), StateProofError);
});

/** Tell whether a key is the beginning of another, or another of it. */
function hasKin(key: string, keys: Iterable<string>): boolean {
  return [...keys].some((other) => other !== key && (other.startsWith(key) || key.startsWith(other)));
}

/** Read a value as a slot's word: what it must be is part of the vectors. */
function asWord(value: Uint8Array | null): bigint {
  return value === null ? 0n : asInteger(decodeRlp(value));
}

function toBytes(text: string): Uint8Array {
  return text.startsWith("0x") ? parseHex(text) : toUtf8(text);
}

function toRlp(value: Rlp): RlpItem {
  if (Array.isArray(value)) return value.map(toRlp);
  if (typeof value === "string" && !value.startsWith("#")) return toUtf8(value);
  const digits = BigInt(String(value).replace("#", "")).toString(16);
  const bytes = parseHex(`0x${digits.length % 2 === 1 ? "0" : ""}${digits}`);
  return equalBytes(bytes, Uint8Array.of(0)) ? new Uint8Array() : bytes;
}
