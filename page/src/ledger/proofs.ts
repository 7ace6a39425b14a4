// State proofs of one registry at one block, from whichever nodes have some that hold.

import { StateProofError } from "../core/errors.js";
import type { RegistryEvidence, StorageProof } from "../core/evidence.js";
import type { Registry } from "../core/registry.js";
import { type Account, provenAccount, provenSlot } from "../core/stateProof.js";
import { type AccountProof, askBlock, askProofs, type Block } from "./answers.js";
import { LedgerError } from "./errors.js";
import type { Node } from "./node.js";
import type { Question } from "./rpc.js";
import { combined, isBlock, type Vouched } from "./vouching.js";

/** Each of 1,000 slots, some 5 MB; go-ethereum answers a request with 25 MB at most. */
const PROOFS_PER_REQUEST = 4;

/** Asks node after node, until for every slot there is a proof that holds. */
export class Proofs {
  /** What is proven. */
  readonly values = new Map<bigint, bigint>();
  private readonly asked = new Set<bigint>();
  private readonly held = new Map<bigint, StorageProof>();
  // What does not hold is handed on only where nothing else came: the verdict then says so.
  private readonly bad = new Map<bigint, StorageProof>();
  private accountNodes: readonly Uint8Array[] | null = null;
  private badAccountNodes: readonly Uint8Array[] | null = null;
  private readonly problems: LedgerError[] = [];
  private order: Node[];
  private readonly deadline: number;

  /** @param vouched The block; with the final one, once it was asked for. */
  constructor(
    nodes: readonly Node[],
    private readonly registry: Registry,
    public vouched: Vouched,
    budgetMs: number,
  ) {
    this.deadline = performance.now() + budgetMs;
    // Those who vouch for the block have it.
    const vouches = ({ address }: Node): boolean => vouched.vouchedBy.includes(address);
    this.order = [...nodes.filter(vouches), ...nodes.filter((node) => !vouches(node))];
  }

  /** Whether proofs are missing because a node refused them, as one does that lost the block. */
  get isLost(): boolean {
    const isWhole = this.accountNodes !== null && [...this.asked].every((slot) => this.held.has(slot));
    return !isWhole && this.problems.some(({ kind }) => kind === "refused");
  }

  /** Fetch the proofs of these slots, as far as there are any; those that hold are not asked for again. */
  async fetch(slots: ReadonlySet<bigint>): Promise<void> {
    for (const slot of slots) this.asked.add(slot);
    for (const [index, node] of [...this.order].entries()) {
      const missing = [...slots].filter((slot) => !this.held.has(slot));
      if (this.accountNodes !== null && missing.length === 0) return;
      if (index > 0 && performance.now() > this.deadline) {
        this.problems.push(new LedgerError(`there was no time left to ask the node ${node.name}`));
        return;
      }
      const known = this.problems.length;
      await this.fetchFrom(node, missing);
      // For the slots to come, others are asked first.
      if (this.problems.length > known) this.order = [...this.order.filter((each) => each !== node), node];
    }
  }

  has(slot: bigint): boolean {
    return this.asked.has(slot);
  }

  /** @throws LedgerError No node gave a proof of the registry's account. */
  evidence(): RegistryEvidence {
    const accountNodes = this.accountNodes ?? this.badAccountNodes;
    if (accountNodes === null) throw combined(this.problems);
    const { vouching, vouchedBy, block, final } = this.vouched;
    const storage = new Map([...this.bad, ...this.held]);
    return {
      registry: this.registry.id,
      vouching,
      vouchedBy,
      blockHash: block.hash,
      header: block.header,
      finalHash: final?.hash ?? null,
      finalHeader: final?.header ?? null,
      accountNodes,
      storage: [...storage.values()],
      gaps: [...this.asked].every((slot) => storage.has(slot)) ? "" : combined(this.problems).message,
    };
  }

  private async fetchFrom(node: Node, slots: readonly bigint[]): Promise<void> {
    const questions = askProofs(this.registry.address, slots, this.vouched.block.hash);
    for (let start = 0; start < questions.length; start += PROOFS_PER_REQUEST) {
      for (const answer of await this.ask(node, questions.slice(start, start + PROOFS_PER_REQUEST))) {
        if (!(answer instanceof LedgerError)) {
          this.take(node, answer);
          continue;
        }
        this.problems.push(answer);
        if (answer.kind !== "refused") return;
      }
    }
  }

  /** Ask for proofs; and in the same request for the final block, if the node that vouches has yet to name it. */
  private async ask(node: Node, questions: readonly Question<AccountProof>[]): Promise<(AccountProof | LedgerError)[]> {
    const { finalNumber } = this.vouched;
    if (finalNumber === null) return node.ask(questions);
    const answers = await node.ask<AccountProof | Block | null>([...questions, askBlock(finalNumber)]);
    const final = answers.pop();
    this.vouched = { ...this.vouched, final: isBlock(final) ? final : null, finalNumber: null };
    return answers.filter((answer): answer is AccountProof | LedgerError => answer !== null && !isBlock(answer));
  }

  /** Keep what holds. */
  private take(node: Node, { accountNodes, storage }: AccountProof): void {
    const account = this.hold(node, () =>
      provenAccount(this.vouched.block.stateRoot, this.registry.address, accountNodes),
    );
    if (account === undefined) {
      this.badAccountNodes = accountNodes;
      return;
    }
    this.accountNodes = accountNodes;
    for (const proof of storage) this.takeStorage(node, account, proof);
  }

  private takeStorage(node: Node, account: Account | null, proof: StorageProof): void {
    // There is no contract, hence no storage: nothing will be asked of this proof.
    const value =
      account === null ? 0n : this.hold(node, () => provenSlot(account.storageRoot, proof.slot, proof.nodes));
    if (value === undefined) {
      this.bad.set(proof.slot, proof);
      return;
    }
    if (account !== null) this.values.set(proof.slot, value);
    this.held.set(proof.slot, proof);
  }

  private hold<T>(node: Node, prove: () => T): T | undefined {
    try {
      return prove();
    } catch (error) {
      if (!(error instanceof StateProofError)) throw error;
      this.problems.push(new LedgerError(`the node ${node.name} gave a proof that does not hold: ${error.message}`));
      return undefined;
    }
  }
}
