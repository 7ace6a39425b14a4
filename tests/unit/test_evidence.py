"""Which slots prove what, and evidence that contradicts itself."""

from dataclasses import replace

import pytest
from eth_hash.auto import keccak

from anchor import evidence as slots
from anchor.errors import EvidenceFormatError, NoEvidenceError
from anchor.evidence import Evidence, LedgerState, slots_needed
from anchor.model import Batch, Hash32, Issuer, Key, RegistryId, StatusPosition, address
from anchor.status import StatusPurpose
from tests.support.world import CONTROLLER, ISSUER_ID, KEY, REGISTRY, World, pack


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
        assert type(first) is frozenset
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


def test_what_was_opened_is_no_part_of_the_evidence() -> None:
    used, fresh = World().evidence(), World().evidence()
    used.state_of(REGISTRY)
    assert used == fresh
    assert repr(used) == repr(fresh)
    with pytest.raises(TypeError, match="_states"):
        Evidence(registries=(), _states={})  # type: ignore[call-arg]


def test_fields_end_where_the_next_begin() -> None:
    full = 2**256 - 1
    assert slots._unpack_key(full).status_epoch == 2**16 - 1
    assert slots._offset(Hash32(full.to_bytes(32, "big")), 1) == bytes(32)


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


def slot_of(base: int, *keys: int | bytes) -> Hash32:
    """Slot of a value in nested mappings, as Solidity lays them out."""
    slot = base.to_bytes(32, "big")
    for key in keys:
        slot = keccak((key.to_bytes(32, "big") if isinstance(key, int) else key.rjust(32, b"\0")) + slot)
    return Hash32(slot)


def test_slots_are_those_of_the_contract() -> None:
    # Numbers of docs/spec/history.md; a contract with another layout has other code, hence another pin.
    root = Hash32(b"r" * 32)
    assert slots.issuer_slot(7) == slot_of(4, 7)
    assert int.from_bytes(slots.did_hash_slot(7), "big") == int.from_bytes(slot_of(4, 7), "big") + 1
    assert slots.key_slot(KEY) == slot_of(8, KEY)
    assert slots.batch_slot(7, root) == slot_of(10, 7, root)
    assert slots.word_slot(StatusPurpose.REVOCATION, 7, 2, 3, 511) == slot_of(11, 7, 2, 3, 511)
    assert slots.word_slot(StatusPurpose.SUSPENSION, 7, 2, 3, 511) == slot_of(12, 7, 2, 3, 511)
    assert slots.issuer_of_did_slot(root) == slot_of(5, root)
    assert slots.next_slot(9) == slot_of(7, 9)
    assert slots.role_slot(root, KEY) == slot_of(1, root, KEY)
    assert (2).to_bytes(32, "big") == slots.ADMIN_DELAY_SLOT
    assert (3).to_bytes(32, "big") == slots.ADMIN_SLOT
    assert (0).to_bytes(32, "big") == slots.REGISTRY_HEAD_SLOT
    assert (6).to_bytes(32, "big") == slots.ISSUER_COUNT_SLOT


def test_fields_are_read_from_their_bits() -> None:
    # Each field all ones but its lowest bit, between fields of other values: none may spill into its neighbour.
    world = World(
        accredited_at=2**40 - 2,
        withdrawn_at=2**39 + 1,
        status_epoch=2**16 - 2,
        anchored_at=2**40 - 2,
        anchored_size=2**32 - 2,
        batch_revoked=(2**8 - 2, 2**15 + 1),
    )
    world.extra_slots[slots.key_slot(KEY)] = pack(
        (2**32 - 2, 32), (2**39 + 1, 40), (2**40 - 2, 40), (2**39 + 3, 40), (2**8 - 2, 8), (2**15 + 1, 16)
    )
    state = LedgerState(world.registry_evidence())
    assert state.issuer(ISSUER_ID) == Issuer(
        controller=CONTROLLER, accredited_at=2**40 - 2, withdrawn_at=2**39 + 1, status_epoch=2**16 - 2
    )
    assert state.key(KEY) == Key(
        issuer_id=2**32 - 2,
        valid_from=2**39 + 1,
        valid_until=2**40 - 2,
        compromised_at=2**39 + 3,
        scope=2**8 - 2,
        status_epoch=2**15 + 1,
    )
    assert state.batch(ISSUER_ID, world.anchor_proof().root) == Batch(
        key=KEY, anchored_at=2**40 - 2, size=2**32 - 2, revoked_reason=2**8 - 2, revoked_epoch=2**15 + 1
    )


def test_hash_with_leading_zeros_has_32_bytes() -> None:
    world = World()
    world.extra_slots[slots.did_hash_slot(ISSUER_ID)] = 5
    state = LedgerState(world.registry_evidence())
    assert state.did_hash(ISSUER_ID) == (5).to_bytes(32, "big")


def test_bit_is_read_at_its_place() -> None:
    for index in (0, 255, 256, 131_071):
        world = World(position=StatusPosition(status_list=2, index=index), status_epoch=3)
        world.set_bit(StatusPurpose.SUSPENSION, epoch=3)
        state = LedgerState(world.registry_evidence())
        assert state.bit(StatusPurpose.SUSPENSION, ISSUER_ID, 3, world.position) is True
        assert state.bit(StatusPurpose.REVOCATION, ISSUER_ID, 3, world.position) is False


def test_final_block_needs_hash_and_header() -> None:
    each = World().registry_evidence()
    assert LedgerState(each).final_block().number == 90
    for lacking in (replace(each, final_hash=None), replace(each, final_header=None)):
        with pytest.raises(NoEvidenceError, match="which block is final"):
            LedgerState(lacking).final_block()


def test_value_is_proven_once() -> None:
    each = World().registry_evidence()
    state = LedgerState(each)
    assert state.issuer(ISSUER_ID).controller == CONTROLLER
    state._nodes.clear()
    assert state.issuer(ISSUER_ID).controller == CONTROLLER
    with pytest.raises(NoEvidenceError, match="no state proof"):
        state.key(KEY)


def test_final_block_is_checked_once() -> None:
    state = LedgerState(World().registry_evidence())
    assert state.final_block() is state.final_block()


def test_evidence_missing_for_one_registry_says_so_for_that_one() -> None:
    elsewhere = RegistryId(chain_id=1, address=REGISTRY.address)
    evidence = Evidence(missing=((REGISTRY, "no answer"), (elsewhere, "another chain")))
    for registry, said in ((REGISTRY, "no answer"), (elsewhere, "another chain")):
        with pytest.raises(NoEvidenceError, match=said):
            evidence.state_of(registry)
    with pytest.raises(NoEvidenceError, match="no evidence for this registry"):
        evidence.state_of(RegistryId(chain_id=2, address=address(b"\x02" * 20)))
