// What vouches for a block: asks the nodes that a policy names until they do, or says why they do not.
// docs/spec/policy.md, "What vouches".

import { equalBytes, toHex } from "../core/bytes.js";
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
}

/** Find the newest block that is vouched for as the policy wants. */
export async function vouchNewest(nodes: readonly Node[], chainId: string, policy: Policy): Promise<Vouched> {
  requireSome(nodes);
  if (policy.vouching === "pinnedHash") return pinned(nodes, chainId, policy);
  if (policy.vouching === "kOfN") {
    const panel = new Panel(nodes, chainId, policy.agreeing);
    return agreed(nodes, policy, panel, await panel.newest(policy.confirmations === null));
  }
  const vouched = await firstUseful(nodes, chainId, policy, ["latest", ...finalityTags(policy)]);
  return { ...vouched, final: await finalOf(nodes, chainId, policy, vouched) };
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
  };
}

async function firstGiven(nodes: readonly Node[], chainId: string, policy: Policy, number: number): Promise<Vouched> {
  const vouched = await firstUseful(nodes, chainId, policy, [number, ...finalityTags(policy)]);
  return { ...vouched, final: await finalOf(nodes, chainId, policy, vouched) };
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
      const isFinal = final !== undefined && !(final instanceof LedgerError);
      return { vouching, vouchedBy: [node.address], nodesAsked: index + 1, block, final: isFinal ? final : null };
    }
  }
  throw combined(failures);
}

/** The final block, by the word of the node that vouches; none where it does not say. */
async function finalOf(
  nodes: readonly Node[],
  chainId: string,
  { confirmations }: Policy,
  { block, final, nodesAsked }: Vouched,
): Promise<Block | null> {
  // Where a later block is final already, so is the block itself.
  if (confirmations === null) return final !== null && final.number > block.number ? block : final;
  if (confirmations === 0) return block;
  const number = block.number - confirmations;
  if (number < 0) return null;
  const answers = await nodes[nodesAsked - 1]?.blocks(chainId, [number]);
  const answer = answers instanceof LedgerError ? null : answers?.[0];
  return answer instanceof LedgerError ? null : (answer ?? null);
}

/** Find the newest known block whose header a node has. */
async function pinned(nodes: readonly Node[], chainId: string, policy: Policy): Promise<Vouched> {
  const hashes = policy.knownBlocks.get(chainId) ?? [];
  if (hashes.length === 0) throw new LedgerError(`the policy knows no block of chain ${chainId}`, "unvouched");
  const failures: LedgerError[] = [];
  for (const node of nodes) {
    const answers = await node.ask(hashes.map(askBlockByHash));
    const [block] = answers
      .filter((answer): answer is Block => answer !== null && !(answer instanceof LedgerError))
      .sort((a, b) => b.number - a.number);
    if (block !== undefined) {
      return { vouching: policy.vouching, vouchedBy: [], nodesAsked: 0, block, final: null };
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

function requireSome(nodes: readonly Node[]): void {
  if (nodes.length === 0) throw new LedgerError("the policy names no node to ask");
}

function finalityTags({ confirmations }: Policy): Which[] {
  return confirmations === null ? ["finalized"] : [];
}
