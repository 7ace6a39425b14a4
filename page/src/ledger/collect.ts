// Collects evidence from nodes: state proofs only, of one block by its hash, in as few questions as possible.
//
//  1 who vouches for which block, and which is final                      vouching.ts
//  2 proofs of the slots that can be named from the credentials alone
//  3 proofs of the slots that the proven values of step 2 name: the key, a later status epoch
//
// Each step is one request, however many credentials of one batch and status list there are. Nothing here judges: nodes
// that cannot be asked are a registry that is `missing`, with the reason, so that the verdict becomes unknown.

import { CredanchorError } from "../core/errors.js";
import type { Credential } from "../core/credential.js";
import type { Evidence, RegistryEvidence } from "../core/evidence.js";
import type { Policy } from "../core/policy.js";
import type { AnchorProof } from "../core/proof.js";
import type { Registry } from "../core/registry.js";
import { type StatusPosition, wordOf } from "../core/status.js";
import { batchSlot, didHashSlot, issuerSlot, keySlot, statusSlot, unpackBatch, unpackIssuer } from "../core/storage.js";
import { type Asking, limitsOf } from "./asking.js";
import { requireUsableNodes } from "./endpoint.js";
import { Node } from "./node.js";
import { Proofs } from "./proofs.js";
import { type Vouched, vouchTip } from "./vouching.js";

/** What one credential needs to know of a registry. */
interface Need {
  readonly proof: AnchorProof;
  readonly position: StatusPosition;
}

/** Evidence, and how many nodes were asked about the block of each registry. */
export interface Collected {
  readonly evidence: Evidence;
  readonly nodesAsked: ReadonlyMap<string, number>;
}

/**
 * Give the policy's nodes.
 *
 * @throws MalformedError One has no usable address, or two of those that must agree are the same.
 */
export function nodesOf(policy: Policy, asking: Asking): Node[] {
  requireUsableNodes(policy);
  return policy.nodes.map((address) => new Node(address, asking));
}

/**
 * Collect what nodes can show for these credentials; registries that the policy does not trust are not asked about.
 *
 * @throws MalformedError As `nodesOf` does. Nothing is thrown for what a node does.
 */
export async function collectEvidence(
  credentials: Iterable<Credential>,
  policy: Policy,
  asking: Asking,
): Promise<Collected> {
  const needs = needsByRegistry(credentials);
  const nodes = nodesOf(policy, asking);
  const registries: RegistryEvidence[] = [];
  const missing: { registry: string; reason: string }[] = [];
  const nodesAsked = new Map<string, number>();
  const blocks = new Map<string, Vouched>();
  for (const [id, { registry, all }] of needs) {
    if (!policy.registries.some((trusted) => trusted.registry.id === id)) {
      missing.push({ registry: id, reason: "not asked about, for the policy does not trust this registry" });
      continue;
    }
    try {
      const { evidence, vouched } = await collectOrAgain(
        nodes,
        registry,
        all,
        policy,
        asking,
        blocks.get(registry.chainId),
      );
      // What two registries of a chain say is of one block.
      blocks.set(registry.chainId, vouched);
      registries.push(evidence);
      nodesAsked.set(id, vouched.nodesAsked);
    } catch (error) {
      if (!(error instanceof CredanchorError)) throw error;
      missing.push({ registry: id, reason: error.message });
    }
  }
  return { evidence: { registries, missing }, nodesAsked };
}

/** Collect; and once more, at a newer block, if nodes meanwhile lost or reorganised away the first one. */
async function collectOrAgain(
  nodes: readonly Node[],
  registry: Registry,
  needs: readonly Need[],
  policy: Policy,
  asking: Asking,
  known: Vouched | undefined,
): Promise<{ evidence: RegistryEvidence; vouched: Vouched }> {
  let proofs = await collect(nodes, registry, needs, policy, asking, known);
  if (proofs.isLost && policy.vouching !== "pinnedHash") {
    proofs = await collect(nodes, registry, needs, policy, asking);
  }
  return { evidence: proofs.evidence(), vouched: proofs.vouched };
}

async function collect(
  nodes: readonly Node[],
  registry: Registry,
  needs: readonly Need[],
  policy: Policy,
  asking: Asking,
  known?: Vouched,
): Promise<Proofs> {
  const vouched = known ?? (await vouchTip(nodes, registry.chainId, policy));
  const proofs = new Proofs(nodes, registry, vouched, limitsOf(asking).proofsMs);
  await proofs.fetch(slotsOf(needs, new Map()));
  const more = [...slotsOf(needs, proofs.values)].filter((slot) => !proofs.has(slot));
  if (more.length > 0) await proofs.fetch(new Set(more));
  return proofs;
}

function needsByRegistry(credentials: Iterable<Credential>): Map<string, { registry: Registry; all: Need[] }> {
  const found = new Map<string, { registry: Registry; all: Map<string, Need> }>();
  for (const { anchorProofs, statusEntries } of credentials) {
    if (statusEntries === null) continue;
    for (const proof of anchorProofs) {
      const of = found.get(proof.registry.id) ?? { registry: proof.registry, all: new Map<string, Need>() };
      found.set(proof.registry.id, of);
      // Of credentials that need the same slots, one says which.
      const { list, index } = statusEntries;
      of.all.set([proof.issuerId, proof.root.join(), list, wordOf(index)].join(" "), {
        proof,
        position: statusEntries,
      });
    }
  }
  return new Map([...found].map(([id, { registry, all }]) => [id, { registry, all: [...all.values()] }]));
}

/**
 * Name the slots that decide, as far as they can be named. Which key anchored and which status epoch counts stand in
 * slots themselves, so ask twice: first with nothing known, which guesses epoch 0, the usual one.
 */
function slotsOf(needs: readonly Need[], known: ReadonlyMap<bigint, bigint>): Set<bigint> {
  const slots = new Set<bigint>();
  for (const { proof, position } of needs) {
    const [issuer, batch] = [issuerSlot(proof.issuerId), batchSlot(proof.issuerId, proof.root)];
    const epoch = unpackIssuer(known.get(issuer) ?? 0n).statusEpoch;
    for (const slot of [issuer, didHashSlot(proof.issuerId), batch]) slots.add(slot);
    for (const purpose of ["revocation", "suspension"] as const) {
      slots.add(statusSlot(purpose, proof.issuerId, epoch, position.list, wordOf(position.index)));
    }
    const word = known.get(batch) ?? 0n;
    if (word !== 0n) slots.add(keySlot(unpackBatch(word).key));
  }
  return slots;
}
