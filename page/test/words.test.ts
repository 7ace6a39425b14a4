// What the page says: complete in every language, and fit for what strangers write.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { GROUPS } from "../src/checking/groups.js";
import { type FailedReason, STEPS, type UnknownReason } from "../src/core/verdict.js";
import type { Problem } from "../src/model/model.js";
import { MAX_SHOWN, mailLink, plain, quoted, safeLink } from "../src/ui/stranger.js";
import { LANGUAGES, languageOf, typeset, Words } from "../src/ui/words.js";

const FOLDER = new URL("../../src/ui/words/", import.meta.url);

function read(name: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Record<string, string>;
}

function placesOf(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g))].sort();
}

/** Forms of a plural are one name: languages have different ones. */
function nameOf(key: string): string {
  return key.split("#")[0] ?? "";
}

for (const file of ["", "many.", "problems."]) {
  test(`${file}words: every language has the same names with the same places`, () => {
    const english = read(`${file}en.json`);
    for (const language of LANGUAGES) {
      const other = read(`${file}${language}.json`);
      assert.deepEqual(
        [...new Set(Object.keys(other).map(nameOf))].sort(),
        [...new Set(Object.keys(english).map(nameOf))].sort(),
      );
      for (const [key, text] of Object.entries(other)) {
        assert.notEqual(text.trim(), "", key);
        const model = english[key] ?? english[`${nameOf(key)}#other`] ?? "";
        assert.deepEqual(placesOf(text), placesOf(model), `${language}: ${key}`);
      }
    }
  });
}

test("words: every plural has the form that stands for all numbers", () => {
  for (const language of LANGUAGES) {
    const keys = ["", "many."].flatMap((file) => Object.keys(read(`${file}${language}.json`)));
    const counted = new Set(keys.filter((key) => key.includes("#")).map(nameOf));
    for (const name of counted) {
      assert.ok(keys.includes(`${name}#other`) && keys.includes(`${name}#one`), `${language}: ${name}`);
    }
  }
});

test("words: French leaves no sign alone at the start of a line", () => {
  assert.equal(typeset("Voici : « Oui »"), "Voici\u00a0: «\u00a0Oui\u00a0»");
  assert.equal(new Words("fr").say("qr.found").at(-2), "\u00a0");
  assert.equal(new Words("en").say("checks.summary", { title: "a", counts: "b" }), "a: b");
});

// Complete, for one that is missing or too many does not compile.
const FAILED: Record<FailedReason, true> = {
  tampered: true,
  notAnchored: true,
  keyNotValid: true,
  keyCompromised: true,
  untrustedIssuer: true,
  batchRevoked: true,
  revoked: true,
  suspended: true,
  notYetValid: true,
  expired: true,
};
const OPEN: Record<UnknownReason, true> = {
  untrustedRegistry: true,
  noEvidence: true,
  badStateProof: true,
  unvouchedBlock: true,
  staleBlock: true,
  wrongCode: true,
  pending: true,
  unconfirmedIssuer: true,
  requiredProof: true,
};
const PROBLEMS: Record<Problem, true> = {
  empty: true,
  tooLarge: true,
  notText: true,
  notJson: true,
  notStrictJson: true,
  notCredential: true,
  badCredential: true,
  badProof: true,
  badBundle: true,
  badArchive: true,
  archiveTooLarge: true,
  archiveInArchive: true,
  archiveEncrypted: true,
  archiveEmpty: true,
  badPicture: true,
  pictureWithout: true,
  pdf: true,
  webPage: true,
  isPolicy: true,
  isReceipt: true,
  isTrustList: true,
  isReport: true,
  blockcerts: true,
  openBadge2: true,
  jwt: true,
  readFailed: true,
  notAddress: true,
  insecureAddress: true,
  notFetched: true,
  notFetchedCors: true,
  fetchedTooLarge: true,
  timedOut: true,
};

test("words: for whatever can come of it there is why, and what to do", () => {
  const causes = [...Object.keys({ ...FAILED, ...OPEN }), ...Object.keys(PROBLEMS).map((each) => `problem.${each}`)];
  for (const language of LANGUAGES) {
    const words = new Words(language);
    for (const cause of [...causes, "valid", "otherPerson", "holderOpen"]) {
      for (const part of ["why", "do"]) assert.ok(words.find(`${cause}.${part}`), `${language}: ${cause}.${part}`);
    }
    for (const step of STEPS) {
      assert.ok(words.find(`check.${step}`), `${language}: ${step}`);
      assert.ok(words.find(`check.${step}.passed`), `${language}: ${step}`);
    }
    for (const group of GROUPS) assert.ok(words.find(`answer.${group}`), `${language}: ${group}`);
  }
});

test("words: numbers, plurals, dates and lists are those of the language", () => {
  const english = new Words("en", "UTC");
  const french = new Words("fr", "UTC");
  assert.equal(english.count("working.read", 1), "1 credential read");
  assert.equal(english.count("working.read", 0), "0 credentials read");
  assert.equal(french.count("working.read", 0), "0 attestation lue");
  assert.equal(english.count("working.read", 1000), "1,000 credentials read");
  assert.match(french.count("working.read", 1000), /^1\s000 attestations lues$/);
  // A form that the language has and the words have not: that for millions.
  assert.match(french.count("working.read", 1_000_000), /attestations lues$/);
  assert.equal(english.day(1_780_000_000), "May 28, 2026");
  assert.equal(french.day(1_780_000_000), "28 mai 2026");
  assert.match(english.moment(1_780_000_000), /^May 28, 2026 at 8:26\sp\.m\. UTC$/);
  assert.match(french.moment(1_780_000_000), /20\sh\s26 UTC$/);
  assert.equal(english.moment(253_402_300_800_000), "253402300800000");
  assert.equal(french.list(["a", "b", "c"]), "a, b et c");
});

test("words: a value that is missing is a fault, and one that looks like a place is none", () => {
  const words = new Words("en");
  assert.throws(() => words.say("qr.open.hint"), /host/);
  assert.equal(words.say("qr.open.hint", { host: "{host}" }).includes("Only {host} is"), true);
  assert.equal(words.find("toString"), null);
});

test("languages: the first wanted that there is", () => {
  assert.equal(languageOf(["fr-CA", "en"]), "fr");
  assert.equal(languageOf(["de", "EN-gb"]), "en");
  assert.equal(languageOf(["de"]), "en");
  assert.equal(languageOf([]), "en");
});

test("strangers: what they write is one line that turns nothing around it", () => {
  assert.equal(plain("  Zoé \n\t Tremblay "), "Zoé Tremblay");
  assert.equal(plain("evil\u202etxt.exe\u2066\u200b\u0000\ud800"), "eviltxt.exe");
  // What Persian, Indian languages and emoji need stays.
  assert.equal(plain("می\u200cخواهم 👩\u200d🎓"), "می\u200cخواهم 👩\u200d🎓");
  assert.equal(Array.from(plain("😀".repeat(5_000))).length, MAX_SHOWN + 1);
  assert.equal(plain("<b>&amp;</b>"), "<b>&amp;</b>");
  assert.equal(quoted("a\u2069b"), "\u2068ab\u2069");
});

test("strangers: only plain addresses become links", () => {
  assert.equal(safeLink("https://college.example/a"), "https://college.example/a");
  for (const text of [
    "javascript:alert(1)",
    "http://college.example/",
    "https://you@college.example/",
    "data:,x",
    "",
  ]) {
    assert.equal(safeLink(text), null, text);
  }
  assert.equal(mailLink("registrar@college.example"), "mailto:registrar@college.example");
  for (const text of ["a@b?subject=x", "a@b,c@d", "a b@c", "javascript:a@b", "a@b\nBcc: c@d", "%0a@b"]) {
    assert.equal(mailLink(text), null, text);
  }
});
