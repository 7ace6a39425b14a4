// Step 5: from a vouched block hash to a registry's state. docs/spec/verification.md, "Steps".

import { equalBytes } from "./bytes.js";
import {
  type Evidence,
  type ProvenState,
  proving,
  type RegistryEvidence,
  shownNode,
  UnprovenError,
} from "./evidence.js";
import { parseHeader } from "./header.js";
import type { Policy, TrustedRegistry } from "./policy.js";
import type { Registry } from "./registry.js";

/** How old a block may be for what it lacks to count: what is absent there may have come since. */
const MAX_ABSENCE_AGE_SECONDS = 120;

/** How far in the future a block may be: clocks differ. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** A trusted registry's state, and what of it is final. */
export class Ledger {
  private constructor(
    readonly state: ProvenState,
    readonly evidence: RegistryEvidence,
    private readonly policy: Policy,
    private readonly ageSeconds: number,
  ) {}

  /** Whether what this block lacks may have come since: the policy wants a new block, and this one is not quite new. */
  get mayLack(): boolean {
    return this.policy.maxAgeSeconds !== null && this.ageSeconds > MAX_ABSENCE_AGE_SECONDS;
  }

  /**
   * Require that a proven block is vouched for as the policy wants, fresh, and holds the pinned contract.
   *
   * @throws UnprovenError It is not.
   */
  static open(
    state: ProvenState,
    evidence: RegistryEvidence,
    trusted: TrustedRegistry,
    policy: Policy,
    now: number,
  ): Ledger {
    if (!isVouchedFor(evidence, state.block.hash, trusted.registry, policy)) {
      const who = `${evidence.vouching} (${evidence.vouchedBy.map(shownNode).join(", ")})`;
      throw new UnprovenError("unvouchedBlock", `vouched for by ${who}, which is not what the policy wants`);
    }
    const age = now - state.block.time;
    if (age < -CLOCK_TOLERANCE_SECONDS || (policy.maxAgeSeconds !== null && age > policy.maxAgeSeconds)) {
      throw new UnprovenError("staleBlock", `the block is ${age} s old`);
    }
    if (state.account === null || !equalBytes(state.account.codeHash, trusted.codeHash)) {
      throw new UnprovenError("wrongCode", "the contract at the registry's address is not the one pinned");
    }
    return new Ledger(state, evidence, policy, age);
  }

  /**
   * Give the time before which everything is final: the final block's, or no bound where the newest block counts as final.
   *
   * @throws UnprovenError There is no final block, or none that fits the block and the policy.
   */
  finalBefore(): number {
    const { finalHash, finalHeader } = this.evidence;
    const { confirmations, vouching } = this.policy;
    if (confirmations === 0 || vouching === "pinnedHash") return Infinity;
    if (finalHash === null || finalHeader === null) throw new UnprovenError("noEvidence", "no final block is known");
    const { block } = this.state;
    const final = proving(() => parseHeader(finalHeader, finalHash));
    if (final.number + (confirmations ?? 0) > block.number || final.time > block.time) {
      throw new UnprovenError("noEvidence", "the final block is not far enough below the block");
    }
    return final.time;
  }
}

/** Give what is said of a registry. */
export function evidenceOf(registryId: string, evidence: Evidence): RegistryEvidence {
  const given = evidence.registries.find(({ registry }) => registry === registryId);
  if (given !== undefined) return given;
  const why = evidence.missing.find(({ registry }) => registry === registryId)?.reason;
  throw new UnprovenError("noEvidence", why ?? "there is no evidence for the registry");
}

/** Whether the block's hash rests on what the policy wants, and, for nodes, on those that it names. */
function isVouchedFor(
  { vouching, vouchedBy }: RegistryEvidence,
  hash: Uint8Array,
  { chainId }: Registry,
  policy: Policy,
): boolean {
  if (vouching !== policy.vouching) return false;
  const nodes = new Set(vouchedBy);
  const areNamed = vouchedBy.every((node) => policy.nodes.includes(node));
  switch (policy.vouching) {
    case "oneNode":
    case "ownNode":
      return vouchedBy.length === 1 && areNamed;
    case "kOfN":
      return nodes.size >= policy.agreeing && areNamed;
    case "pinnedHash":
      return (policy.knownBlocks.get(chainId) ?? []).some((known) => equalBytes(known, hash));
  }
}
