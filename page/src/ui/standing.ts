// What to say of an answer: its headline, why, and what to do. The words are in words/, the choice among them is here.

import type { Answer } from "../checking/model.js";
import type { Check } from "../core/verdict.js";
import { plain } from "./stranger.js";
import type { Key, Words } from "./words.js";

/** What to do about an answer, as the program groups them (docs/spec/verification-report.md). */
export type Standing = "invalid" | "otherPerson" | "malformed" | "unknown" | "holderOpen" | "valid";
export type Tone = "good" | "bad" | "paused" | "unsure";

export function standingOf({ outcome, holder }: Answer): Standing {
  if (outcome !== "valid") return outcome;
  if (holder === "doesNotMatch") return "otherPerson";
  return holder === "notStated" ? "holderOpen" : "valid";
}

const TONES: Readonly<Record<Standing, Tone>> = {
  invalid: "bad",
  otherPerson: "bad",
  malformed: "unsure",
  unknown: "unsure",
  holderOpen: "paused",
  valid: "good",
};

/** What may pass by itself looks different from what does not. */
export function toneOf(answer: Answer): Tone {
  const standing = standingOf(answer);
  if (standing === "invalid" && (answer.reason === "suspended" || answer.reason === "notYetValid")) return "paused";
  return TONES[standing];
}

export function headlineOf(answer: Answer, words: Words): string {
  return words.say(`answer.${standingOf(answer)}` satisfies Key);
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
  if (standingOf(answer) === "valid" && answer.holder === "matches") return words.say("valid.do.asked");
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
  const standing = standingOf(answer);
  if (standing === "malformed") return "problem.badCredential";
  return standing === "invalid" || standing === "unknown" ? answer.reason : standing;
}
