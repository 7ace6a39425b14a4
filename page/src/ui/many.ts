// Many answers as rows: which are shown, and in what order. What is searched is what is seen.

import { type Group, GROUPS, groupOf, inOrder } from "../checking/groups.js";
import { nameOf } from "../checking/output.js";
import type { Answer } from "../model/model.js";

export const ORDERS = ["attention", "given", "name", "holder", "issuer"] as const;
export type Order = (typeof ORDERS)[number];

export interface Choice {
  /** Null: all of them. */
  readonly group: Group | null;
  readonly search: string;
  readonly order: Order;
}

/** How many there are of each group that there is, in the order of attention. */
export function countsOf(answers: readonly Answer[]): readonly (readonly [Group, number])[] {
  const counts = new Map<Group, number>();
  for (const answer of answers) counts.set(groupOf(answer), (counts.get(groupOf(answer)) ?? 0) + 1);
  return GROUPS.flatMap((group) => {
    const count = counts.get(group);
    return count === undefined ? [] : [[group, count] as const];
  });
}

/** @param language By whose alphabet names are sorted. */
export function chosen(answers: readonly Answer[], { group, search, order }: Choice, language: string): Answer[] {
  const wanted = folded(search).split(/\s+/u).filter(Boolean);
  const left = answers.filter(
    (answer) =>
      (group === null || groupOf(answer) === group) && (wanted.length === 0 || holdsAll(textOf(answer), wanted)),
  );
  if (order === "attention") return inOrder(left);
  if (order === "given") return left.sort((a, b) => a.number - b.number);
  const alphabet = new Intl.Collator(language, { numeric: true });
  const keyed = left.map((answer) => ({ answer, key: keyOf(answer, order) }));
  return keyed
    .sort((a, b) => alphabet.compare(a.key, b.key) || a.answer.number - b.answer.number)
    .map(({ answer }) => answer);
}

function keyOf({ facts, source }: Answer, order: "name" | "holder" | "issuer"): string {
  if (order === "name") return facts?.name ?? nameOf(source);
  return (order === "holder" ? facts?.holderName : facts?.issuerName) ?? "";
}

function textOf({ facts, source, reason }: Answer): string {
  const said = facts === null ? [] : [facts.name, facts.holderName, facts.issuerName, facts.issuerDid];
  return folded([nameOf(source), reason, ...said].join("\n"));
}

function holdsAll(text: string, wanted: readonly string[]): boolean {
  return wanted.every((each) => text.includes(each));
}

/** Without case and accents: who types "zoe" means Zoë. */
function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
