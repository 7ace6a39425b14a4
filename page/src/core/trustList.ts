// Trust lists: registries to trust and issuers to deny, kept by somebody for many. docs/spec/trust-list.md.

import { equalBytes } from "./bytes.js";
import { canonicalBytes } from "./canonical.js";
import { MalformedError, TrustListError } from "./errors.js";
import { checkMembers, isArray, isObject, type JsonObject, type JsonValue, parseWholeNumbers } from "./json.js";
import { parsePolicy, type Policy, type TrustedRegistry } from "./policy.js";
import { checkSigned, type Signature } from "./signature.js";
import { toUtf8 } from "./bytes.js";

const FORMAT = "credanchor/trust-list@v1";
const MEMBERS = ["format", "name", "sequence", "issuedAt", "expiresAt", "registries", "deniedIssuers", "proof"];
const CLOCK_TOLERANCE_SECONDS = 60;

/** A trust list whose signature holds. */
export interface TrustList extends Signature {
  readonly name: string;
  readonly sequence: number;
  /** First second at which it is no longer usable; null: no end. */
  readonly expiresAt: number | null;
  readonly registries: readonly TrustedRegistry[];
  readonly deniedIssuers: readonly string[];
  /** All that it says, to compare. */
  readonly document: JsonObject;
}

/**
 * Read a trust list and check its signature.
 *
 * @throws MalformedError It breaks the format, or (SignatureError) its signature does not hold.
 */
export function checkTrustList(bytes: Uint8Array): TrustList {
  // 1
  const document = parseWholeNumbers(bytes);
  checkMembers(document, MEMBERS, "a trust list");
  if (document["format"] !== FORMAT) throw new MalformedError(`format of a trust list must be ${FORMAT}`);
  // 2
  const signature = checkSigned(document);
  // 3
  const { name, sequence, issuedAt, expiresAt, registries, deniedIssuers } = document;
  if (typeof name !== "string") throw new MalformedError("name must be text");
  if (!isWhole(sequence) || sequence < 1) throw new MalformedError("sequence must be a whole number from 1");
  if (issuedAt !== signature.signedAt) throw new MalformedError("issuedAt must be when it was signed");
  if (expiresAt !== null && !isWhole(expiresAt)) throw new MalformedError("expiresAt must be a whole number or null");
  const policy = parsePolicy(toUtf8(JSON.stringify(policyOf(registries, deniedIssuers))));
  const { registries: pins, deniedIssuers: denied } = policy;
  return { ...signature, name, sequence, expiresAt, registries: pins, deniedIssuers: denied, document };
}

/** Require that a list may take the place of one that was accepted before. */
export function requireSuccessor(list: TrustList, accepted: TrustList): void {
  if (list.sequence < accepted.sequence) {
    throw new TrustListError(
      `trust list ${list.sequence} is older than ${accepted.sequence}, which was accepted before`,
    );
  }
  if (list.sequence === accepted.sequence && !saysTheSame(list, accepted)) {
    throw new TrustListError(`there are two different trust lists ${list.sequence} of ${list.signer}`);
  }
}

/** Require that a list has not expired, and is not from the future. */
export function requireUsable(list: TrustList, source: string, now: number): void {
  if (list.expiresAt !== null && list.expiresAt <= now) {
    throw new TrustListError(`the trust list ${source} has expired`);
  }
  if (list.signedAt > now + CLOCK_TOLERANCE_SECONDS) {
    throw new TrustListError(`the trust list ${source} is from the future`);
  }
}

/**
 * Put into a policy what its trust lists say.
 *
 * @param lists One for each that the policy names, in the same order.
 * @throws TrustListError One is missing, not its signer's, expired or from the future, or pins a registry to other code.
 */
export function applyTrustLists(policy: Policy, lists: readonly TrustList[], now: number): Policy {
  if (lists.length !== policy.trustLists.length)
    throw new TrustListError("a trust list that the policy names is missing");
  const pins = new Map(policy.registries.map((pin) => [pin.registry.id, pin]));
  const denied = new Set(policy.deniedIssuers);
  policy.trustLists.forEach(({ signer, source }, index) => {
    const list = lists[index];
    if (list?.signer !== signer) throw new TrustListError(`the trust list ${source} is not signed by ${signer}`);
    requireUsable(list, source, now);
    for (const pin of list.registries) {
      const known = pins.get(pin.registry.id) ?? pin;
      if (!equalBytes(known.codeHash, pin.codeHash)) {
        throw new TrustListError(`two code hashes are said to be trusted for the registry ${pin.registry.id}`);
      }
      pins.set(pin.registry.id, known);
    }
    for (const did of list.deniedIssuers) denied.add(did);
  });
  return { ...policy, registries: [...pins.values()], deniedIssuers: [...denied], trustLists: [] };
}

function saysTheSame(one: TrustList, other: TrustList): boolean {
  const [{ proof: _, ...said }, { proof: __, ...before }] = [one.document, other.document];
  return equalBytes(canonicalBytes(said), canonicalBytes(before));
}

/** Through a policy, so that the same is refused in both. */
function policyOf(registries: JsonValue | undefined, deniedIssuers: JsonValue | undefined): JsonObject {
  if (!isArray(registries) || !registries.every(isObject) || !isArray(deniedIssuers)) {
    throw new MalformedError("registries and deniedIssuers must be lists");
  }
  return { format: "credanchor/policy@v1", registries, deniedIssuers };
}

function isWhole(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
