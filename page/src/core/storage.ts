// Where the contract keeps what, and how words are packed. docs/spec/history.md, "Storage".

import { keccak_256 } from "@noble/hashes/sha3.js";

import { concatBytes, fromInteger, toInteger } from "./bytes.js";

const [ISSUERS, KEYS, BATCHES, REVOKED, SUSPENDED] = [4n, 8n, 10n, 11n, 12n];

/** Scope of keys that may anchor. */
export const ANCHOR_SCOPE = 1;

/** Times are Unix seconds; 0 means "not set". */
export interface IssuerRecord {
  readonly controller: bigint;
  readonly accreditedAt: number;
  readonly withdrawnAt: number;
  readonly statusEpoch: number;
}

export interface KeyRecord {
  readonly issuerId: number;
  readonly validFrom: number;
  readonly validUntil: number;
  readonly compromisedAt: number;
  readonly scope: number;
  readonly statusEpoch: number;
}

export interface BatchRecord {
  /** Address of the key that anchored. */
  readonly key: bigint;
  readonly anchoredAt: number;
  readonly size: number;
  readonly revokedReason: number;
  readonly revokedEpoch: number;
}

/** Slot of an issuer's record. */
export function issuerSlot(issuerId: number): bigint {
  return entry(ISSUERS, BigInt(issuerId));
}

/** Slot of the hash of an issuer's DID. */
export function didHashSlot(issuerId: number): bigint {
  return issuerSlot(issuerId) + 1n;
}

/** Slot of a key's record. */
export function keySlot(address: bigint): bigint {
  return entry(KEYS, address);
}

/** Slot of a batch's record. */
export function batchSlot(issuerId: number, root: Uint8Array): bigint {
  return entry(BATCHES, BigInt(issuerId), toInteger(root));
}

/** Slot of 256 bits of a revocation or suspension list. */
export function statusSlot(
  purpose: "revocation" | "suspension",
  issuerId: number,
  epoch: number,
  list: number,
  word: number,
): bigint {
  return entry(purpose === "revocation" ? REVOKED : SUSPENDED, ...[issuerId, epoch, list, word].map(BigInt));
}

/** Unpack an issuer's record. */
export function unpackIssuer(word: bigint): IssuerRecord {
  const fields = new Fields(word);
  return {
    controller: fields.address(),
    accreditedAt: fields.number(40),
    withdrawnAt: fields.number(40),
    statusEpoch: fields.number(16),
  };
}

/** Unpack a key's record. */
export function unpackKey(word: bigint): KeyRecord {
  const fields = new Fields(word);
  return {
    issuerId: fields.number(32),
    validFrom: fields.number(40),
    validUntil: fields.number(40),
    compromisedAt: fields.number(40),
    scope: fields.number(8),
    statusEpoch: fields.number(16),
  };
}

/** Unpack a batch's record. */
export function unpackBatch(word: bigint): BatchRecord {
  const fields = new Fields(word);
  return {
    key: fields.address(),
    anchoredAt: fields.number(40),
    size: fields.number(32),
    revokedReason: fields.number(8),
    revokedEpoch: fields.number(16),
  };
}

/** Reads a packed word from the low bit up; members of a literal are evaluated in the order they are written. */
class Fields {
  constructor(private rest: bigint) {}

  address(): bigint {
    return this.take(160);
  }

  number(bits: number): number {
    return Number(this.take(bits));
  }

  private take(bits: number): bigint {
    const value = BigInt.asUintN(bits, this.rest);
    this.rest >>= BigInt(bits);
    return value;
  }
}

function entry(mapping: bigint, ...keys: readonly bigint[]): bigint {
  const at = (slot: bigint, key: bigint): bigint =>
    toInteger(keccak_256(concatBytes(fromInteger(key, 32), fromInteger(slot, 32))));
  return keys.reduce(at, mapping);
}
