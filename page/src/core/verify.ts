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
} from "./checks.js";
import { type Credential, parseCredential } from "./credential.js";
import { TrustListError } from "./errors.js";
import { type Evidence, ProvenState, UnprovenError } from "./evidence.js";
import { evidenceOf, Ledger } from "./ledger.js";
import { isIncluded, leafHash } from "./merkle.js";
import type { Policy } from "./policy.js";
import type { AnchorProof } from "./proof.js";
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

/**
 * Judge a credential's file.
 *
 * @param now Unix seconds.
 * @throws MalformedError The file is no credential: there is no verdict.
 * @throws TrustListError As `judge` does.
 */
export function verify(file: Uint8Array, evidence: Evidence, policy: Policy, now: number): Verdict {
  return judge(parseCredential(file), evidence, policy, now);
}

/**
 * Judge a credential that was read, as `verify` does.
 *
 * @throws TrustListError The policy names trust lists: what they say must be put into it first.
 */
export function judge(credential: Credential, evidence: Evidence, policy: Policy, now: number): Verdict {
  if (policy.trustLists.length > 0) throw new TrustListError("the policy names trust lists, and they are not in it");
  const { statusEntries, anchorProofs } = credential;
  const [first, ...others] = trustedOf(anchorProofs, policy);
  if (statusEntries === null || first === undefined) {
    return conclude({
      ...ownFindings(credential, policy, now),
      statusEntries: skipped("no anchor proof, so no leaf"),
      inclusion: failed("notAnchored", "the credential has no anchor proof"),
      ...skippedLedger("step 3 failed"),
    });
  }
  const judgeOne = (proof: AnchorProof): Verdict =>
    judgeProof({ credential, proof, entries: statusEntries, evidence, policy, now });
  return best([judgeOne(first), ...others.map(judgeOne)]);
}

interface Case {
  readonly credential: Credential;
  readonly proof: AnchorProof;
  readonly entries: StatusEntries;
  readonly evidence: Evidence;
  readonly policy: Policy;
  readonly now: number;
}

/** Proofs in registries that the policy trusts; all of them if there is none. */
function trustedOf(proofs: readonly AnchorProof[], policy: Policy): readonly AnchorProof[] {
  const trusted = proofs.filter((proof) => trustedRegistry(proof, policy) !== undefined);
  return trusted.length > 0 ? trusted : proofs;
}

function trustedRegistry(proof: AnchorProof, policy: Policy): Policy["registries"][number] | undefined {
  return policy.registries.find(({ registry }) => registry.id === proof.registry.id);
}

function judgeProof(given: Case): Verdict {
  const { credential, proof, entries, policy, now } = given;
  const statusEntries = passed("the status entries agree with the anchor proof");
  if (!isIncluded(leafHash(proof.salt, entries, credential.hash), proof, proof.root)) {
    const inclusion = failed("tampered", "the path does not lead from the leaf to the root");
    return conclude({
      ...ownFindings(credential, policy, now),
      statusEntries,
      inclusion,
      ...skippedLedger("step 3 failed"),
    });
  }
  const { findings, blockTime } = ledgerFindings(given);
  return conclude({
    ...ownFindings(credential, policy, now, blockTime),
    statusEntries,
    inclusion: passed("the path leads from the leaf to the root"),
    ...findings,
  });
}

/** Steps 4 to 11, and the time of the block if header and account are proven, whatever else is wrong with it. */
function ledgerFindings(given: Case): { readonly findings: LedgerFindings; readonly blockTime: number | null } {
  const { proof, policy, evidence, now } = given;
  const trusted = trustedRegistry(proof, policy);
  if (trusted === undefined) {
    const doubt = unknown("untrustedRegistry", `the policy does not have ${proof.registry.id}`);
    const findings = { registryTrusted: doubt, block: doubt, anchored: doubt, ...doubtfulRecords(given, doubt) };
    return { findings, blockTime: null };
  }
  const registryTrusted = passed(`the policy has it as ${trusted.name}`);
  let blockTime: number | null = null;
  try {
    const said = evidenceOf(proof.registry.id, evidence);
    const state = ProvenState.prove(said, proof.registry);
    blockTime = state.block.time;
    const ledger = Ledger.open(state, said, trusted, policy, now);
    const block = passed(`block ${state.block.number} of ${blockTime}, vouched for by ${said.vouchedBy.join(", ")}`);
    return { findings: { registryTrusted, block, ...stateFindings(given, ledger) }, blockTime };
  } catch (error) {
    const doubt = unproven(error);
    return {
      findings: { registryTrusted, block: doubt, anchored: doubt, ...doubtfulRecords(given, doubt) },
      blockTime,
    };
  }
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
