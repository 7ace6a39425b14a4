// Why nothing could be checked at all, in words that one can act on.

import type { Key } from "./words.js";

export interface Trouble {
  readonly key: Key;
  /** What happened, in English, for experts. */
  readonly detail: string;
}

export function troubleOf(error: unknown): Trouble {
  const detail = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Error)) return { key: "error.fault", detail };
  switch (error.name) {
    case "NoPolicyError":
      return { key: "error.noPolicy", detail: "" };
    default:
      return { key: "error.fault", detail };
  }
}
