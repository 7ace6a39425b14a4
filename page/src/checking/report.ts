// What is said of all answers together.

import type { Answer, Basis, CheckRequest, Report } from "../model/model.js";

/** What is known of a report before the first answer. */
export interface Frame extends Pick<Report, "checkedAt" | "otherFiles" | "contacted"> {
  /** How old the blocks may become; null: it does not matter. */
  readonly maxAgeSeconds: number | null;
  /** How many answers there will be, unless it is stopped. */
  readonly total: number;
}

/** Put answers into a report: all, or those that there are when it is stopped. */
export function reportOf({ asOfBlock, holderEmail }: CheckRequest, frame: Frame, answers: readonly Answer[]): Report {
  const { checkedAt, otherFiles, contacted, maxAgeSeconds, total } = frame;
  const bases = basesOf(answers);
  return {
    checkedAt,
    asOfBlock,
    asksHolder: holderEmail !== null,
    answers,
    bases,
    otherFiles,
    contacted,
    staleAt: staleAt(bases, maxAgeSeconds),
    stopped: answers.length < total,
  };
}

/** Each block that an answer rests on, once. */
function basesOf(answers: readonly Answer[]): Basis[] {
  const bases = answers.flatMap(({ basis }) => (basis === null ? [] : [basis]));
  return [...new Map(bases.map((basis) => [`${basis.registry} ${basis.blockHash}`, basis])).values()];
}

function staleAt(bases: readonly Basis[], maxAgeSeconds: number | null): number | null {
  if (maxAgeSeconds === null || bases.length === 0) return null;
  return Math.min(...bases.map(({ blockAt }) => blockAt)) + maxAgeSeconds;
}
