// What is found in files: told apart by what is in them, bounded, and nothing of a hostile one believed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { deflateRawSync } from "node:zlib";

import { toUtf8 } from "../src/core/bytes.js";
import { type Found, InputError, readInputs } from "../src/files/index.js";
import type { Input } from "../src/model/model.js";

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const CREDENTIAL = toUtf8('{"type": "VerifiableCredential", "name": "Zoë", "issuer": "did:web:x.example"}');

interface Packed {
  readonly name: string;
  readonly data: Uint8Array;
  /** What its headers say instead of the truth. */
  readonly size?: number;
  readonly crc?: number;
  readonly localName?: string;
  /** In the table of contents. */
  readonly offset?: number;
}

/** CRC-32, bit by bit: another way than the code under test. */
function crcOf(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

/** An archive, as APPNOTE.TXT has it, with what is asked for wrong in it. */
function zipOf(members: readonly Packed[], count = members.length): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let place = 0;
  for (const { name, data, size = data.length, crc = crcOf(data), localName = name, offset = place } of members) {
    const packed = deflateRawSync(data);
    const common = Buffer.alloc(22);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    const local = Buffer.concat([
      Buffer.from("PK\x03\x04"),
      common,
      lengths(localName),
      Buffer.from(localName),
      packed,
    ]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    const made = Buffer.from([20, 0]);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02"), made, common, lengths(name), rest, Buffer.from(name)]));
    parts.push(local);
    place += local.length;
  }
  const table = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(table.length, 12);
  end.writeUInt32LE(place, 16);
  return new Uint8Array(Buffer.concat([...parts, table, end]));
}

function lengths(name: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(Buffer.byteLength(name));
  return bytes;
}

async function foundIn(inputs: readonly Input[], fetcher: typeof fetch = noNetwork): Promise<Found[]> {
  const found = [];
  const asking = { fetch: fetcher, signal: new AbortController().signal, onRequest: () => undefined };
  for await (const each of readInputs(inputs, asking)) found.push(each);
  return found;
}

function noNetwork(): Promise<Response> {
  return Promise.reject(new TypeError("no network here"));
}

async function foundInFile(bytes: Uint8Array, path = "given"): Promise<Found[]> {
  return foundIn([{ kind: "file", file: new Blob([new Uint8Array(bytes)]), path }]);
}

/** What came of each: the length of its bytes, or what is wrong. */
function outcomes(found: readonly Found[]): (number | string)[] {
  return found.map(({ content }) => (content instanceof InputError ? content.problem : content.length));
}

test("members are read one by one, and one that is wrong spoils no other", async () => {
  const good = { name: "good.json", data: CREDENTIAL };
  for (const [name, bad, problem] of [
    [
      "unpacks to more than it says",
      { name: "a.json", data: new Uint8Array(5_000_000).fill(32), crc: 0, size: 10 },
      "badArchive",
    ],
    ["unpacks to less than it says", { name: "a.json", data: CREDENTIAL, size: 1000 }, "badArchive"],
    ["unpacks to very much", { name: "a.json", data: new Uint8Array(50_000_000).fill(32), crc: 0 }, "archiveTooLarge"],
    ["checksum", { name: "a.json", data: CREDENTIAL, crc: 1 }, "badArchive"],
    ["another name in its own header", { name: "a.json", data: CREDENTIAL, localName: "b.json" }, "badArchive"],
    ["another length of name", { name: "a.json", data: CREDENTIAL, localName: "aa.json" }, "badArchive"],
    ["stands outside", { name: "a.json", data: CREDENTIAL, offset: 4_000_000 }, "badArchive"],
    ["leads out", { name: "../a.json", data: CREDENTIAL }, "badArchive"],
    ["archive in it", { name: "a.zip", data: zipOf([good]) }, "archiveInArchive"],
  ] as const) {
    assert.deepEqual(outcomes(await foundInFile(zipOf([bad, good]))), [problem, CREDENTIAL.length], name);
  }
});

test("bytes that stand in several members count for none of them", async () => {
  // As in archives that grow to petabytes: every member begins within the one before.
  const inner = zipOf([{ name: "b.json", data: CREDENTIAL }]);
  const outer = { name: "a.json", data: CREDENTIAL };
  const start = 30 + outer.name.length;
  const overlapping = zipOf([outer, { name: "b.json", data: inner, offset: start }]);
  assert.deepEqual(outcomes(await foundInFile(overlapping)), ["badArchive", "badArchive"]);
  const same = zipOf([outer, { ...outer, name: "c.json", localName: "a.json", offset: 0 }]);
  assert.deepEqual(outcomes(await foundInFile(same)), ["badArchive", "badArchive"]);
});

test("names in an archive are text, whatever they are", async () => {
  const names = ["<img src=x onerror=alert(1)>.json", "__proto__.json", "constructor.json", "a\u202enosj.json"];
  const found = await foundInFile(zipOf(names.map((name) => ({ name, data: CREDENTIAL }))));
  assert.deepEqual(
    found.map(({ source }) => source.member),
    names,
  );
});

test("an archive may have a thousand members", async () => {
  const members = Array.from({ length: 1000 }, (_, index) => ({ name: `${index}.json`, data: CREDENTIAL }));
  assert.equal((await foundInFile(zipOf(members))).length, 1000);
});

test("an archive that says to have a long table of contents is not read for it", async () => {
  const archive = zipOf([{ name: "a.json", data: CREDENTIAL }]);
  const long = new Uint8Array(40 * 2 ** 20);
  long.set(archive.subarray(0, 4));
  const end = archive.slice(-22);
  new DataView(end.buffer).setUint32(12, 39 * 2 ** 20, true);
  long.set(end, long.length - 22);
  assert.deepEqual(outcomes(await foundInFile(long)), ["archiveTooLarge"]);
});

test("of a folder, what is plainly none of ours is passed over", async () => {
  const file = new Blob([new Uint8Array(CREDENTIAL)]);
  const paths = [
    "b/1.json",
    "b/x/2.JSON",
    "b/readme.txt",
    "b/.git/3.json",
    "b/.4.json",
    "b/__MACOSX/5.json",
    ".b/6.json",
  ];
  const found = await foundIn(paths.map((path) => ({ kind: "file", file, path })));
  assert.deepEqual(
    found.map(({ source }) => source.path),
    ["b/1.json", "b/x/2.JSON", ".b/6.json"],
  );
  assert.ok(found.every(({ isNamed }) => !isNamed));
  const named = await foundIn(["readme.txt", ".x"].map((path) => ({ kind: "file", file, path })));
  assert.deepEqual(
    named.map(({ isNamed }) => isNamed),
    [true, true],
  );
});

test("a file that is gone is said to be, and the others are read", async () => {
  class Gone extends Blob {
    override slice(): Blob {
      return this;
    }
    override arrayBuffer(): Promise<ArrayBuffer> {
      return Promise.reject(new DOMException("a requested file could not be found", "NotFoundError"));
    }
  }
  const given = [new Gone(), new Blob([new Uint8Array(CREDENTIAL)])];
  const found = await foundIn(
    given.map((file, index) => ({ kind: "file", file, path: `${index}.zip`.slice(0, index ? 1 : 5) })),
  );
  assert.deepEqual(outcomes(found), ["readFailed", CREDENTIAL.length]);
});

// In time that grows with the square of their length, these would not end.
test("pictures made to exhaust time are read at once", async () => {
  const attributes = Array.from({ length: 100_000 }, (_, index) => `a${index}=""`).join(" ");
  const scopes = Array.from({ length: 20_000 }, (_, index) => `<g xmlns:n${index}="urn:${index}">`).join("");
  const chunks = new Uint8Array(PNG.length + 300_000 * 12);
  chunks.set(PNG);
  for (const [name, picture] of [
    ["attributes", toUtf8(`<svg ${attributes}/>`)],
    ["scopes", toUtf8(scopes)],
    ["ampersands", toUtf8(`<svg>${"&".repeat(1_000_000)}`)],
    ["brackets", toUtf8("<".repeat(1_000_000))],
    ["chunks", chunks],
  ] as const) {
    const [found] = await foundInFile(picture);
    assert.ok(found?.content instanceof InputError, name);
  }
});

test("pasted text is a credential, or a link that is fetched from nowhere else", async () => {
  const asked: string[] = [];
  const fetcher = (address: unknown): Promise<Response> => {
    asked.push(String(address));
    return Promise.resolve(new Response(new Uint8Array(CREDENTIAL)));
  };
  const link = await foundIn([{ kind: "text", text: " https://x.example/1.json?key=secret\n" }], fetcher);
  assert.deepEqual([outcomes(link), asked], [[CREDENTIAL.length], ["https://x.example/1.json?key=secret"]]);
  assert.deepEqual([link[0]?.source.address, link[0]?.contacted], ["https://x.example/1.json?…", ["x.example"]]);
  const texts = ['{"seeAlso": "https://x.example/2"}', "look at https://x.example/2", "javascript:alert(1)", "\ud800"];
  const found = await foundIn(
    texts.map((text) => ({ kind: "text", text })),
    fetcher,
  );
  assert.deepEqual(outcomes(found), [34, 27, 19, "notText"]);
  assert.equal(asked.length, 1);
});

test("a link is bounded, follows nothing, and an archive or picture may be behind it", async () => {
  const answers = new Map<string, () => Promise<Response>>([
    ["/zip", async () => new Response(new Uint8Array(zipOf([{ name: "a.json", data: CREDENTIAL }])))],
    ["/svg", async () => new Response("<svg/>")],
    ["/large", async () => new Response(new Uint8Array(17 * 2 ** 20))],
    ["/gone", async () => new Response("", { status: 404 })],
    ["/elsewhere", () => Promise.reject(new TypeError("redirect"))],
  ]);
  const fetcher = (address: unknown, options?: RequestInit): Promise<Response> => {
    assert.deepEqual(
      [options?.redirect, options?.credentials, options?.referrerPolicy],
      ["error", "omit", "no-referrer"],
    );
    return answers.get(new URL(String(address)).pathname)?.() ?? Promise.reject(new TypeError("none"));
  };
  for (const [path, outcome] of [
    ["/zip", CREDENTIAL.length],
    ["/svg", "pictureWithout"],
    ["/large", "fetchedTooLarge"],
    ["/gone", "notFetched"],
    ["/elsewhere", "notFetchedCors"],
  ] as const) {
    assert.deepEqual(
      outcomes(await foundIn([{ kind: "link", url: `https://x.example${path}` }], fetcher)),
      [outcome],
      path,
    );
  }
});
