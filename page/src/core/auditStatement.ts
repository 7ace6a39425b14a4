// Audit statements: what an auditor found proven of a registry, signed. docs/spec/audit-statement.md.
//
// Whether a statement is so, a history that is proven complete tells, and not this.

import { equalBytes, parseHex } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { checkMembers, isArray, isObject, type JsonObject, type JsonValue, parseWholeNumbers } from "./json.js";
import { VOUCHING, type Vouching } from "./policy.js";
import { parseRegistry, type Registry } from "./registry.js";
import { checkSigned, type Signature } from "./signature.js";

const FORMAT = "credanchor/audit-statement@v1";
const MAX_BYTES = 67_108_864;
const MEMBERS = ["format", "program", "auditedAt", "block", "codeHash", "registryWide", "issuers", "proof"];
const BLOCK_MEMBERS = ["registry", "number", "hash", "at", "vouching", "vouchedBy", "nodesAsked"];
const HASH = /^0x[0-9a-f]{64}$/;
/** The roles that are given when a registry is deployed. */
const FIRST_EVENTS = 2;

/** A head, and after how many events. */
export interface StatedHead {
  readonly events: number;
  /** 32 bytes. */
  readonly head: Uint8Array;
}

export interface StatedIssuer extends StatedHead {
  /** 32 bytes. */
  readonly didHash: Uint8Array;
}

export interface StatedBlock {
  readonly registry: Registry;
  readonly number: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** Unix seconds. */
  readonly at: number;
  readonly vouching: Vouching;
  readonly vouchedBy: readonly string[];
  readonly nodesAsked: number;
}

/** A statement whose signature holds. */
export interface AuditStatement extends Signature {
  /** For whom the signer says to sign; empty: not stated. */
  readonly organisation: string;
  readonly program: string;
  /** Unix seconds, by the signer's clock. */
  readonly auditedAt: number;
  readonly block: StatedBlock;
  /** 32 bytes. */
  readonly codeHash: Uint8Array;
  readonly registryWide: StatedHead;
  /** Issuer 1 first. */
  readonly issuers: readonly StatedIssuer[];
}

export type Trouble = "otherBlock" | "otherTime" | "otherCode" | "otherHead" | "missingHere" | "otherIssuer";

export interface Contradiction {
  /** Whose head, by number; null: the registry-wide one, or the statement as a whole. */
  readonly issuer: number | null;
  readonly trouble: Trouble;
}

export interface Comparison {
  /** Any of them: one of the two statements is wrong. */
  readonly contradictions: readonly Contradiction[];
  /** Heads that went on from the one to the other: only the events between can tell. */
  readonly wentOn: readonly (number | null)[];
}

/**
 * Read a statement and check its signature.
 *
 * @throws MalformedError It breaks the format, or (SignatureError) its signature does not hold.
 */
export function checkAuditStatement(bytes: Uint8Array): AuditStatement {
  // 1
  const document = parseWholeNumbers(bytes, MAX_BYTES);
  const members = Object.hasOwn(document, "organisation") ? [...MEMBERS, "organisation"] : MEMBERS;
  checkMembers(document, members, "an audit statement");
  if (document["format"] !== FORMAT) throw new MalformedError(`format of an audit statement must be ${FORMAT}`);
  // 2
  const signature = checkSigned(document);
  // 3
  const issuers = listOf(document["issuers"], "issuers").map((each) => {
    const issuer = objectOf(each, ["didHash", "events", "head"], "an issuer");
    return { didHash: hashOf(issuer["didHash"], "didHash"), ...headOf(issuer, 1) };
  });
  const registryWide = objectOf(document["registryWide"], ["events", "head"], "registryWide");
  const auditedAt = wholeOf(document["auditedAt"], "auditedAt");
  if (auditedAt > signature.signedAt) throw new MalformedError("signed before the audit that it tells of");
  return {
    ...signature,
    organisation: textOf(document["organisation"] ?? "", "organisation"),
    program: textOf(document["program"], "program"),
    auditedAt,
    block: blockOf(document["block"]),
    codeHash: hashOf(document["codeHash"], "codeHash"),
    registryWide: headOf(registryWide, FIRST_EVENTS + issuers.length),
    issuers,
  };
}

/**
 * Compare two statements, whichever was first.
 *
 * @throws MalformedError They are of different registries.
 */
export function compareAuditStatements(one: AuditStatement, other: AuditStatement): Comparison {
  if (one.block.registry.id !== other.block.registry.id) {
    throw new MalformedError("the statements are of different registries");
  }
  const [earlier, later] = one.block.number <= other.block.number ? [one, other] : [other, one];
  const isSameBlock = earlier.block.number === later.block.number;
  const contradictions: Contradiction[] = compareBlocks(earlier, later).map((trouble) => ({ issuer: null, trouble }));
  const wentOn: (number | null)[] = [];
  const compareHeads = (issuer: number | null, before?: StatedHead, after?: StatedHead): void => {
    const [fewer, more] = [before?.events ?? 0, after?.events ?? 0];
    if (fewer < more && !isSameBlock) wentOn.push(issuer);
    else if (fewer !== more) contradictions.push({ issuer, trouble: "missingHere" });
    else if (before && after && !equalBytes(before.head, after.head)) {
      contradictions.push({ issuer, trouble: "otherHead" });
    }
  };
  compareHeads(null, earlier.registryWide, later.registryWide);
  for (let index = 0; index < Math.max(earlier.issuers.length, later.issuers.length); index += 1) {
    const [before, after] = [earlier.issuers[index], later.issuers[index]];
    if (before && after && !equalBytes(before.didHash, after.didHash)) {
      contradictions.push({ issuer: index + 1, trouble: "otherIssuer" });
    } else compareHeads(index + 1, before, after);
  }
  return { contradictions, wentOn };
}

function compareBlocks(earlier: AuditStatement, later: AuditStatement): Trouble[] {
  const [before, after] = [earlier.block, later.block];
  const found: Trouble[] = [];
  const isSame = before.number === after.number;
  if (isSame !== equalBytes(before.hash, after.hash)) found.push("otherBlock");
  else if (isSame ? before.at !== after.at : before.at > after.at) found.push("otherTime");
  if (!equalBytes(earlier.codeHash, later.codeHash)) found.push("otherCode");
  return found;
}

function blockOf(value: JsonValue | undefined): StatedBlock {
  const block = objectOf(value, BLOCK_MEMBERS, "a block");
  const vouching = VOUCHING.find((each) => each === block["vouching"]);
  if (vouching === undefined) throw new MalformedError("nothing that could vouch for a block");
  return {
    registry: parseRegistry(textOf(block["registry"], "registry")),
    number: wholeOf(block["number"], "number"),
    hash: hashOf(block["hash"], "hash"),
    at: wholeOf(block["at"], "at"),
    vouching,
    vouchedBy: listOf(block["vouchedBy"], "vouchedBy").map((each) => textOf(each, "vouchedBy")),
    nodesAsked: wholeOf(block["nodesAsked"], "nodesAsked"),
  };
}

function headOf(content: JsonObject, least: number): StatedHead {
  const events = wholeOf(content["events"], "events");
  if (events < least) throw new MalformedError(`at least ${least} events lead to this head`);
  return { events, head: hashOf(content["head"], "head") };
}

function objectOf(value: JsonValue | undefined, members: readonly string[], what: string): JsonObject {
  if (!isObject(value)) throw new MalformedError(`${what} must be an object`);
  checkMembers(value, members, what);
  return value;
}

function listOf(value: JsonValue | undefined, name: string): readonly JsonValue[] {
  if (!isArray(value)) throw new MalformedError(`${name} must be a list`);
  return value;
}

function textOf(value: JsonValue | undefined, name: string): string {
  if (typeof value !== "string") throw new MalformedError(`${name} must be text`);
  return value;
}

function wholeOf(value: JsonValue | undefined, name: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw new MalformedError(`${name} must be a whole number`);
  }
  return value;
}

function hashOf(value: JsonValue | undefined, name: string): Uint8Array {
  const text = textOf(value, name);
  if (!HASH.test(text)) throw new MalformedError(`${name} must be 0x and 64 lower-case hex digits`);
  return parseHex(text, 32);
}
