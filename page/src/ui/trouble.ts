// Why nothing could be checked at all, in words that one can act on.

import { CheckingError } from "../checking/check.js";
import type { Trouble as Reason } from "../model/model.js";
import type { Key } from "./words.js";

/** The page came without a policy, and the user has given none. */
export class NoPolicyError extends Error {
  override name = "NoPolicyError";
}

export interface Trouble {
  readonly key: Key;
  /** What happened, in English, for experts. */
  readonly detail: string;
}

export function troubleOf(error: unknown): Trouble {
  if (error instanceof NoPolicyError) return { key: "error.noPolicy", detail: "" };
  const detail = error instanceof Error ? error.message : String(error);
  return { key: error instanceof CheckingError ? KEYS[error.trouble] : "error.crashed", detail };
}

const KEYS: Readonly<Record<Reason, Key>> = {
  badPolicy: "error.badPolicy",
  trustList: "error.trustList",
  nothingFound: "error.nothingFound",
  crashed: "error.crashed",
};
