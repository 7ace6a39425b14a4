// Thirteen steps over credential, evidence, policy and time. docs/spec/verification.md.
//
//  1 wellFormed      4 registryTrusted   7 key                10 notRevoked     13 otherProofs
//  2 statusEntries   5 block             8 issuer             11 notSuspended
//  3 inclusion       6 anchored          9 batchNotRevoked    12 dates

import {
  checkAnchored,
  checkBatchNotRevoked,
  checkConfirmed,
  checkIssuer,
  checkKey,
  checkNotRevoked,
  checkNotSuspended,
  anchoringOf,
} from "./checks.js";
import { type Credential, parseCredential } from "./credential.js";
import { TrustListError } from "./errors.js";
import { type Evidence, ProvenState, shownNode, UnprovenError } from "./evidence.js";
import { evidenceOf, Ledger } from "./ledger.js";
import { isIncluded, leafHash } from "./merkle.js";
import type { Block } from "./header.js";
import type { Policy, TrustedRegistry } from "./policy.js";
import type { AnchorProof } from "./proof.js";
import type { Registry } from "./registry.js";
import type { StatusEntries } from "./status.js";
import {
  best,
  conclude,
  failed,
  type Finding,
  type Findings,
  notApplicable,
  passed,
  skipped,
  unknown,
  type Verdict,
} from "./verdict.js";

/** Steps 4 to 11: what the policy and the ledger say. */
type LedgerFindings = Omit<Findings, "wellFormed" | "statusEntries" | "inclusion" | "dates" | "otherProofs">;
/** Steps 7 to 11. */
type RecordFindings = Omit<LedgerFindings, "registryTrusted" | "block" | "anchored">;

/** A verdict, and what of the ledger it goes by, to show people. */
export interface Judgement extends Verdict {
  /** The anchor proof that was judged; null without one. */
  readonly proof: AnchorProof | null;
  /** Null where no block was reached. */
  readonly basis: Basis | null;
  /** By the chain's clock, Unix seconds; null where it is not proven. */
  readonly anchoredAt: number | null;
  /** Since when the key that anchored is declared compromised; null: it is not. */
  readonly keyCompromisedAt: number | null;
}

/** The block on which a judgement rests, and why its hash is believed. */
export interface Basis {
  readonly trusted: TrustedRegistry;
  readonly block: Block;
  readonly vouching: string;
  readonly vouchedBy: readonly string[];
}

/**
 * Judge a credential's file.
 *
 * @param now Unix seconds.
 * @throws MalformedError The file is no credential: there is no verdict.
 * @throws TrustListError As `Verifier` does.
 */
export function verify(file: Uint8Array, evidence: Evidence, policy: Policy, now: number): Verdict {
  return new Verifier(evidence, policy, now).judge(parseCredential(file));
}

/** What a registry's evidence proves, for all credentials alike. */
interface Reached {
  readonly basis: Basis | null;
  /** The state, or why no fact of it may be used. */
  readonly ledger: Ledger | UnprovenError;
}

/** Judges any number of credentials by one policy, at one time, on the same evidence; what they share is proven once. */
export class Verifier {
  private readonly reached = new Map<string, Reached>();

  /**
   * @param now Unix seconds.
   * @throws TrustListError The policy names trust lists: what they say must be put into it first.
   */
  constructor(
    private readonly evidence: Evidence,
    private readonly policy: Policy,
    private readonly now: number,
  ) {
    if (policy.trustLists.length > 0) throw new TrustListError("the policy names trust lists, and they are not in it");
  }

  judge(credential: Credential): Judgement {
    const { policy, now, evidence } = this;
    const { statusEntries: entries, anchorProofs } = credential;
    const [first, ...others] = anchorProofs;
    if (entries === null || first === undefined) {
      const verdict = conclude({
        ...ownFindings(credential, policy, now),
        statusEntries: skipped("no anchor proof, so no leaf"),
        inclusion: failed("notAnchored", "the credential has no anchor proof"),
        ...skippedLedger("step 3 failed"),
      });
      return { ...verdict, ...NOTHING, proof: null };
    }
    const judgeOne = (proof: AnchorProof): Judgement =>
      this.judgeProof({ credential, proof, entries, evidence, policy, now });
    return best([judgeOne(first), ...others.map(judgeOne)]);
  }

  private judgeProof(given: Case): Judgement {
    const { credential, proof, entries, policy, now } = given;
    const leaf = leafHash(proof.salt, entries, credential.hash);
    const statusEntries = passed("the status entries agree with the anchor proof");
    if (!isIncluded(leaf, proof, proof.root)) {
      const inclusion = failed("tampered", "the path does not lead from the leaf to the root");
      const verdict = conclude({
        ...ownFindings(credential, policy, now),
        statusEntries,
        inclusion,
        ...skippedLedger("step 3 failed"),
      });
      return { ...verdict, ...NOTHING, proof };
    }
    const { basis, ledger } = this.reach(proof);
    const findings = ledgerFindings(given, basis, ledger);
    const verdict = conclude({
      ...ownFindings(credential, policy, now, basis?.block.time ?? null),
      statusEntries,
      inclusion: passed("the path leads from the leaf to the root"),
      ...findings,
    });
    const facts = ledger instanceof UnprovenError ? NOTHING : readFacts(ledger, proof);
    return { ...verdict, ...facts, basis, proof };
  }

  private reach({ registry }: AnchorProof): Reached {
    const known = this.reached.get(registry.id);
    if (known !== undefined) return known;
    const reached = this.prove(registry);
    this.reached.set(registry.id, reached);
    return reached;
  }

  private prove(registry: Registry): Reached {
    const trusted = this.policy.registries.find((each) => each.registry.id === registry.id);
    if (trusted === undefined) {
      const ledger = new UnprovenError("untrustedRegistry", `the policy does not have ${registry.id}`);
      return { basis: null, ledger };
    }
    let basis: Basis | null = null;
    try {
      const said = evidenceOf(registry.id, this.evidence);
      const state = ProvenState.prove(said, registry);
      basis = { trusted, block: state.block, vouching: said.vouching, vouchedBy: said.vouchedBy };
      return { basis, ledger: Ledger.open(state, said, trusted, this.policy, this.now) };
    } catch (error) {
      if (!(error instanceof UnprovenError)) throw error;
      return { basis, ledger: error };
    }
  }
}

interface Case {
  readonly credential: Credential;
  readonly proof: AnchorProof;
  readonly entries: StatusEntries;
  readonly evidence: Evidence;
  readonly policy: Policy;
  readonly now: number;
}

/** Steps 4 to 11. */
function ledgerFindings(given: Case, basis: Basis | null, ledger: Ledger | UnprovenError): LedgerFindings {
  if (ledger instanceof UnprovenError) {
    const doubt = unproven(ledger);
    const registryTrusted = ledger.reason === "untrustedRegistry" ? doubt : trustedAs(given);
    return { registryTrusted, block: doubt, anchored: doubt, ...doubtfulRecords(given, doubt) };
  }
  const { block } = ledger.state;
  const vouchedBy = basis?.vouchedBy.map(shownNode).join(", ") ?? "";
  return {
    registryTrusted: trustedAs(given),
    block: passed(`block ${block.number} of ${block.time}, vouched for by ${vouchedBy || "the policy itself"}`),
    ...stateFindings(given, ledger),
  };
}

function trustedAs({ policy, proof }: Case): Finding {
  const trusted = policy.registries.find(({ registry }) => registry.id === proof.registry.id);
  return passed(`the policy has it as ${trusted?.name ?? ""}`);
}

const NOTHING = { basis: null, anchoredAt: null, keyCompromisedAt: null } as const;

/** When the batch was anchored, and since when its key is compromised: as far as that is proven. */
function readFacts(ledger: Ledger, proof: AnchorProof): Pick<Judgement, "anchoredAt" | "keyCompromisedAt"> {
  const { anchoredAt, keyCompromisedAt } = anchoringOf(ledger, proof);
  return { anchoredAt: anchoredAt || null, keyCompromisedAt: keyCompromisedAt || null };
}

/** Steps 6 to 11. */
function stateFindings(given: Case, ledger: Ledger): Omit<LedgerFindings, "registryTrusted" | "block"> {
  const { proof, entries } = given;
  const anchored = attempt(() => checkAnchored(ledger, proof));
  if (anchored.status === "failed") return { anchored, ...skippedRecords("step 6 failed") };
  // The block lacks the batch and is not quite new: all that it lacks may have come since.
  if (anchored.reason === "staleBlock") return { anchored, ...doubtfulRecords(given, anchored) };
  return {
    anchored,
    key: attempt(() => checkKey(ledger, proof)),
    issuer: denial(given) ?? attempt(() => issuerFinding(given, ledger)),
    batchNotRevoked: attempt(() => checkBatchNotRevoked(ledger, proof)),
    notRevoked: attempt(() => checkNotRevoked(ledger, proof, entries)),
    notSuspended: attempt(() => checkNotSuspended(ledger, proof, entries)),
  };
}

/** Step 8, but for issuers that the policy denies. */
function issuerFinding({ credential, proof, evidence, policy }: Case, ledger: Ledger): Finding {
  const finding = checkIssuer(ledger, proof, credential.issuer);
  if (finding.status !== "passed" || !policy.requireDidDocument) return finding;
  return checkConfirmed(ledger, proof, credential.issuer, evidence.didDocuments);
}

/** Steps 7 to 11 where the ledger's state is not known: a denied issuer fails all the same. */
function doubtfulRecords(given: Case, doubt: Finding): RecordFindings {
  const issuer = denial(given) ?? doubt;
  return { key: doubt, issuer, batchNotRevoked: doubt, notRevoked: doubt, notSuspended: doubt };
}

function skippedRecords(why: string): RecordFindings {
  const skip = skipped(why);
  return { key: skip, issuer: skip, batchNotRevoked: skip, notRevoked: skip, notSuspended: skip };
}

function skippedLedger(why: string): LedgerFindings {
  const skip = skipped(why);
  return { registryTrusted: skip, block: skip, anchored: skip, ...skippedRecords(why) };
}

function denial({ credential, policy }: Case): Finding | null {
  const isDenied = policy.deniedIssuers.includes(credential.issuer);
  return isDenied ? failed("untrustedIssuer", `the policy denies ${credential.issuer}`) : null;
}

/** Steps that need neither proof nor ledger; `blockTime` is what step 12 takes for now where it is later. */
function ownFindings(
  { validFrom, validUntil, otherProofs }: Credential,
  { requiredProofs }: Policy,
  now: number,
  blockTime: number | null = null,
): Pick<Findings, "wellFormed" | "dates" | "otherProofs"> {
  return {
    wellFormed: passed("a credential in strict JSON"),
    dates: checkDates(validFrom, validUntil, now, blockTime),
    otherProofs: checkOtherProofs(otherProofs, requiredProofs),
  };
}

/** Step 13. None is judged, and none is known to be absent: anybody can take one out of a file. */
function checkOtherProofs(carried: readonly string[], required: readonly string[]): Finding {
  if (required.length > 0) return unknown("requiredProof", `not judged, but required: ${required.join(", ")}`);
  return notApplicable(carried.length === 0 ? "there are none" : `not judged: ${carried.join(", ")}`);
}

/** Step 12. A slow clock must not fail what the ledger has seen, so `validFrom` is held against the later time. */
function checkDates(
  validFrom: number | null,
  validUntil: number | null,
  now: number,
  blockTime: number | null,
): Finding {
  if (validFrom !== null && validFrom > Math.max(now, blockTime ?? now)) {
    return failed("notYetValid", `valid from ${validFrom}`);
  }
  if (validUntil !== null && validUntil <= now) return failed("expired", `valid until ${validUntil}`);
  return passed("within its dates");
}

function attempt(check: () => Finding): Finding {
  try {
    return check();
  } catch (error) {
    return unproven(error);
  }
}

/** What is not proven is unknown; any other error is a fault of ours, and none of the credential's. */
function unproven(error: unknown): Finding {
  if (error instanceof UnprovenError) return unknown(error.reason, error.message);
  throw error;
}
