"""Verdicts on evidence in which something is missing or broken, and on several anchor proofs (design section 7)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from eth_hash.auto import keccak

from anchor import evidence as slots
from anchor.evidence import Evidence
from anchor.model import Hash32, Outcome, hash32
from anchor.proof import anchor_proof_member
from anchor.status import StatusPurpose
from anchor.verify import verify
from tests.support.verdicts import assert_unknown, judge
from tests.support.world import ISSUER_ID, KEY, NOW, World, policy

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
