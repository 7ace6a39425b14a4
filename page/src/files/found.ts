// What is found in what was given: bytes to be judged, or why there are none.

import { CredanchorError } from "../core/errors.js";
import type { Problem, Source } from "../model/model.js";

/** There is nothing to judge: `problem` says why, in the words of the page's model. */
export class InputError extends CredanchorError {
  override name = "InputError";

  constructor(
    readonly problem: Problem,
    message: string,
  ) {
    super(message);
  }
}

/** One thing to check. */
export interface Found {
  readonly source: Source;
  readonly content: Uint8Array | InputError;
  /** The user gave this very file, so it has to be a credential; in folders and archives there may be others. */
  readonly isNamed: boolean;
  /** Hosts that were asked, because the user gave the address. */
  readonly contacted: readonly string[];
}
