// Which block enough nodes agree on, from what they said: pure. docs/spec/policy.md, "What vouches"; decision 21.

import { LedgerError } from "./errors.js";

/** How far below the heights said it is looked for a block in common, where the newest ones are of different forks. */
const DEPTHS = [1, 2, 4, 8, 16, 32, 64];

/** For each node: at which height it says which block is (its hash, in hex). */
export type Said = ReadonlyMap<string, ReadonlyMap<number, string>>;

export interface Agreement {
  readonly number: number;
  readonly hash: string;
  /** Addresses of the nodes that agree. */
  readonly nodes: readonly string[];
}

/** Name the heights at which enough nodes can agree, and more to ask about if they do not agree on one of those. */
export function heightsToAsk(reached: Iterable<number>, needed: number): { first: number[]; below: number[] } {
  const descending = [...reached].sort((a, b) => b - a);
  const highest = descending[needed - 1];
  if (highest === undefined) return { first: [], below: [] };
  const first = [...new Set(descending.filter((height) => height <= highest))];
  const depths = first.flatMap((height) => DEPTHS.map((depth) => Math.max(height - depth, 0)));
  return { first, below: [...new Set(depths)].filter((height) => !first.includes(height)) };
}

/**
 * Find the highest block that enough nodes agree on; null if there is none.
 *
 * @throws LedgerError At some height two blocks have enough votes: which one is right would be chance.
 */
export function highestAgreed(said: Said, needed: number): Agreement | null {
  const votes = new Map<number, Map<string, string[]>>();
  for (const [node, blocks] of said) {
    for (const [number, hash] of blocks) {
      const atHeight = votes.get(number) ?? new Map<string, string[]>();
      votes.set(number, atHeight);
      atHeight.set(hash, [...(atHeight.get(hash) ?? []), node]);
    }
  }
  let best: Agreement | null = null;
  for (const [number, atHeight] of [...votes].sort(([a], [b]) => a - b)) {
    const enough = [...atHeight].filter(([, nodes]) => nodes.length >= needed);
    if (enough.length > 1) {
      throw new LedgerError(`the nodes are of two minds about block ${number}`, "unvouched");
    }
    for (const [hash, nodes] of enough) best = { number, hash, nodes };
  }
  return best;
}
