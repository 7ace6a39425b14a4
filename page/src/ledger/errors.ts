// What a node, or another server, does not give: nothing of it is a verdict.

import { CredanchorError } from "../core/errors.js";

/** No usable answer came. The message names who was asked, and is for experts. */
export class LedgerError extends CredanchorError {
  override name = "LedgerError";

  constructor(
    message: string,
    /** `refused`: the node answered with an error of its own; `otherChain`: it serves another chain than the registry's. */
    readonly kind: "unavailable" | "refused" | "otherChain" | "unvouched" = "unavailable",
  ) {
    super(message);
  }
}
