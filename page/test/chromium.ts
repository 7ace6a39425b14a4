// What a browser is given to judge all vectors with the page's core: the same code as Node is given, bundled alone.

import { MalformedError } from "../src/core/errors.js";
import { parseHex } from "../src/core/bytes.js";
import { type BundleCase, evidenceNamed, judgeBundle, judgeCase, type VerificationVectors } from "./judging.js";

type Found<T> = T | "malformed";

/** Judge all of verification.json: its cases, then its malformed ones. */
export function judgeCases(vectors: VerificationVectors): Found<object>[] {
  const [policy = ""] = Object.keys(vectors.policies);
  const [evidence = ""] = Object.keys(vectors.evidences);
  const malformed = vectors.malformed.map(({ credential }) => ({ credential, policy, evidence, now: 1_790_000_000 }));
  return [...vectors.cases, ...malformed].map((vector) => {
    const given = evidenceNamed(vectors, vector.evidence);
    return unlessMalformed(() => {
      const { outcome, reason, checks } = judgeCase(vectors, vector, given);
      return {
        outcome,
        reason,
        checks: checks.map(({ step, name, status, reason: why }) => [step, name, status, why]),
      };
    });
  });
}

/** Judge all of bundle.json: the valid ones, then the invalid ones under the first one's policy. */
export function judgeBundles({ valid, invalid }: BundleVectors): Found<BundleCase["verdicts"]>[] {
  const [first] = valid;
  if (first === undefined) throw new Error("no bundles");
  return [...valid, ...invalid.map(({ bundle }) => ({ ...first, bundle }))].map((vector) =>
    unlessMalformed(() => judgeBundle(parseHex(vector.bundle), vector)),
  );
}

interface BundleVectors {
  readonly valid: BundleCase[];
  readonly invalid: { bundle: string }[];
}

function unlessMalformed<T>(judge: () => T): Found<T> {
  try {
    return judge();
  } catch (error) {
    if (error instanceof MalformedError) return "malformed";
    throw error;
  }
}
