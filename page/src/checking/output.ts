// Answers as files: CSV and JSON in the forms of the program. docs/spec/verification-report.md.

import type { Answer, Basis, Report, Source } from "../model/model.js";
import { inOrder } from "./groups.js";

const FORMAT = "credanchor/verification@v1";
const OUTCOMES = ["valid", "invalid", "unknown", "malformed"] as const;
const HOLDERS = ["matches", "doesNotMatch", "notStated"] as const;
const COLUMNS = [
  "answer",
  "holder",
  "file",
  "reason",
  "why",
  "credential",
  "holderName",
  "issuer",
  "issuerDid",
  "confirmed",
  "anchoredAt",
  "credentialId",
  "registry",
  "registryName",
  "blockNumber",
  "blockHash",
  "blockAt",
  "vouching",
  "vouchedBy",
  "nodesAsked",
  "contacted",
];
const MAX_TEXT = 300;
/** At the start, or after what other programs take for the next cell; the full-width forms count in East Asian settings. */
const FORMULA = /(^|[;\t\r\n])([ \u00a0"']*)(?=[=+\-@＝＋－＠])/g;

/** Unicode's white space, which `\s` knows in part, and which a byte order mark is not. */
const SPACES = /[\p{White_Space}\u001c-\u001f]+/u;
/** Those that join letters are part of some scripts. */
const INVISIBLE = /(?![\u200c\u200d])\p{C}/gu;

/** Name where a credential comes from, for people. */
export function nameOf({ path, member, address }: Source): string {
  if (address !== null) return member === null ? address : `${address}: ${member}`;
  if (path === null) return member ?? "";
  return member === null ? path : `${path}: ${member}`;
}

/** Write all answers as CSV, what needs attention first; the mark at its start makes spreadsheets read it as UTF-8. */
export function csvOf(report: Report): string {
  const lines = [
    COLUMNS,
    ...inOrder(report.answers).map((answer) => cellsOf(answer).map((cell) => asCell(clipped(cell)))),
  ];
  return `\ufeff${lines.map((cells) => cells.map(quoted).join(",")).join("\r\n")}\r\n`;
}

/** Write the report as JSON. */
export function jsonOf(report: Report): string {
  const { answers } = report;
  const document = {
    format: FORMAT,
    checkedAt: report.checkedAt,
    counts: Object.fromEntries(
      OUTCOMES.map((each) => [each, answers.filter(({ outcome }) => outcome === each).length]),
    ),
    holders: report.asksHolder
      ? Object.fromEntries(HOLDERS.map((each) => [each, answers.filter(({ holder }) => holder === each).length]))
      : null,
    contacted: report.contacted,
    asOfBlock: report.asOfBlock,
    bases: report.bases,
    otherFiles: report.otherFiles.map(({ source, what }) => ({ file: nameOf(source), what })),
    results: answers.map(resultOf),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Write Unix seconds as a date and time for people, in UTC. */
export function toUtc(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `second ${seconds}`;
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Make what a stranger wrote one line of bearable length, without control, direction and other invisible characters. */
export function clipped(text: string): string {
  // Twice as many units hold as many characters as are kept, and more need not be split.
  const characters = [...text.slice(0, 2 * (MAX_TEXT + 1))];
  const short = characters.length > MAX_TEXT ? `${characters.slice(0, MAX_TEXT).join("")}…` : text;
  return short
    .split(SPACES)
    .filter((word) => word !== "")
    .join(" ")
    .replace(INVISIBLE, "\ufffd");
}

function resultOf(answer: Answer): object {
  const { source, facts, problem } = answer;
  const named = facts === null ? {} : { name: facts.name, holderName: facts.holderName };
  const start = {
    file: nameOf(source),
    source,
    contacted: answer.contacted,
    outcome: answer.outcome,
    holder: answer.holder,
    ...named,
  };
  if (facts === null) {
    const isFetched = answer.reason === "notFetched";
    const error = { type: isFetched ? "FetchError" : "CredentialFormatError", message: answer.message, advice: "" };
    return isFetched
      ? { ...start, reason: answer.reason, message: answer.message, problem, error }
      : { ...start, problem, error };
  }
  return {
    ...start,
    confirmed: answer.confirmed,
    reason: answer.reason,
    message: answer.message,
    credentialId: facts.credentialId,
    issuer: facts.issuerDid,
    contact: [facts.issuerName, facts.issuerUrl, facts.issuerEmail].filter((each) => each !== "").join(" · "),
    anchoredAt: facts.anchoredAt,
    keyCompromisedAt: facts.keyCompromisedAt,
    basis: answer.basis,
    checks: answer.checks,
  };
}

function cellsOf(answer: Answer): string[] {
  const { facts, basis } = answer;
  const contact = facts === null ? [] : [facts.issuerName, facts.issuerUrl, facts.issuerEmail];
  return [
    answer.outcome,
    answer.holder ?? "",
    nameOf(answer.source),
    answer.reason,
    answer.message,
    facts?.name ?? "",
    facts?.holderName ?? "",
    contact.filter((each) => each !== "").join(" · "),
    facts?.issuerDid ?? "",
    answer.confirmed ? "yes" : "no",
    facts === null || facts.anchoredAt === null ? "" : toUtc(facts.anchoredAt),
    facts?.credentialId ?? "",
    ...basisCells(basis),
    answer.contacted.join(" "),
  ];
}

function basisCells(basis: Basis | null): string[] {
  if (basis === null) return Array.from({ length: 8 }, () => "");
  const { registry, registryName, blockNumber, blockHash, blockAt, vouching, vouchedBy, nodesAsked } = basis;
  return [
    registry,
    registryName,
    String(blockNumber),
    blockHash,
    toUtc(blockAt),
    vouching,
    vouchedBy.join(" "),
    String(nodesAsked),
  ];
}

function asCell(text: string): string {
  return text.replace(FORMULA, "$1'$2");
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
