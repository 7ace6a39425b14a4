// The way from a credential's leaf to the root of its batch, step by step: what the inclusion proof claims, recomputed.

import { equalBytes, parseHex, toHex } from "../core/bytes.js";
import { nodeHash } from "../core/merkle.js";
import type { Anchor } from "../model/model.js";

/** Two neighbours and the node above them. */
export interface Step {
  /** 0 is the leaves' level. */
  readonly level: number;
  readonly own: string;
  readonly sibling: string;
  readonly isRight: boolean;
  readonly parent: string;
}

export interface Way {
  readonly steps: readonly Step[];
  /** Where it ends. */
  readonly top: string;
  /** It ends at the root that the proof names, with no sibling left over. */
  readonly leadsToRoot: boolean;
}

/** Follow an inclusion proof; ends where siblings are lacking. docs/spec/anchor-proof.md, "Leaf and tree". */
export function wayOf({ leaf, path, leafIndex, size, root }: Anchor): Way {
  const steps: Step[] = [];
  let [index, width, node] = [leafIndex, size, parseHex(leaf, 32)];
  // No bit operators: sizes go up to 2^32 − 1. A last odd node moves up as it is.
  for (let level = 0; width > 1; level += 1, index = Math.floor(index / 2), width = Math.ceil(width / 2)) {
    const isRight = index % 2 === 1;
    if (!isRight && index + 1 >= width) continue;
    const sibling = path[steps.length];
    if (sibling === undefined) return { steps, top: toHex(node), leadsToRoot: false };
    const beside = parseHex(sibling, 32);
    const parent = isRight ? nodeHash(beside, node) : nodeHash(node, beside);
    steps.push({ level, own: toHex(node), sibling, isRight, parent: toHex(parent) });
    node = parent;
  }
  const isWhole = leafIndex < size && steps.length === path.length;
  return { steps, top: toHex(node), leadsToRoot: isWhole && equalBytes(node, parseHex(root, 32)) };
}
