// One answer: what came of one credential, in the model that everything else shares.

import type { Bundle } from "../core/bundle.js";
import { toHex } from "../core/bytes.js";
import type { Credential } from "../core/credential.js";
import { shownNode } from "../core/evidence.js";
import { leafHash } from "../core/merkle.js";
import type { Judgement } from "../core/verify.js";
import { InputError, statedBy } from "../files/index.js";
import type { Collected } from "../ledger/index.js";
import type { Anchor, Answer, Basis, Facts, HolderMatch, Source } from "../model/model.js";

/** The last of the steps that show where a credential comes from; those after it are about what became of it. */
const LAST_OF_ORIGIN = 8;

/** A credential, or why there is none. */
export interface Parsed {
  readonly source: Source;
  readonly content: Credential | InputError;
  readonly holder: HolderMatch | null;
  /** What it was in; null where nodes have to be asked for proofs. */
  readonly bundle: Bundle | null;
  readonly contacted: readonly string[];
}

/** A verdict, and how many nodes were asked about the block it rests on. */
export type Judged = { readonly judgement: Judgement; readonly nodesAsked: number };

/** Say what came of one credential, or of what is none. */
export function answerOf(
  number: number,
  { source, content, holder, contacted }: Parsed,
  judged: Judged | null,
  withRaw: boolean,
  { evidence }: Collected,
): Answer {
  const nothing = {
    number,
    source,
    holder: null,
    confirmed: false,
    facts: null,
    basis: null,
    checks: [],
    contacted,
    raw: null,
  };
  if (content instanceof InputError) {
    const isFetched = source.address !== null && content.problem !== "isPolicy" && FETCHING.includes(content.problem);
    const { problem, message } = content;
    return isFetched
      ? { ...nothing, outcome: "unknown", reason: "notFetched", problem, message }
      : { ...nothing, outcome: "malformed", reason: "malformed", problem, message };
  }
  if (judged === null) throw new RangeError("a credential was not judged");
  const { judgement, nodesAsked } = judged;
  const { outcome, reason, checks, basis } = judgement;
  const deciding = checks.find((each) => each.reason === reason && each.reason !== "");
  const asked =
    evidence.didDocuments?.some(({ did }) => did === content.issuer) === true ? [hostOf(content.issuer)] : [];
  return {
    number,
    source,
    outcome,
    reason,
    problem: null,
    message: deciding?.detail ?? "",
    holder,
    confirmed: checks.every(({ step, status }) => step > LAST_OF_ORIGIN || status === "passed"),
    facts: factsOf(content, judgement),
    basis: basis === null ? null : basisOf(basis, nodesAsked),
    raw: withRaw ? JSON.stringify(content.document, null, 2) : null,
    checks,
    contacted: [...contacted, ...asked],
  };
}

const FETCHING: readonly string[] = [
  "notAddress",
  "insecureAddress",
  "notFetched",
  "notFetchedCors",
  "fetchedTooLarge",
  "timedOut",
];

/** did:web, whose host was asked. */
function hostOf(did: string): string {
  return (did.split(":")[2] ?? "").replace("%3A", ":");
}

function factsOf(credential: Credential, judgement: Judgement): Facts {
  const { anchoredAt, keyCompromisedAt } = judgement;
  return {
    ...statedBy(credential.document),
    issuerDid: credential.issuer,
    validFrom: credential.validFrom,
    validUntil: credential.validUntil,
    anchoredAt,
    keyCompromisedAt,
    anchor: anchorOf(credential, judgement),
  };
}

function anchorOf({ statusEntries, hash }: Credential, { proof }: Judgement): Anchor | null {
  if (proof === null || statusEntries === null) return null;
  return {
    registry: proof.registry.id,
    issuerId: proof.issuerId,
    root: toHex(proof.root),
    size: proof.size,
    leafIndex: proof.leafIndex,
    leaf: toHex(leafHash(proof.salt, statusEntries, hash)),
    salt: toHex(proof.salt),
    path: proof.siblings.map(toHex),
    list: statusEntries.list,
    statusIndex: statusEntries.index,
    credentialHash: toHex(hash),
  };
}

function basisOf({ trusted, block, vouching, vouchedBy }: NonNullable<Judgement["basis"]>, nodesAsked: number): Basis {
  return {
    registry: trusted.registry.id,
    registryName: trusted.name,
    blockNumber: block.number,
    blockHash: toHex(block.hash),
    blockAt: block.time,
    vouching,
    vouchedBy: vouchedBy.map(shownNode),
    nodesAsked,
  };
}
