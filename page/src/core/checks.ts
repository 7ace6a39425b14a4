// Steps 6 to 11: what a registry's state says of one anchor proof. docs/spec/verification.md, "Steps".
//
// Each throws UnprovenError where it needs a slot that is not proven.

import { keccak_256 } from "@noble/hashes/sha3.js";

import { toInteger, toUtf8 } from "./bytes.js";
import { accountsOf } from "./didDocument.js";
import { type Evidence, UnprovenError } from "./evidence.js";
import type { Ledger } from "./ledger.js";
import type { AnchorProof } from "./proof.js";
import { isSet, type StatusPosition, wordOf } from "./status.js";
import {
  ANCHOR_SCOPE,
  type BatchRecord,
  batchSlot,
  didHashSlot,
  type IssuerRecord,
  issuerSlot,
  keySlot,
  statusSlot,
  unpackBatch,
  unpackIssuer,
  unpackKey,
} from "./storage.js";
import { failed, type Finding, passed, unknown } from "./verdict.js";

/** Step 6. */
export function checkAnchored(ledger: Ledger, proof: AnchorProof): Finding {
  const { anchoredAt, size } = readBatch(ledger, proof);
  if (anchoredAt === 0 && ledger.mayLack) {
    return unknown("staleBlock", "the block lacks this batch, which may have been anchored since");
  }
  if (anchoredAt === 0) return failed("notAnchored", "the registry does not have this batch of this issuer");
  if (size !== proof.size) return failed("tampered", `the batch has ${size} leaves, the proof says ${proof.size}`);
  if (anchoredAt >= ledger.finalBefore()) return unknown("pending", "the anchoring is not final yet");
  return passed(`anchored at ${anchoredAt}`);
}

/** Step 7. */
export function checkKey(ledger: Ledger, proof: AnchorProof): Finding {
  const { anchoredAt, key: address } = readBatch(ledger, proof);
  const key = unpackKey(ledger.state.read(keySlot(address)));
  if (key.issuerId !== proof.issuerId || key.scope !== ANCHOR_SCOPE) {
    return failed("keyNotValid", "the key that anchored is no anchoring key of this issuer");
  }
  if (key.compromisedAt !== 0 && key.compromisedAt <= anchoredAt) {
    return failed("keyCompromised", `the key has been compromised since ${key.compromisedAt}`);
  }
  if (anchoredAt < key.validFrom || (key.validUntil !== 0 && anchoredAt >= key.validUntil)) {
    return failed("keyNotValid", `the key was valid from ${key.validFrom} until ${key.validUntil || "now"}`);
  }
  return passed("the issuer's key was valid when it anchored");
}

/** Step 8, but for issuers that the policy denies. */
export function checkIssuer(ledger: Ledger, proof: AnchorProof, did: string): Finding {
  // First, for it settles the step, whatever is not proven of the rest.
  if (ledger.state.read(didHashSlot(proof.issuerId)) !== toInteger(keccak_256(toUtf8(did)))) {
    return failed("untrustedIssuer", `the registry knows issuer ${proof.issuerId} by another DID than ${did}`);
  }
  const { accreditedAt, withdrawnAt } = readIssuer(ledger, proof);
  const { anchoredAt } = readBatch(ledger, proof);
  if (accreditedAt === 0 || accreditedAt > anchoredAt || (withdrawnAt !== 0 && withdrawnAt <= anchoredAt)) {
    return failed("untrustedIssuer", `accredited from ${accreditedAt} until ${withdrawnAt || "now"}`);
  }
  return passed("the issuer was accredited when the batch was anchored");
}

/** The rest of step 8, where the policy wants it: the issuer itself confirms its controller, or the key that anchored. */
export function checkConfirmed(
  ledger: Ledger,
  proof: AnchorProof,
  did: string,
  documents: Evidence["didDocuments"],
): Finding {
  const document = documents?.find((each) => each.did === did)?.document ?? null;
  const accounts = accountsOf(did, document, proof.registry.chainId) ?? [];
  const { controller } = readIssuer(ledger, proof);
  const { key } = readBatch(ledger, proof);
  return accounts.some((account) => account === controller || account === key)
    ? passed("accredited, and its DID confirms it")
    : unknown("unconfirmedIssuer", "the issuer's DID confirms neither its controller nor the key that anchored");
}

/** Step 9. */
export function checkBatchNotRevoked(ledger: Ledger, proof: AnchorProof): Finding {
  const { revokedReason, revokedEpoch } = readBatch(ledger, proof);
  const { statusEpoch } = readIssuer(ledger, proof);
  const isRevoked = revokedReason !== 0 && revokedEpoch >= statusEpoch;
  return isRevoked ? failed("batchRevoked", `reason ${revokedReason}`) : passed("the batch is not revoked");
}

/** Step 10. */
export function checkNotRevoked(ledger: Ledger, proof: AnchorProof, position: StatusPosition): Finding {
  const isRevoked = readBit(ledger, proof, position, "revocation");
  return isRevoked ? failed("revoked", "the credential is revoked") : passed("not revoked");
}

/** Step 11. */
export function checkNotSuspended(ledger: Ledger, proof: AnchorProof, position: StatusPosition): Finding {
  const isSuspended = readBit(ledger, proof, position, "suspension");
  return isSuspended ? failed("suspended", "the credential is suspended") : passed("not suspended");
}

/** When the batch was anchored and since when its key is compromised; 0 where not, or not proven. */
export function anchoringOf(ledger: Ledger, proof: AnchorProof): { anchoredAt: number; keyCompromisedAt: number } {
  const batch = attempt(() => readBatch(ledger, proof));
  if (batch === null || batch.anchoredAt === 0 || batch.size !== proof.size)
    return { anchoredAt: 0, keyCompromisedAt: 0 };
  const key = attempt(() => unpackKey(ledger.state.read(keySlot(batch.key))));
  const isOwn = key?.issuerId === proof.issuerId && key.scope === ANCHOR_SCOPE;
  return { anchoredAt: batch.anchoredAt, keyCompromisedAt: isOwn ? key.compromisedAt : 0 };
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnprovenError)) throw error;
    return null;
  }
}

function readBatch(ledger: Ledger, { issuerId, root }: AnchorProof): BatchRecord {
  return unpackBatch(ledger.state.read(batchSlot(issuerId, root)));
}

function readIssuer(ledger: Ledger, { issuerId }: AnchorProof): IssuerRecord {
  return unpackIssuer(ledger.state.read(issuerSlot(issuerId)));
}

function readBit(
  ledger: Ledger,
  proof: AnchorProof,
  { list, index }: StatusPosition,
  purpose: "revocation" | "suspension",
): boolean {
  const { statusEpoch } = readIssuer(ledger, proof);
  return isSet(ledger.state.read(statusSlot(purpose, proof.issuerId, statusEpoch, list, wordOf(index))), index);
}
