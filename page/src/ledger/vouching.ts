// What vouches for a block: asks the nodes that a policy names until they do, or says why they do not.
// docs/spec/policy.md, "What vouches".

import { equalBytes, toHex } from "../core/bytes.js";
import { knownBlock } from "../core/bundle.js";
import type { Policy } from "../core/policy.js";
import { askBlockByHash, type Block, type Which } from "./answers.js";
import { LedgerError } from "./errors.js";
import type { Node } from "./node.js";
import { type Agreed, Panel } from "./panel.js";

/** A block, and who says that it is on the chain. */
export interface Vouched {
  readonly vouching: Policy["vouching"];
  /** Addresses of the nodes that agree on it. */
  readonly vouchedBy: readonly string[];
  readonly nodesAsked: number;
  readonly block: Block;
  /** Newest final block, if somebody said which. */
  readonly final: Block | null;
  /** Number of the final block, where the node that vouches is still to be asked for it, with the proofs. */
  readonly finalNumber: number | null;
}

/** Find the newest block that is vouched for as the policy wants. */
export async function vouchTip(nodes: readonly Node[], chainId: string, policy: Policy): Promise<Vouched> {
  requireSome(nodes);
  if (policy.vouching === "pinnedHash") return pinned(nodes, chainId, policy);
  if (policy.vouching === "kOfN") {
    const panel = new Panel(nodes, chainId, policy.agreeing);
    return agreed(nodes, policy, panel, await panel.newest(policy.confirmations === null));
  }
  const vouched = await firstUseful(nodes, chainId, policy, ["latest", ...finalityTags(policy)]);
  const { confirmations } = policy;
  if (confirmations === null) return vouched;
  if (confirmations === 0) return { ...vouched, final: vouched.block };
  const number = vouched.block.number - confirmations;
  return { ...vouched, finalNumber: number >= 0 ? number : null };
}

/** Find out whether a given block, such as a bundle's, is vouched for. The nodes learn its number, and nothing else. */
export async function vouchFor(
  nodes: readonly Node[],
  chainId: string,
  policy: Policy,
  given: { readonly number: number; readonly hash: Uint8Array },
): Promise<Vouched> {
  requireSome(nodes);
  const vouched = await (policy.vouching === "kOfN"
    ? agreedGiven(nodes, chainId, policy, given.number)
    : firstGiven(nodes, chainId, policy, given.number));
  if (!equalBytes(vouched.block.hash, given.hash)) {
    const words = `block ${given.number} is ${toHex(vouched.block.hash)}, not ${toHex(given.hash)}`;
    throw new LedgerError(`${words}: it was replaced, or never was`, "unvouched");
  }
  return vouched;
}

async function agreedGiven(nodes: readonly Node[], chainId: string, policy: Policy, number: number): Promise<Vouched> {
  const panel = new Panel(nodes, chainId, policy.agreeing);
  return agreed(nodes, policy, panel, await panel.given(number, policy.confirmations === null));
}

async function agreed(
  nodes: readonly Node[],
  policy: Policy,
  panel: Panel,
  { agreement, block, final }: Agreed,
): Promise<Vouched> {
  const number = block.number - (policy.confirmations ?? 0);
  const below = async (): Promise<Block | null> => (number >= 0 ? panel.upTo(number) : null);
  return {
    vouching: policy.vouching,
    vouchedBy: nodes.filter(({ address }) => agreement.nodes.includes(address)).map(({ address }) => address),
    nodesAsked: nodes.length,
    block,
    final: policy.confirmations === null ? final : policy.confirmations === 0 ? block : await below(),
    finalNumber: null,
  };
}

async function firstGiven(nodes: readonly Node[], chainId: string, policy: Policy, number: number): Promise<Vouched> {
  const final = number - (policy.confirmations ?? number + 1);
  return firstUseful(nodes, chainId, policy, [number, ...finalityTags(policy), ...(final >= 0 ? [final] : [])]);
}

/** Ask one node after the other, until one of the right chain has the first of these blocks; the second is final. */
async function firstUseful(
  nodes: readonly Node[],
  chainId: string,
  policy: Policy,
  which: readonly [Which, ...Which[]],
): Promise<Vouched> {
  const failures: LedgerError[] = [];
  for (const [index, node] of nodes.entries()) {
    const answers = await node.blocks(chainId, which);
    if (answers instanceof LedgerError) {
      failures.push(answers);
      continue;
    }
    const [block, final] = answers;
    if (block instanceof LedgerError) failures.push(block);
    else if (block === null || block === undefined) {
      failures.push(new LedgerError(`the node ${node.name} has no block ${which[0]}`));
    } else {
      const { vouching } = policy;
      const vouchedBy = [node.address];
      return { vouching, vouchedBy, nodesAsked: index + 1, block, final: noNewer(final, block), finalNumber: null };
    }
  }
  throw combined(failures);
}

/** Give the final block, or the block itself where a later one is final already. No answer is no final block. */
function noNewer(final: Block | LedgerError | null | undefined, block: Block): Block | null {
  if (!isBlock(final)) return null;
  return final.number > block.number ? block : final;
}

/** Find the newest known block whose header a node has. */
async function pinned(nodes: readonly Node[], chainId: string, policy: Policy): Promise<Vouched> {
  const hashes = policy.knownBlocks.get(chainId) ?? [];
  if (hashes.length === 0) throw new LedgerError(`the policy knows no block of chain ${chainId}`, "unvouched");
  const failures: LedgerError[] = [];
  for (const node of nodes) {
    const answers = await node.ask(hashes.map(askBlockByHash));
    const [block] = answers.filter(isBlock).sort((a, b) => b.number - a.number);
    if (block !== undefined) {
      const vouchedBy = [knownBlock(block.hash)];
      return { vouching: policy.vouching, vouchedBy, nodesAsked: 0, block, final: null, finalNumber: null };
    }
    const failure = answers.find((answer) => answer instanceof LedgerError);
    failures.push(failure ?? new LedgerError(`the node ${node.name} has none of the blocks that the policy knows`));
  }
  throw combined(failures);
}

/** Make one error of what came of asking one node after the other. */
export function combined(failures: readonly LedgerError[]): LedgerError {
  const [first] = failures;
  if (first !== undefined && failures.length === 1) return first;
  const words = [...new Set(failures.map(({ message }) => message))].join("; ");
  const isOtherChain = failures.length > 0 && failures.every(({ kind }) => kind === "otherChain");
  return new LedgerError(words, isOtherChain ? "otherChain" : "unavailable");
}

export function isBlock(answer: unknown): answer is Block {
  return typeof answer === "object" && answer !== null && "header" in answer;
}

function requireSome(nodes: readonly Node[]): void {
  if (nodes.length === 0) throw new LedgerError("the policy names no node to ask");
}

function finalityTags({ confirmations }: Policy): Which[] {
  return confirmations === null ? ["finalized"] : [];
}
