// Audit statements, against audit-statements.json: which hold, and what two of them say of each other.

import assert from "node:assert/strict";
import { test } from "node:test";

import { checkAuditStatement, compareAuditStatements, type Contradiction } from "../src/core/auditStatement.js";
import { toHex, toUtf8 } from "../src/core/bytes.js";
import { MalformedError } from "../src/core/errors.js";
import { SignatureError } from "../src/core/signature.js";
import { each, readJson } from "./support.js";

interface Stated {
  readonly block: { readonly registry: string; readonly number: number; readonly at: number };
  readonly registryWide: { readonly events: number; readonly head: string };
  readonly issuers: readonly { readonly events: number; readonly head: string; readonly didHash: string }[];
}
interface Vectors {
  readonly valid: { name: string; statement: Stated; signer: string; issuers: number }[];
  readonly invalid: { name: string; statement: object; isMalformed: boolean }[];
  readonly pairs: {
    name: string;
    one: object;
    other: object;
    contradictions: Contradiction[] | null;
    wentOn: (number | null)[];
  }[];
}

const vectors = readJson<Vectors>("audit-statements.json");
const bytesOf = (value: object): Uint8Array => toUtf8(JSON.stringify(value));
const nameOf = ({ name }: { name: string }): string => name;

each("audit statement", vectors.valid, nameOf, ({ statement, signer, issuers }) => {
  const read = checkAuditStatement(bytesOf(statement));
  assert.deepEqual([read.signer, read.issuers.length], [signer, issuers]);
  assert.equal(read.block.registry.id, statement.block.registry);
  assert.deepEqual([read.block.number, read.block.at], [statement.block.number, statement.block.at]);
  const shown = ({ events, head }: { events: number; head: Uint8Array }): object => ({ events, head: toHex(head) });
  assert.deepEqual(shown(read.registryWide), statement.registryWide);
  assert.deepEqual(
    read.issuers.map((issuer) => ({ ...shown(issuer), didHash: toHex(issuer.didHash) })),
    statement.issuers,
  );
});

each("refused audit statement", vectors.invalid, nameOf, ({ statement, isMalformed }) => {
  assert.throws(
    () => checkAuditStatement(bytesOf(statement)),
    (error) => error instanceof MalformedError && error instanceof SignatureError !== isMalformed,
  );
});

each("two audit statements", vectors.pairs, nameOf, ({ one, other, contradictions, wentOn }) => {
  const statements = [checkAuditStatement(bytesOf(one)), checkAuditStatement(bytesOf(other))] as const;
  for (const [first, second] of [statements, [statements[1], statements[0]] as const]) {
    if (contradictions === null) assert.throws(() => compareAuditStatements(first, second), MalformedError);
    else assert.deepEqual(compareAuditStatements(first, second), { contradictions, wentOn });
  }
});

test("whole numbers of an audit statement have neither fraction nor exponent", () => {
  const text = JSON.stringify(vectors.valid[0]?.statement);
  for (const other of ["5.0", "5e0", "50e-1"]) {
    const written = text.replace('"events":5', `"events":${other}`);
    assert.notEqual(written, text);
    assert.throws(() => checkAuditStatement(toUtf8(written)), /strict JSON/);
  }
});

test("an audit statement that is no JSON is refused", () => {
  assert.throws(() => checkAuditStatement(toUtf8("{")), MalformedError);
});
