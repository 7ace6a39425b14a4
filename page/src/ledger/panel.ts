// Several nodes of which so many must agree: asked all at once, until they do. docs/spec/policy.md, "What vouches".
//
//  1 everybody  newest block, newest final block
//  2 everybody  which block is at the heights that enough of them have reached; only if 1 did not settle it
//  3 everybody  which is at heights somewhat below; only if their newest blocks are of different forks
//
// Once enough agree on the best there can be, nobody is waited for. If they agree on something, the others get a moment
// to agree on something newer: else whoever is quick would choose the block.

import { toHex } from "../core/bytes.js";
import { type Agreement, heightsToAsk, highestAgreed, type Said } from "./agreement.js";
import type { Block, Which } from "./answers.js";
import { LedgerError } from "./errors.js";
import type { Node } from "./node.js";

const PATIENCE_MS = 2000;

type State = "nothing" | "something" | "settled";
type Goal = readonly [agreed: Agreement | null, highest: number];
type Answers = readonly (Block | LedgerError | null)[] | LedgerError;

export interface Agreed {
  readonly agreement: Agreement;
  readonly block: Block;
  readonly final: Block | null;
}

export class Panel {
  private readonly failures = new Map<string, LedgerError>();
  private readonly said = new Map<string, Map<number, string>>();
  private readonly blocks = new Map<string, Block>();
  private readonly reached = new Map<string, number>();
  /** Up to which height each node calls blocks final. */
  private readonly finalAt = new Map<string, number>();
  /** Of a majority's votes there are enough for one block only. Else everybody is heard, or chance would choose. */
  private readonly isMajority: boolean;

  constructor(
    private readonly nodes: readonly Node[],
    private readonly chainId: string,
    private readonly needed: number,
  ) {
    this.isMajority = 2 * needed > nodes.length;
    for (const { address } of nodes) this.said.set(address, new Map());
  }

  /** Find the highest block that enough agree on; and, if wanted, the highest that enough call final. */
  async newest(withFinal: boolean): Promise<Agreed> {
    const state = (): State =>
      this.state([this.head(), common(this.reached, this.needed)], ...this.finalGoals(withFinal));
    await this.ask(withFinal ? ["latest", "finalized"] : ["latest"], state);
    const { first, below } = heightsToAsk(this.reached.values(), this.needed);
    const finals = heightsToAsk(this.finalAt.values(), this.needed).first;
    if (state() !== "settled") await this.ask(ascending([...first, ...finals]), state);
    let agreement = this.head();
    if (agreement === null) {
      const heights = [...first, ...below];
      const lower = (): State => this.state([this.agreed(heights), Math.max(0, ...heights)]);
      await this.ask(ascending(below), lower);
      agreement = this.agreed(heights);
    }
    if (agreement === null) throw this.noAgreement("the newest block");
    return { agreement, block: this.blockOf(agreement), final: this.final(agreement.number) };
  }

  /** Find the block with this number that enough agree on; and, if wanted, the highest up to it called final. */
  async given(number: number, withFinal: boolean): Promise<Agreed> {
    const state = (): State => this.state([this.agreed([number]), number], ...this.finalGoals(withFinal));
    await this.ask(withFinal ? [number, "finalized"] : [number], state);
    if (state() !== "settled") {
      await this.ask(ascending(heightsToAsk(this.finalAt.values(), this.needed).first), state);
    }
    const agreement = this.agreed([number]);
    if (agreement === null) throw this.noAgreement(`block ${number}`);
    return { agreement, block: this.blockOf(agreement), final: this.final(number) };
  }

  /** Find the highest block up to a height that enough agree on: at it, or where a node that lags has got to. */
  async upTo(number: number): Promise<Block | null> {
    let heights = [number];
    const state = (): State => this.state([this.agreed(heights), number]);
    await this.ask([number, "latest"], state);
    if (state() !== "settled") {
      heights = ascending([number, ...[...this.reached.values()].filter((height) => height <= number)]);
      await this.ask(heights, state);
    }
    const agreement = this.agreed(heights);
    return agreement === null ? null : this.blockOf(agreement);
  }

  private head(): Agreement | null {
    return this.agreed([...this.reached.values()]);
  }

  private agreed(heights: readonly number[]): Agreement | null {
    return highestAgreed(
      this.votes((_, number) => heights.includes(number)),
      this.needed,
    );
  }

  private agreedFinal(): Agreement | null {
    const heights = [...this.finalAt.values()];
    const counts = (node: string, number: number): boolean =>
      heights.includes(number) && number <= (this.finalAt.get(node) ?? -1);
    return highestAgreed(this.votes(counts), this.needed);
  }

  private votes(counts: (node: string, number: number) => boolean): Said {
    return new Map(
      [...this.said].map(([node, blocks]) => [node, new Map([...blocks].filter(([number]) => counts(node, number)))]),
    );
  }

  private finalGoals(withFinal: boolean): Goal[] {
    return withFinal ? [[this.agreedFinal(), common(this.finalAt, this.needed)]] : [];
  }

  /** Give the newest final block up to a height: those below a final block are final too. */
  private final(upTo: number): Block | null {
    const agreement = this.agreedFinal();
    const atMost = agreement === null ? null : this.agreed([Math.min(agreement.number, upTo)]);
    return atMost === null ? null : this.blockOf(atMost);
  }

  private state(...goals: [Goal, ...Goal[]]): State {
    if (!this.isMajority || goals[0][0] === null) return "nothing";
    return goals.every(([agreed, highest]) => agreed !== null && agreed.number >= highest) ? "settled" : "something";
  }

  private blockOf({ hash }: Agreement): Block {
    const block = this.blocks.get(hash);
    if (block === undefined) throw new RangeError("nobody said this block");
    return block;
  }

  /** Ask all nodes that have not failed for these blocks, at once; stop listening as the state allows. */
  private ask(which: readonly Which[], state: () => State): Promise<void> {
    const asked = this.nodes.filter(({ address }) => !this.failures.has(address));
    if (which.length === 0 || asked.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let waiting = asked.length;
      let patience: ReturnType<typeof setTimeout> | undefined;
      let isOver = false;
      const end = (): void => {
        isOver = true;
        clearTimeout(patience);
        resolve();
      };
      for (const node of asked) {
        node
          .blocks(this.chainId, which)
          .then((answers) => {
            // Whoever is late is not listened to: what was agreed on does not change any more.
            if (isOver) return;
            this.hear(node.address, which, answers);
            waiting -= 1;
            const now = state();
            if (waiting === 0 || now === "settled") end();
            else if (now === "something") patience ??= setTimeout(end, PATIENCE_MS);
          })
          .catch((error: unknown) => {
            isOver = true;
            clearTimeout(patience);
            reject(error instanceof Error ? error : new Error(String(error)));
          });
      }
    });
  }

  private hear(node: string, which: readonly Which[], answers: Answers): void {
    if (answers instanceof LedgerError) {
      this.failures.set(node, answers);
      return;
    }
    which.forEach((asked, index) => {
      const answer = answers[index];
      if (answer instanceof LedgerError) {
        if (index === 0) this.failures.set(node, answer);
      } else if (answer !== undefined && answer !== null) {
        this.said.get(node)?.set(answer.number, toHex(answer.hash));
        this.blocks.set(toHex(answer.hash), answer);
        if (asked === "latest") this.reached.set(node, answer.number);
        if (asked === "finalized") this.finalAt.set(node, answer.number);
      }
    });
  }

  private noAgreement(what: string): LedgerError {
    const failures = this.nodes.map(({ address }) => this.failures.get(address));
    const words = this.nodes.map(({ address, name }) => this.wordsOf(address, name)).join("; ");
    if (failures.every((failure) => failure?.kind === "otherChain")) return new LedgerError(words, "otherChain");
    return new LedgerError(
      `of ${this.nodes.length} nodes ${this.needed} must agree on ${what}, and do not: ${words}`,
      "unavailable",
    );
  }

  private wordsOf(node: string, name: string): string {
    const failure = this.failures.get(node);
    if (failure !== undefined) return failure.message;
    const said = this.said.get(node) ?? new Map<number, string>();
    const newest = this.reached.get(node) ?? Math.max(...said.keys());
    const hash = said.get(newest);
    if (hash === undefined) return `the node ${name} has no such block, or had not answered`;
    return `the node ${name} says that block ${newest} is ${hash}`;
  }
}

/** Give the height that enough nodes have reached. */
function common(reached: ReadonlyMap<string, number>, needed: number): number {
  return Math.max(0, ...heightsToAsk(reached.values(), needed).first);
}

function ascending(heights: readonly number[]): number[] {
  return [...new Set(heights)].sort((a, b) => a - b);
}
