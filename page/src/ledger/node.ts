// One node, asked for blocks of one chain.

import { askBlock, askChainId, type Block, type Which } from "./answers.js";
import { LedgerError } from "./errors.js";
import { RpcNode } from "./rpc.js";

export class Node extends RpcNode {
  /** Ask for blocks, and in the same request whether it serves the chain: else nothing that it says counts. */
  async blocks(
    chainId: string,
    which: readonly Which[],
  ): Promise<readonly (Block | LedgerError | null)[] | LedgerError> {
    const [served, ...blocks] = await this.ask<string | Block | null>([askChainId, ...which.map(askBlock)]);
    if (served instanceof LedgerError) return served;
    if (served !== chainId) {
      return new LedgerError(`the node ${this.name} serves chain ${String(served)}, not ${chainId}`, "otherChain");
    }
    return blocks.map((block) => (typeof block === "string" ? null : (block ?? null)));
  }
}
