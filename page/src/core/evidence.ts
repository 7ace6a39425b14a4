// All that the ledger says for one verification, and what of it is proven. docs/spec/verification.md.

import { CredanchorError, StateProofError } from "./errors.js";
import { type Block, parseHeader } from "./header.js";
import type { Registry } from "./registry.js";
import { type Account, provenAccount, provenSlot } from "./stateProof.js";
import type { UnknownReason } from "./verdict.js";

export interface StorageProof {
  readonly slot: bigint;
  readonly nodes: readonly Uint8Array[];
}

/** What is said of one registry, at one block. Nothing of it is believed before it is proven. */
export interface RegistryEvidence {
  readonly registry: string;
  /** What vouches for both hashes, in the words of the policy. */
  readonly vouching: string;
  /** Who they are: for `oneNode` the node's address. */
  readonly vouchedBy: readonly string[];
  readonly blockHash: Uint8Array;
  readonly header: Uint8Array;
  /** Of the newest final block; null where there is none. */
  readonly finalHash: Uint8Array | null;
  readonly finalHeader: Uint8Array | null;
  readonly accountNodes: readonly Uint8Array[];
  readonly storage: readonly StorageProof[];
  /** Why proofs are missing, in words, where some are. */
  readonly gaps?: string;
}

export interface Evidence {
  readonly registries: readonly RegistryEvidence[];
  /** DID documents of issuers, where the policy wants them. */
  readonly didDocuments?: readonly { readonly did: string; readonly document: Uint8Array }[];
  /** Registries that there is no evidence for, and why, in words. */
  readonly missing: readonly { readonly registry: string; readonly reason: string }[];
}

/** Thrown where the evidence does not carry what is asked of it: the check that needs it is unknown. */
export class UnprovenError extends CredanchorError {
  constructor(
    readonly reason: UnknownReason,
    detail: string,
  ) {
    super(detail);
  }
}

/** A registry's state at a block whose hash somebody vouches for. Slots are proven when they are first asked for. */
export class ProvenState {
  private readonly proven = new Map<bigint, bigint>();

  private constructor(
    readonly block: Block,
    /** Null where the block proves that nothing is at the address. */
    readonly account: Account | null,
    private readonly storage: ReadonlyMap<bigint, StorageProof>,
    private readonly gaps: string,
  ) {}

  /** Hold header and account proof against the block hash. */
  static prove(evidence: RegistryEvidence, registry: Registry): ProvenState {
    return proving(() => {
      const block = parseHeader(evidence.header, evidence.blockHash);
      const account = provenAccount(block.stateRoot, registry.address, evidence.accountNodes);
      // Of two proofs of a slot the first counts.
      const storage = new Map([...evidence.storage].reverse().map((proof) => [proof.slot, proof]));
      return new ProvenState(block, account, storage, evidence.gaps ?? "");
    });
  }

  /** Give the word in a slot. */
  read(slot: bigint): bigint {
    const known = this.proven.get(slot);
    if (known !== undefined) return known;
    const { account } = this;
    const proof = this.storage.get(slot);
    if (account === null || proof === undefined) {
      throw new UnprovenError("noEvidence", `no proof of a fact that is needed${this.gaps && `: ${this.gaps}`}`);
    }
    const word = proving(() => provenSlot(account.storageRoot, slot, proof.nodes));
    this.proven.set(slot, word);
    return word;
  }
}

/** Name a node for people: its address without name, password, path and query, which may be secret. */
export function shownNode(address: string): string {
  const [, start, rest = ""] = /^(https?:\/\/)(?:[^/?#\\]*@)?(.*)$/is.exec(address) ?? [];
  // Something else that vouches, such as a known block, is no secret.
  if (start === undefined) return address;
  const [host = ""] = rest.split(/[/?#\\]/);
  return start + host + (/^\/*$/.test(rest.slice(host.length)) ? "" : "/…");
}

/** Run what holds evidence against a hash; what fails is not proven. */
export function proving<T>(prove: () => T): T {
  try {
    return prove();
  } catch (error) {
    if (!(error instanceof StateProofError)) throw error;
    throw new UnprovenError("badStateProof", error.message);
  }
}
