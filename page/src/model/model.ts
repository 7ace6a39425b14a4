// What is asked of the checking, and what comes of it: the one model that worker, page, table, CSV, report and receipt
// share. All of it can be cloned from a worker. The report's members are those of docs/spec/verification-report.md.

import type { Check, Reason } from "../core/verdict.js";

/** What the user gave. */
export type Input =
  /** A file, dropped or chosen; `path` is its place in a folder, or its name. */
  | { readonly kind: "file"; readonly file: Blob; readonly path: string }
  /** Pasted text: a credential, a bundle, or a link. */
  | { readonly kind: "text"; readonly text: string }
  /** A link that the user typed, or read from a QR code and confirmed: fetched, and nothing but it. */
  | { readonly kind: "link"; readonly url: string };

export interface CheckRequest {
  readonly inputs: readonly Input[];
  /** A policy's file, docs/spec/policy.md. */
  readonly policy: Uint8Array;
  /** Trust lists that came with it, by the source that it names; others are fetched. */
  readonly trustLists?: readonly { readonly source: string; readonly content: Uint8Array }[];
  /** Whose they should be; compared in the page, kept and sent nowhere. Null: nobody was asked for. */
  readonly holderEmail: string | null;
  /** Asked is what held at the blocks, whatever their age. */
  readonly asOfBlock: boolean;
}

/** Why nothing was checked. */
export type Trouble =
  /** The policy is none. */
  | "badPolicy"
  /** It names a trust list that did not come, does not hold, or has expired. */
  | "trustList"
  /** There is no credential in what was given. */
  | "nothingFound"
  /** The worker could not be started, or crashed. */
  | "crashed";

/** What happens meanwhile. */
export type CheckEvent =
  | { readonly kind: "reading"; readonly count: number }
  /** Before each request: to whom, and for what. */
  | {
      readonly kind: "contacting";
      readonly host: string;
      readonly purpose: "node" | "link" | "didDocument" | "trustList";
    }
  | { readonly kind: "answers"; readonly answers: readonly Answer[]; readonly total: number };

/** Checks in a worker. One checking at a time; `stop` ends it, and what was answered so far stays. */
export interface Checker {
  check(request: CheckRequest, listen: (event: CheckEvent) => void): Checking;
}

export interface Checking {
  /** Rejected with a CheckingError where nothing could be started. */
  readonly report: Promise<Report>;
  stop(): void;
}

export type Outcome = "valid" | "invalid" | "unknown" | "malformed";
export type HolderMatch = "matches" | "doesNotMatch" | "notStated";

/** Where a credential comes from; what does not apply is null. */
export interface Source {
  readonly path: string | null;
  readonly member: string | null;
  /** Without its query, which may be secret. */
  readonly address: string | null;
}

/** Why there is no verdict, or nothing to fetch one for: what to say and what to do follows from it in every language. */
export type Problem =
  | "empty"
  | "tooLarge"
  | "notText"
  | "notJson"
  | "notStrictJson"
  | "notCredential"
  | "badCredential"
  | "badProof"
  | "badBundle"
  | "badArchive"
  | "archiveTooLarge"
  | "archiveInArchive"
  | "archiveEncrypted"
  | "archiveEmpty"
  | "badPicture"
  | "pictureWithout"
  | "pdf"
  | "webPage"
  | "isPolicy"
  | "isReceipt"
  | "isTrustList"
  | "isReport"
  | "blockcerts"
  | "openBadge2"
  | "jwt"
  | "readFailed"
  | "notAddress"
  | "insecureAddress"
  | "notFetched"
  | "notFetchedCors"
  | "fetchedTooLarge"
  | "timedOut";

/** One credential, and what came of it. */
export interface Answer {
  /** In the order in which they were given, from 0. */
  readonly number: number;
  readonly source: Source;
  readonly outcome: Outcome;
  /** Of the check that decided; empty when valid; `malformed` or `notFetched` without a verdict. */
  readonly reason: Reason | "malformed" | "notFetched" | "";
  /** Null where there is a verdict. */
  readonly problem: Problem | null;
  /** What is wrong, precisely, in English, for experts; never shown as markup. Empty when valid. */
  readonly message: string;
  readonly holder: HolderMatch | null;
  /** Checks 1 to 8 passed. Until then anybody can have written all that is in it. */
  readonly confirmed: boolean;
  /** Null where there is no credential. */
  readonly facts: Facts | null;
  readonly basis: Basis | null;
  /** The credential's JSON, as it came, for experts; null where there is none, or there are many answers. */
  readonly raw: string | null;
  /** Thirteen, or none. `detail` is English, for experts. */
  readonly checks: readonly Check[];
  /** Hosts that were asked for this one, beside the policy's nodes. */
  readonly contacted: readonly string[];
}

/** What the credential says, and what the ledger says of it. Text is as it was written: by a stranger. Times: Unix seconds. */
export interface Facts {
  readonly credentialId: string;
  readonly name: string;
  readonly holderName: string;
  readonly issuerDid: string;
  readonly issuerName: string;
  /** Whom to ask, in the credential's words. */
  readonly issuerUrl: string;
  readonly issuerEmail: string;
  readonly validFrom: number | null;
  readonly validUntil: number | null;
  readonly anchoredAt: number | null;
  readonly keyCompromisedAt: number | null;
  /** Of the anchor proof that was judged; null without one. */
  readonly anchor: Anchor | null;
}

export interface Anchor {
  readonly registry: string;
  readonly issuerId: number;
  readonly root: string;
  readonly size: number;
  readonly leafIndex: number;
  readonly leaf: string;
  readonly salt: string;
  /** Siblings from the leaf up, `0x` hex. */
  readonly path: readonly string[];
  readonly list: number;
  readonly statusIndex: number;
  readonly credentialHash: string;
}

/** The block on which a verdict rests, and why its hash is believed. */
export interface Basis {
  readonly registry: string;
  readonly registryName: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly blockAt: number;
  readonly vouching: string;
  readonly vouchedBy: readonly string[];
  readonly nodesAsked: number;
}

export interface Report {
  /** Unix seconds, by this machine's clock. */
  readonly checkedAt: number;
  readonly asOfBlock: boolean;
  readonly asksHolder: boolean;
  readonly answers: readonly Answer[];
  readonly bases: readonly Basis[];
  /** Files of our own formats that lay among the credentials in an archive or folder. */
  readonly otherFiles: readonly { readonly source: Source; readonly what: string }[];
  /** Hosts that were asked, beside the policy's nodes. */
  readonly contacted: readonly string[];
  /** From when on the answers are old (Unix seconds): the oldest block's time and the policy's largest age; null: never. */
  readonly staleAt: number | null;
  /** It was stopped before all was answered. */
  readonly stopped: boolean;
}
