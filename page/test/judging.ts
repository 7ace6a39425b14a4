// Judges vectors: from what stands in verification.json and bundle.json to verdicts. Runs in Node and in a browser.

import { parseBundle, pinned } from "../src/core/bundle.js";
import { parseHex, toInteger, toUtf8 } from "../src/core/bytes.js";
import type { Evidence } from "../src/core/evidence.js";
import { parsePolicy, type Policy } from "../src/core/policy.js";
import type { Verdict } from "../src/core/verdict.js";
import { Verifier, verify } from "../src/core/verify.js";

export interface EvidenceVector {
  readonly registries: {
    readonly registry: string;
    readonly vouching: string;
    readonly vouchedBy: string[];
    readonly blockHash: string;
    readonly header: string;
    readonly finalHash: string | null;
    readonly finalHeader: string | null;
    readonly accountNodes: string[];
    readonly storage: { slot: string; nodes: string[] }[];
  }[];
  readonly missing: { registry: string; reason: string }[];
  readonly didDocuments?: { did: string; document: string }[];
}
export interface Case {
  readonly name: string;
  readonly credential: string;
  readonly policy: string;
  readonly evidence: string;
  readonly now: number;
  readonly outcome: string;
  readonly reason: string;
  readonly checks: { step: number; name: string; status: string; reason: string }[];
}
export interface VerificationVectors {
  readonly policies: { [name: string]: object };
  readonly evidences: { [name: string]: EvidenceVector };
  readonly cases: Case[];
  readonly malformed: { name: string; credential: string; reason: string }[];
}

export interface BundleCase {
  readonly name: string;
  readonly bundle: string;
  readonly policy: object;
  readonly now: number;
  readonly blocks: { registry: string; blockHash: string; number: number; time: number }[];
  readonly verdicts: { outcome: string; reason: string }[];
}
export type Judged = Pick<Case, "credential" | "policy" | "now">;

export function judgeCase(vectors: VerificationVectors, vector: Judged, evidence: Evidence): Verdict {
  return verify(parseHex(vector.credential), evidence, policyNamed(vectors, vector.policy), vector.now);
}

export function policyNamed({ policies }: VerificationVectors, name: string): Policy {
  const policy = policies[name];
  if (policy === undefined) throw new Error(`no policy ${name}`);
  return parsePolicy(toUtf8(JSON.stringify(policy)));
}

export function evidenceNamed({ evidences }: VerificationVectors, name: string): Evidence {
  const evidence = evidences[name];
  if (evidence === undefined) throw new Error(`no evidence ${name}`);
  const optional = (text: string | null): Uint8Array | null => (text === null ? null : parseHex(text));
  const all = (texts: readonly string[]): Uint8Array[] => texts.map((text) => parseHex(text));
  return {
    registries: evidence.registries.map((each) => ({
      registry: each.registry,
      vouching: each.vouching,
      vouchedBy: each.vouchedBy,
      blockHash: parseHex(each.blockHash, 32),
      header: parseHex(each.header),
      finalHash: optional(each.finalHash),
      finalHeader: optional(each.finalHeader),
      accountNodes: all(each.accountNodes),
      storage: each.storage.map(({ slot, nodes }) => ({ slot: toInteger(parseHex(slot, 32)), nodes: all(nodes) })),
    })),
    missing: evidence.missing,
    didDocuments: (evidence.didDocuments ?? []).map(({ did, document }) => ({ did, document: parseHex(document) })),
  };
}

/** Give the verdict on each credential of a bundle whose blocks are vouched for. */
export function judgeBundle(bytes: Uint8Array, { policy, now }: Pick<BundleCase, "policy" | "now">): Outcome[] {
  const { credentials, proofs } = parseBundle(bytes);
  const evidence = { registries: proofs.map(pinned), missing: [] };
  const rules = parsePolicy(toUtf8(JSON.stringify(policy)));
  return credentials
    .map((credential) => new Verifier(evidence, rules, now).judge(credential))
    .map(({ outcome, reason }) => ({ outcome, reason }));
}

type Outcome = BundleCase["verdicts"][number];
