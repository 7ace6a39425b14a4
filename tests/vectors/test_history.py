"""A history of the real contract in which every event occurs (history.json), and its events one by one (heads.json)."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi import abi
from eth_hash.auto import keccak

from anchor.audit import ProvenHeads, check_complete
from anchor.errors import HistoryError
from anchor.events import IssuerEvent, RawLog
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, History
from anchor.logs import first_head, next_head, parse_log
from anchor.model import ZERO_HASH, BlockHeader, RegistryId, StatusPosition, address, hash32
from anchor.replay import replay
from anchor.status import StatusPurpose
from tests.support.history import PARAMETERS
from tests.vectors.reading import data, read, vectors

HISTORY, HEADS = read("history"), read("heads")
REGISTRY = RegistryId.parse(HISTORY["registry"])


def read_log(entry: dict[str, Any]) -> RawLog:
    return RawLog(
        address=address(data(entry["address"])),
        topics=tuple(hash32(data(topic)) for topic in entry["topics"]),
        data=data(entry["data"]),
        block_number=int(entry["blockNumber"], 16),
        block_hash=hash32(data(entry["blockHash"])),
        transaction_hash=hash32(data(entry["transactionHash"])),
        log_index=int(entry["logIndex"], 16),
    )


def proven(state: dict[str, Any]) -> ProvenHeads:
    return ProvenHeads(
        registry=REGISTRY,
        block=BlockHeader(hash=ZERO_HASH, number=100, timestamp=0, state_root=ZERO_HASH),
        issuer_count=state["issuerCount"],
        registry_head=hash32(data(state["registryHead"])),
        heads={int(number): hash32(data(head)) for number, head in state["heads"].items()},
    )


LOGS = [read_log(each) for each in HISTORY["logs"]]


@pytest.fixture(scope="module")
def history() -> History:
    return replay(LOGS, REGISTRY)


def test_history_is_complete(history: History) -> None:
    check_complete(history, proven(HISTORY))
    assert {type(event).__name__ for event in history.events} == set(PARAMETERS)


def test_history_led_to_what_the_story_says(history: History) -> None:
    one, two = history.issuers
    assert (two.did, next(iter(two.keys.values())).valid_from) == ("did:web:collège.example", 1_790_001_000)
    assert [each.event.epoch for each in one.epoch_changes] == [1, 1]
    assert (one.record.status_epoch, one.next_status_epoch, one.pending_controller) == (1, 3, None)
    change, skipped = one.epoch_changes
    assert change.unrevoked == (
        StatusPosition(status_list=0, index=1),
        *(StatusPosition(status_list=0, index=3 * 256 + bit) for bit in range(256)),
        StatusPosition(status_list=2**32 - 1, index=256 * 256 + 17),
    )
    assert change.unsuspended == (StatusPosition(status_list=0, index=3 * 256 + 2),)
    assert [one.batches[root].size for root in change.unrevoked_batches] == [2**32 - 1]
    assert (skipped.unrevoked, skipped.unsuspended, skipped.unrevoked_batches) == ((), (), ())
    assert [one.batches[root].size for root in one.void_batches()] == [0, 2**32 - 1]
    assert [one.batches[root].size for root in one.revoked_batches()] == [5]
    assert one.positions(StatusPurpose.REVOCATION) == (
        StatusPosition(status_list=0, index=0),
        StatusPosition(status_list=0, index=131_071),
    )
    assert one.positions(StatusPurpose.SUSPENSION) == (StatusPosition(status_list=7, index=256),)
    assert 0 < one.record.withdrawn_at < 1_890_000_000
    assert history.members(ACCREDITOR_ROLE) == ()
    assert len(history.members(ADMIN_ROLE)) == 1
    assert len([each for each in history.tenures if each.role == ACCREDITOR_ROLE]) == 2


def test_no_event_can_be_left_out(history: History) -> None:
    known = {event.log for event in history.events}
    for log in LOGS:
        try:
            check_complete(replay([each for each in LOGS if each is not log], REGISTRY), proven(HISTORY))
        except HistoryError:
            assert log in known
        else:
            assert log not in known


def test_first_heads() -> None:
    assert data(HEADS["firstRegistryHead"]) == first_head(REGISTRY, None)
    assert {each["issuer"] for each in HEADS["firstHeads"]} == {1, 2}
    for each in HEADS["firstHeads"]:
        assert data(each["head"]) == first_head(REGISTRY, each["issuer"])


def test_every_event_is_hashed_as_the_contract_does(history: History) -> None:
    assert len(HEADS["events"]) == len(history.events)
    for told, event in zip(HEADS["events"], history.events, strict=True):
        assert told["name"] == type(event).__name__
        assert data(told["topic0"]) == event.log.topics[0] == keccak(told["signature"].encode())
        assert data(told["eventHash"]) == event.event_hash == keccak(data(told["encoded"]))
        assert told["issuer"] == (event.issuer_id if isinstance(event, IssuerEvent) else None)
        for name, chain in (("head", told["issuer"]), ("registryHead", None)):
            if told[f"{name}After"] is None:
                assert told[f"{name}Before"] is None
                continue
            assert data(told[f"{name}After"]) == event.heads[chain]
            assert next_head(hash32(data(told[f"{name}Before"])), event.event_hash) == event.heads[chain]


def test_values_encode_to_the_bytes_given() -> None:
    for told in HEADS["events"]:
        types = [*told["indexed"], *told["data"]]
        values = [value_of(kind, text) for kind, text in zip(types, told["values"], strict=True)]
        assert abi.encode(["bytes32", *types], [data(told["topic0"]), *values]) == data(told["encoded"])


def value_of(kind: str, text: Any) -> Any:
    if kind.endswith("[]"):
        return [value_of(kind[:-2], each) for each in text]
    match kind:
        case "bytes32":
            return data(text)
        case "bool":
            return {"true": True, "false": False}[text]
        case "address" | "string":
            return text
        case _:
            return int(text)


@pytest.mark.parametrize("false", vectors("heads", "invalid"))
def test_false_history_is_found_out(false: dict[str, Any]) -> None:
    logs, told = [read_log(each) for each in false["logs"]], proven(false["state"])
    if false["step"] == 6:
        history = replay(logs, REGISTRY)
        with pytest.raises(HistoryError):
            check_complete(history, told)
    else:
        with pytest.raises(HistoryError) as caught:
            replay(logs, REGISTRY)
        assert ("head does not follow" in str(caught.value)) == (false["step"] == 4)


def test_false_histories_are_false_by_one_thing_only() -> None:
    """The same story, untouched, is complete: the invalid ones are not refused for something else."""
    kept = replay(LOGS, REGISTRY).events[:15]
    (state,) = {str(each["state"]): each["state"] for each in HEADS["invalid"] if each["step"] in (4, 6)}.values()
    check_complete(replay([event.log for event in kept], REGISTRY), proven(state))


def test_log_of_another_kind_is_passed_over() -> None:
    assert parse_log(replace(LOGS[0], topics=(hash32(b"\x99" * 32),))) is None
