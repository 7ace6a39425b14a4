// What verification says: thirteen checks, and the verdict that follows from them. docs/spec/verification.md, "Verdict".

/** The steps, in order; the first is step 1. */
export const STEPS = [
  "wellFormed",
  "statusEntries",
  "inclusion",
  "registryTrusted",
  "block",
  "anchored",
  "key",
  "issuer",
  "batchNotRevoked",
  "notRevoked",
  "notSuspended",
  "dates",
  "otherProofs",
] as const;

export type StepName = (typeof STEPS)[number];
export type Outcome = "valid" | "invalid" | "unknown";
export type Reason = FailedReason | UnknownReason;
export type FailedReason =
  | "tampered"
  | "notAnchored"
  | "keyNotValid"
  | "keyCompromised"
  | "untrustedIssuer"
  | "batchRevoked"
  | "revoked"
  | "suspended"
  | "notYetValid"
  | "expired";
export type UnknownReason =
  | "untrustedRegistry"
  | "noEvidence"
  | "badStateProof"
  | "unvouchedBlock"
  | "staleBlock"
  | "wrongCode"
  | "pending"
  | "unconfirmedIssuer"
  | "requiredProof";

/** What one step found: a reason only where it failed or is unknown. `detail` is for people, and no part of the format. */
export type Finding =
  | { readonly status: "passed" | "notApplicable" | "skipped"; readonly reason: ""; readonly detail: string }
  | { readonly status: "failed"; readonly reason: FailedReason; readonly detail: string }
  | { readonly status: "unknown"; readonly reason: UnknownReason; readonly detail: string };

export type Check = Finding & { readonly step: number; readonly name: StepName };
export type Findings = Readonly<Record<StepName, Finding>>;

/** There is no truth value in it: ask for the outcome. */
export interface Verdict {
  readonly outcome: Outcome;
  /** Empty if valid. */
  readonly reason: Reason | "";
  /** One for each step, in order. */
  readonly checks: readonly Check[];
}

export function passed(detail: string): Finding {
  return { status: "passed", reason: "", detail };
}

export function failed(reason: FailedReason, detail: string): Finding {
  return { status: "failed", reason, detail };
}

export function unknown(reason: UnknownReason, detail: string): Finding {
  return { status: "unknown", reason, detail };
}

export function notApplicable(detail: string): Finding {
  return { status: "notApplicable", reason: "", detail };
}

export function skipped(detail: string): Finding {
  return { status: "skipped", reason: "", detail };
}

/** Draw the verdict: anything failed counts before anything unknown, and the first of them names the reason. */
export function conclude(findings: Findings): Verdict {
  const checks = STEPS.map((name, index) => ({ step: index + 1, name, ...findings[name] }));
  const failure = checks.find(({ status }) => status === "failed");
  const doubt = checks.find(({ status }) => status === "unknown");
  if (failure !== undefined) return { outcome: "invalid", reason: failure.reason, checks };
  if (doubt !== undefined) return { outcome: "unknown", reason: doubt.reason, checks };
  return { outcome: "valid", reason: "", checks };
}

/** Of one verdict for each anchor proof, give the one that counts: one valid suffices, and unknown may still pass. */
export function best<V extends Verdict>(verdicts: readonly [V, ...V[]]): V {
  const first = (outcome: Outcome): V | undefined => verdicts.find((each) => each.outcome === outcome);
  return first("valid") ?? first("unknown") ?? verdicts[0];
}
