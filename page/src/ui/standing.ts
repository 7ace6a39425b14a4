// What to say of an answer: its headline, why, and what to do. The words are in words/, the choice among them is here.

import { type Group, groupOf } from "../checking/groups.js";
import type { Answer } from "../model/model.js";
import type { Check } from "../core/verdict.js";
import { plain } from "./stranger.js";
import type { Key, Words } from "./words.js";

export type Tone = "good" | "bad" | "paused" | "unsure";

const TONES: Readonly<Record<Group, Tone>> = {
  notValid: "bad",
  otherPerson: "bad",
  malformed: "unsure",
  unknown: "unsure",
  holderOpen: "paused",
  valid: "good",
};

/** What may pass by itself looks different from what does not. */
export function toneOf(answer: Answer): Tone {
  const group = groupOf(answer);
  if (group === "notValid" && (answer.reason === "suspended" || answer.reason === "notYetValid")) return "paused";
  return TONES[group];
}

export function headlineOf(answer: Answer, words: Words): string {
  return words.say(`answer.${groupOf(answer)}` satisfies Key);
}

/** In one sentence, why it is so; a date is in it where one decided. */
export function whyOf(answer: Answer, words: Words): string {
  const { facts, reason } = answer;
  const dated = (key: string, at: number | null | undefined): string | null =>
    at === null || at === undefined ? null : words.find(key, { moment: words.moment(at) });
  switch (reason) {
    case "expired":
      return dated("expired.why.date", facts?.validUntil) ?? words.say("expired.why");
    case "notYetValid":
      return dated("notYetValid.why.date", facts?.validFrom) ?? words.say("notYetValid.why");
    case "keyCompromised":
      return dated("keyCompromised.why.since", facts?.keyCompromisedAt) ?? words.say("keyCompromised.why");
    default:
      return words.find(`${causeOf(answer)}.why`) ?? plain(answer.message);
  }
}

/** In one or two sentences, what to do about it. */
export function adviceOf(answer: Answer, words: Words): string {
  if (groupOf(answer) === "valid" && answer.holder === "matches") return words.say("valid.do.asked");
  return words.find(`${causeOf(answer)}.do`) ?? "";
}

/** What a check found, in plain words. */
export function findingOf(check: Check, words: Words): string {
  if (check.status === "skipped") return words.say("status.skipped.why");
  if (check.reason !== "") return words.find(`${check.reason}.why`) ?? plain(check.detail);
  return words.find(`check.${check.name}.${check.status}`) ?? plain(check.detail);
}

/** Where its words begin. */
function causeOf(answer: Answer): string {
  if (answer.problem !== null) return `problem.${answer.problem}`;
  const group = groupOf(answer);
  if (group === "malformed") return "problem.badCredential";
  return group === "notValid" || group === "unknown" ? answer.reason : group;
}
