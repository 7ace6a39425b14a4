"""Which slots prove what, and evidence that contradicts itself."""

from dataclasses import replace

import pytest

from anchor import evidence as slots
from anchor.errors import EvidenceFormatError, NoEvidenceError
from anchor.evidence import Evidence, LedgerState, slots_needed
from anchor.model import Hash32, RegistryId
from tests.support.world import ISSUER_ID, KEY, REGISTRY, World


def test_two_rounds_name_every_slot_that_decides() -> None:
    for epoch in (0, 4):
        world = World(status_epoch=epoch)
        (request,) = world.credential().requests
        stored = world.storage()
        first = slots_needed(request, {})
        second = slots_needed(request, {slot: stored.get(slot, 0) for slot in first})
        assert first | second >= set(world.needed_slots())
        assert slots.key_slot(KEY) not in first
        assert len(first) == 5
        assert len(second - first) == (1 if epoch == 0 else 3)


def test_batch_that_is_not_there_needs_no_key() -> None:
    world = World(anchored_at=0)
    (request,) = world.credential().requests
    first = slots_needed(request, {})
    assert slots_needed(request, dict.fromkeys(first, 0)) == first


def test_one_registry_has_one_block() -> None:
    each = World().registry_evidence()
    with pytest.raises(EvidenceFormatError, match="more than one block"):
        Evidence(registries=(each, each))


def test_each_registry_has_its_own_state() -> None:
    each = World().registry_evidence()
    elsewhere = RegistryId(chain_id=1, address=REGISTRY.address)
    evidence = Evidence(registries=(replace(each, registry=elsewhere), each))
    assert evidence.state_of(REGISTRY).evidence is each
    assert evidence.state_of(elsewhere).evidence.registry == elsewhere


def test_state_is_opened_once() -> None:
    evidence = World().evidence()
    assert evidence.state_of(REGISTRY) is evidence.state_of(REGISTRY)


def test_absent_contract_has_no_storage() -> None:
    state = LedgerState(World(account_exists=False).registry_evidence())
    with pytest.raises(NoEvidenceError, match="absent contract"):
        state.value(slots.issuer_slot(ISSUER_ID))


def test_head_stands_two_slots_after_the_issuer() -> None:
    world = World()
    world.extra_slots[slots.head_slot(ISSUER_ID)] = 77
    storage = world.needed_slots()
    assert int.from_bytes(slots.head_slot(ISSUER_ID), "big") == int.from_bytes(storage[0], "big") + 2
    world.needed_slots = lambda: [slots.head_slot(ISSUER_ID)]  # type: ignore[method-assign]
    assert LedgerState(world.registry_evidence()).head(ISSUER_ID) == Hash32((77).to_bytes(32, "big"))
