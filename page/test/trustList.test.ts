// Trust lists, against trust-lists.json: which hold, what follows from them, which may follow another.

import assert from "node:assert/strict";

import { toUtf8 } from "../src/core/bytes.js";
import { MalformedError, TrustListError } from "../src/core/errors.js";
import { parsePolicy } from "../src/core/policy.js";
import { SignatureError } from "../src/core/signature.js";
import { applyTrustLists, checkTrustList, requireSuccessor } from "../src/core/trustList.js";
import { each, readJson } from "./support.js";

interface Vectors {
  readonly valid: { name: string; list: object; signer: string; sequence: number }[];
  readonly invalid: { name: string; list: object; isMalformed: boolean }[];
  readonly use: {
    name: string;
    policy: object;
    list: object;
    now: number;
    trusted: { registries: string[]; deniedIssuers: string[] } | null;
  }[];
  readonly successors: { name: string; accepted: object; list: object; mayFollow: boolean }[];
}

const vectors = readJson<Vectors>("trust-lists.json");
const bytesOf = (value: object): Uint8Array => toUtf8(JSON.stringify(value));
const nameOf = ({ name }: { name: string }): string => name;

each("trust list", vectors.valid, nameOf, ({ list, signer, sequence }) => {
  const read = checkTrustList(bytesOf(list));
  assert.deepEqual([read.signer, read.sequence], [signer, sequence]);
});

each("refused trust list", vectors.invalid, nameOf, ({ list, isMalformed }) => {
  assert.throws(
    () => checkTrustList(bytesOf(list)),
    (error) => error instanceof MalformedError && error instanceof SignatureError !== isMalformed,
  );
});

each("use of a trust list", vectors.use, nameOf, ({ policy, list, now, trusted }) => {
  const use = (): unknown => {
    const { registries, deniedIssuers } = applyTrustLists(
      parsePolicy(bytesOf(policy)),
      [checkTrustList(bytesOf(list))],
      now,
    );
    return [registries.map(({ registry }) => registry.id).sort(), [...deniedIssuers].sort()];
  };
  if (trusted === null) assert.throws(use, TrustListError);
  else assert.deepEqual(use(), [[...trusted.registries].sort(), [...trusted.deniedIssuers].sort()]);
});

each("successor", vectors.successors, nameOf, ({ accepted, list, mayFollow }) => {
  const follow = (): void => requireSuccessor(checkTrustList(bytesOf(list)), checkTrustList(bytesOf(accepted)));
  if (mayFollow) follow();
  else assert.throws(follow, TrustListError);
});
