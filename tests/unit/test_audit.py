from dataclasses import replace

import pytest

from anchor.audit import check_complete, read_heads, slots_of_heads
from anchor.errors import HistoryError, NoEvidenceError
from anchor.model import ZERO_HASH, RegistryId
from anchor.replay import replay
from tests.support.history import REGISTRY, Call, chain, deployed, prove_heads, role_changed, withdrawn
from tests.support.stories import STORY


@pytest.mark.parametrize("calls", [deployed(), STORY])
def test_whole_history_is_complete(calls: tuple[Call, ...]) -> None:
    logs, proven = chain(calls)
    check_complete(replay(logs, REGISTRY), proven)


def test_history_without_a_deployment_is_not_complete() -> None:
    _, proven = chain(deployed())
    with pytest.raises(HistoryError, match="roles, accreditations or withdrawals"):
        check_complete(replay([], REGISTRY), proven)


def test_missing_end_is_found_by_the_proof() -> None:
    logs, proven = chain(STORY)
    with pytest.raises(HistoryError, match="the history of issuer 1 does not end where"):
        check_complete(replay(logs[:-1], REGISTRY), proven)


def test_all_incomplete_issuers_are_named() -> None:
    logs, proven = chain(STORY)
    with pytest.raises(HistoryError, match="issuer 1, 2 does not end"):
        check_complete(replay(logs[:4], REGISTRY), proven)


def test_missing_issuer_is_found_by_the_proof() -> None:
    logs, proven = chain(STORY[:4])
    with pytest.raises(HistoryError, match="has 1 issuers, the registry 2"):
        check_complete(replay(logs[:3], REGISTRY), proven)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (role_changed(b"\x05" * 32, b"\x06" * 20, at=900, block=9), "roles, accreditations or withdrawals"),
        (withdrawn(2, 901, at=900, block=9), "issuer 2 does not end where"),
    ],
)
def test_missing_event_of_the_registry_is_found_by_the_proof(call: Call, why: str) -> None:
    logs, proven = chain([*STORY, call])
    with pytest.raises(HistoryError, match=why):
        check_complete(replay(logs[:-1], REGISTRY), proven)


def test_issuer_without_proof_is_not_complete() -> None:
    logs, proven = chain(STORY)
    with pytest.raises(HistoryError, match="issuer 2"):
        check_complete(replay(logs, REGISTRY), replace(proven, heads={1: proven.heads[1]}))


def test_other_registry_head_is_found() -> None:
    logs, proven = chain(STORY)
    with pytest.raises(HistoryError, match="withdrawals does not end"):
        check_complete(replay(logs, REGISTRY), replace(proven, registry_head=ZERO_HASH))


def test_proof_of_another_registry_is_refused() -> None:
    logs, proven = chain(STORY)
    elsewhere = RegistryId(chain_id=1, address=REGISTRY.address)
    with pytest.raises(HistoryError, match=r"eip155:31337:.* eip155:1:"):
        check_complete(replay(logs, REGISTRY), replace(proven, registry=elsewhere))


def test_heads_are_read_from_state_proofs() -> None:
    logs, proven = chain(STORY)
    history = replay(logs, REGISTRY)
    state = prove_heads(proven, slots_of_heads(history))
    read = read_heads(state, history)
    assert (read.registry, read.block) == (REGISTRY, state.block)
    assert replace(read, block=proven.block) == proven
    check_complete(history, read)


def test_issuers_that_the_history_lacks_are_counted_without_proofs_of_their_heads() -> None:
    logs, proven = chain(STORY)
    history = replay(logs[:3], REGISTRY)
    read = read_heads(prove_heads(proven, slots_of_heads(history)), history)
    with pytest.raises(HistoryError, match="has 1 issuers, the registry 2"):
        check_complete(history, read)


@pytest.mark.parametrize("position", range(4))
def test_head_without_proof_is_unknown(position: int) -> None:
    logs, proven = chain(STORY)
    history = replay(logs, REGISTRY)
    slots = slots_of_heads(history)
    with pytest.raises(NoEvidenceError):
        read_heads(prove_heads(proven, slots[:position] + slots[position + 1 :]), history)
