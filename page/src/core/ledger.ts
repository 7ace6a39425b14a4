// Step 5: from a vouched block hash to a registry's state. docs/spec/verification.md, "Steps".

import { equalBytes } from "./bytes.js";
import { StateProofError } from "./errors.js";
import { type Evidence, ProvenState, type RegistryEvidence, UnprovenError } from "./evidence.js";
import { parseHeader } from "./header.js";
import type { Policy, TrustedRegistry } from "./policy.js";

/** How far in the future a block may be: clocks differ. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** A trusted registry's state, and when what it says is final. */
export class Ledger {
  private constructor(
    readonly state: ProvenState,
    readonly evidence: RegistryEvidence,
    private readonly confirmations: number | null,
  ) {}

  /**
   * Require that the block is proven, vouched for as the policy wants, fresh, and that it holds the pinned contract.
   *
   * @throws UnprovenError It is not.
   */
  static open(trusted: TrustedRegistry, evidence: Evidence, policy: Policy, now: number): Ledger {
    const { registry } = trusted;
    const given = evidence.registries.find((each) => each.registry === registry.id);
    if (given === undefined) {
      const why = evidence.missing.find((each) => each.registry === registry.id)?.reason;
      throw new UnprovenError("noEvidence", why ?? "there is no evidence for the registry");
    }
    const state = ProvenState.prove(given, registry);
    if (!isVouchedFor(given, policy)) {
      throw new UnprovenError("unvouchedBlock", `${given.vouching} (${given.vouchedBy}) is not what the policy wants`);
    }
    const age = now - state.block.time;
    if (age < -CLOCK_TOLERANCE_SECONDS || (policy.maxAgeSeconds !== null && age > policy.maxAgeSeconds)) {
      throw new UnprovenError("staleBlock", `the block is ${age} s old`);
    }
    if (state.account === null || !equalBytes(state.account.codeHash, trusted.codeHash)) {
      throw new UnprovenError("wrongCode", "the contract at the registry's address is not the one pinned");
    }
    return new Ledger(state, given, policy.confirmations);
  }

  /** Whether what happened at `anchoredAt` is final as the policy wants it. */
  isFinal(anchoredAt: number): boolean {
    if (this.confirmations === 0) return true;
    const { finalHash, finalHeader } = this.evidence;
    if (finalHash === null || finalHeader === null) return false;
    try {
      const { block } = this.state;
      const final = parseHeader(finalHeader, finalHash);
      const isBelow = final.number + (this.confirmations ?? 0) <= block.number && final.time <= block.time;
      return isBelow && anchoredAt < final.time;
    } catch (error) {
      if (error instanceof StateProofError) return false;
      throw error;
    }
  }
}

/** Nothing but one node named by the user can vouch in this version. */
function isVouchedFor(evidence: RegistryEvidence, policy: Policy): boolean {
  return policy.vouching === "oneNode" && evidence.vouching === "oneNode" && policy.nodes.includes(evidence.vouchedBy);
}
