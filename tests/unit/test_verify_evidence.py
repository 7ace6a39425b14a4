"""Verdicts on evidence in which something is missing or broken, and on several anchor proofs (design section 7)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from eth_hash.auto import keccak

from anchor import evidence as slots
from anchor.evidence import Evidence
from anchor.model import Hash32, KnownBlock, Outcome, Verdict, Vouching, hash32
from anchor.proof import anchor_proof_member
from anchor.status import StatusPurpose
from anchor.verify import verify
from tests.support.verdicts import assert_unknown, judge
from tests.support.world import ISSUER_ID, KEY, NOW, REGISTRY, World, policy

# What vouches for the block.


def test_pinned_block_is_one_that_the_policy_knows_and_is_final() -> None:
    world = World(final_number=None)
    pinned = world.evidence(vouching=Vouching.PINNED_HASH)
    here = KnownBlock(chain_id=REGISTRY.chain_id, hash=pinned.registries[0].block_hash)

    def under(known: KnownBlock) -> Verdict:
        rules = policy(vouching=Vouching.PINNED_HASH, known_blocks=frozenset({known}), confirmations=5)
        return judge(world, rules=rules, evidence=pinned)

    assert under(here).outcome is Outcome.VALID
    verdict = under(here._replace(chain_id=1))
    assert_unknown(verdict, {5, 6, 7, 8, 9, 10, 11}, "unvouchedBlock")
    assert "is not one that the policy knows" in str(verdict.error)


def test_fewer_nodes_than_the_policy_wants_vouch_for_nothing() -> None:
    rules = policy(vouching=Vouching.K_OF_N, nodes=("http://a.example", "http://b.example", "http://c.example"))

    def vouched_by(*names: str) -> Verdict:
        evidence = World().evidence(vouching=Vouching.K_OF_N, vouched_by=names, nodes_asked=3)
        return judge(World(), rules=rules, evidence=evidence)

    assert vouched_by("a", "b").outcome is Outcome.VALID
    for verdict in (vouched_by("a"), vouched_by("a", "a")):
        assert_unknown(verdict, {5, 6, 7, 8, 9, 10, 11}, "unvouchedBlock")
        assert "agreed on by 1 of 3 nodes; the policy wants 2" in str(verdict.error)
        assert verdict.basis is not None
        assert verdict.basis.nodes_asked == 3


def test_verdict_says_how_many_nodes_agreed() -> None:
    rules = policy(vouching=Vouching.K_OF_N, nodes=("http://a.example", "http://b.example", "http://c.example"))
    evidence = World().evidence(vouching=Vouching.K_OF_N, vouched_by=("a", "b"), nodes_asked=3)
    assert "its hash agreed on by 2 of 3 nodes: a, b" in judge(World(), rules=rules, evidence=evidence).checks[4].detail


# What is missing or broken in the evidence.


def without(world: World, slot: Hash32) -> Evidence:
    kept = tuple(each for each in world.registry_evidence().storage if each.slot != slot)
    return world.evidence(storage=kept)


def broken(world: World, slot: Hash32) -> Evidence:
    proofs = world.registry_evidence().storage
    return world.evidence(storage=tuple(replace(each, nodes=()) if each.slot == slot else each for each in proofs))


WORLD = World()
ROOT = Hash32(WORLD.levels()[-1])
SLOT_STEPS = {
    "issuer": (slots.issuer_slot(ISSUER_ID), {8, 9, 10, 11}),
    "did": (slots.did_hash_slot(ISSUER_ID), {8}),
    "batch": (slots.batch_slot(ISSUER_ID, ROOT), {6, 7, 8, 9}),
    "key": (slots.key_slot(KEY), {7}),
    "revoked": (slots.word_slot(StatusPurpose.REVOCATION, ISSUER_ID, 0, 0, 94_567 >> 8), {10}),
    "suspended": (slots.word_slot(StatusPurpose.SUSPENSION, ISSUER_ID, 0, 0, 94_567 >> 8), {11}),
}


@pytest.mark.parametrize("name", SLOT_STEPS)
@pytest.mark.parametrize(("spoil", "reason"), [(without, "noEvidence"), (broken, "badStateProof")])
def test_each_fact_that_is_not_proven_makes_its_steps_unknown(
    name: str, spoil: Callable[[World, Hash32], Evidence], reason: str
) -> None:
    slot, steps = SLOT_STEPS[name]
    assert_unknown(judge(WORLD, evidence=spoil(WORLD, slot)), steps, reason)


@pytest.mark.parametrize("name", ["did", "key", "revoked", "suspended"])
def test_facts_that_are_not_needed_do_not_spoil_a_verdict(name: str) -> None:
    world = World(batch_revoked=(1, 0))
    verdict = judge(world, evidence=broken(world, SLOT_STEPS[name][0]))
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "batchRevoked")


def test_broken_proofs_of_slots_nobody_asks_for_do_not_count() -> None:
    proofs = WORLD.registry_evidence().storage
    stray = replace(proofs[0], slot=hash32(keccak(b"stray")), nodes=(b"junk",))
    assert judge(WORLD, evidence=WORLD.evidence(storage=(*proofs, stray))).outcome is Outcome.VALID


# Several anchor proofs.


def test_one_proof_that_passes_suffices() -> None:
    world = World()
    good = world.anchor_proof()
    bad = replace(good, salt=hash32(b"t" * 32))
    for proofs in ((good, bad), (bad, good)):
        credential = world.credential(proof=[anchor_proof_member(each) for each in proofs])
        assert verify(credential, world.evidence(), policy(), NOW).outcome is Outcome.VALID


def test_proof_that_might_still_pass_outweighs_one_that_failed() -> None:
    world = World()
    good = world.anchor_proof()
    bad = replace(good, salt=hash32(b"t" * 32))
    credential = world.credential(proof=[anchor_proof_member(each) for each in (bad, good)])
    assert verify(credential, Evidence(), policy(), NOW).outcome is Outcome.UNKNOWN
    both_bad = world.credential(proof=[anchor_proof_member(bad)] * 2)
    assert verify(both_bad, Evidence(), policy(), NOW).outcome is Outcome.INVALID


def test_proofs_that_nobody_gave_are_missed_with_the_reason() -> None:
    lacking = "the evidence has no state proof for a fact that is needed"
    for gaps, words in (("", lacking), ("the node http://a is busy", f"{lacking}: the node http://a is busy")):
        verdict = judge(World(), evidence=World().evidence(storage=(), gaps=gaps))
        assert (verdict.outcome, verdict.reason, str(verdict.error)) == (Outcome.UNKNOWN, "noEvidence", words)
