// Every error that the core throws on purpose.

/** Root of the core's errors. */
export class CredanchorError extends Error {
  override name = "CredanchorError";
}

/** The bytes break the format: there is nothing to give a verdict on. */
export class MalformedError extends CredanchorError {
  override name = "MalformedError";
}

/** A header or a proof does not lead from the hash it is held against to a value. */
export class StateProofError extends CredanchorError {
  override name = "StateProofError";
}

/** The policy names trust lists, and what they say is not in it: issuers denied there would be accepted. */
export class TrustListError extends CredanchorError {
  override name = "TrustListError";
}
