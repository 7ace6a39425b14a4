// Tries by @ethereumjs/mpt, which shares no code with ours, for tests/property/test_ethereumjs.py.
//
//   make SEED COUNT   prints a random trie a line: its root, and proofs of what is in it and what is not; then, of altered
//                     proofs, what the library says
//   check             reads {root, key, nodes} line by line, and prints what the library says: a value, null, "refused"

import { createInterface } from "node:readline";

import { createMerkleProof, MerklePatriciaTrie, verifyMerkleProof } from "@ethereumjs/mpt";

const [task, seed = "0", count = "0"] = process.argv.slice(2);

const toHex = (bytes) => (bytes === null ? null : `0x${Buffer.from(bytes).toString("hex")}`);
const parseHex = (text) => Uint8Array.from(Buffer.from(text.slice(2), "hex"));

/** Numbers that are the same in every run: mulberry32. Gives whole numbers from 0, below `limit`. */
let state = Number(seed);
function random(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
}
const randomBytes = (length) => Uint8Array.from({ length }, () => random(256));

/** Keys that part late make extensions and, with short values, nodes inside nodes. */
function randomKey(stems) {
  const key = Uint8Array.from(stems[random(stems.length)]);
  for (let at = random(33); at < 32; at += 1) key[at] = random(4) === 0 ? random(256) : key[at];
  return key;
}

async function said(root, key, nodes) {
  try {
    return toHex(await verifyMerkleProof(key, nodes, { root }));
  } catch {
    return "refused";
  }
}

async function make() {
  const trie = new MerklePatriciaTrie();
  const stems = Array.from({ length: 1 + random(3) }, () => randomBytes(32));
  const content = new Map();
  for (let left = 1 + random(10); left > 0; left -= 1) {
    const [key, value] = [randomKey(stems), randomBytes(1 + random(random(2) === 0 ? 3 : 40))];
    await trie.put(key, value);
    content.set(toHex(key), value);
  }
  const root = trie.root();
  const keys = [...[...content.keys()].slice(0, 2).map(parseHex), randomKey(stems)];
  const proofs = [];
  for (const key of keys) {
    const nodes = await createMerkleProof(trie, key);
    const altered = [];
    for (let victim = 0; victim < nodes.length; victim += 1) {
      const others = nodes.map((node) => Uint8Array.from(node));
      others[victim][random(others[victim].length)] ^= 1 << random(8);
      altered.push({ nodes: others.map(toHex), said: await said(root, key, others) });
    }
    const value = content.get(toHex(key)) ?? null;
    proofs.push({ key: toHex(key), value: toHex(value), nodes: nodes.map(toHex), altered });
  }
  return { root: toHex(root), entries: [...content].map(([key, value]) => [key, toHex(value)]), proofs };
}

if (task === "make") {
  for (let left = Number(count); left > 0; left -= 1) console.log(JSON.stringify(await make()));
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    const { root, key, nodes } = JSON.parse(line);
    console.log(JSON.stringify(await said(parseHex(root), parseHex(key), nodes.map(parseHex))));
  }
}
