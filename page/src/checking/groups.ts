// Many answers: sorted so that what needs attention comes first, as the program does.

import type { Answer } from "../model/model.js";

/** What to do about an answer, in the order in which it is looked at. */
export const GROUPS = ["notValid", "otherPerson", "malformed", "unknown", "holderOpen", "valid"] as const;
export type Group = (typeof GROUPS)[number];

export function groupOf({ outcome, holder }: Answer): Group {
  if (outcome === "valid")
    return holder === "doesNotMatch" ? "otherPerson" : holder === "notStated" ? "holderOpen" : "valid";
  return outcome === "invalid" ? "notValid" : outcome;
}

/** By group, then by reason, issuer and credential. */
export function inOrder(answers: readonly Answer[]): Answer[] {
  const keyOf = (answer: Answer): readonly string[] => [
    String(GROUPS.indexOf(groupOf(answer))),
    answer.reason,
    answer.facts?.issuerDid ?? "",
    answer.facts?.issuerName ?? "",
    answer.facts?.name ?? "",
  ];
  const keyed = answers.map((answer) => ({ answer, key: keyOf(answer) }));
  return keyed.sort((a, b) => compare(a.key, b.key) || a.answer.number - b.answer.number).map(({ answer }) => answer);
}

function compare(a: readonly string[], b: readonly string[]): number {
  const place = a.findIndex((part, index) => part !== b[index]);
  return place < 0 ? 0 : (a[place] ?? "") < (b[place] ?? "") ? -1 : 1;
}
