import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi import abi
from eth_hash.auto import keccak

from anchor import events
from anchor.errors import EvidenceFormatError, HistoryError, MalformedError
from anchor.events import (
    CredentialsReinstated,
    CredentialsRevoked,
    CredentialsSuspended,
    Event,
    IssuerAccredited,
    IssuerEvent,
    RoleChanged,
)
from anchor.logs import first_head, next_head, parse_log
from anchor.model import RegistryId, address, hash32
from tests.support.history import (
    PARAMETERS,
    REGISTRY,
    Call,
    accredited,
    anchored,
    batch_revoked,
    chain,
    control_accepted,
    control_offered,
    epochs_changed,
    key_added,
    key_compromised,
    key_retired,
    nonces_cancelled,
    role_changed,
    start_of_issuer,
    start_of_registry,
    status_changed,
    topic_of,
    withdrawn,
)

ROOT = Path(__file__).parents[2]
CONTROLLER, KEY, ACTOR = b"\x01" * 20, b"\x02" * 20, b"\xaa" * 20
STATUS_EVENTS = {
    "CredentialsRevoked": CredentialsRevoked,
    "CredentialsSuspended": CredentialsSuspended,
    "CredentialsReinstated": CredentialsReinstated,
}


def only_log(call: Call) -> Any:
    logs, _ = chain([call])
    return logs[0]


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        (
            role_changed(b"\x05" * 32, KEY, granted=False, actor=ACTOR, at=100, block=1),
            {"role": b"\x05" * 32, "account": KEY, "granted": False},
        ),
        (
            withdrawn(1, 2**40 - 1, reason=6, at=100, block=1),
            {"issuer_id": 1, "withdrawn_at": 2**40 - 1, "reason": 6},
        ),
        (control_offered(1, KEY, actor=ACTOR, at=100, block=1), {"issuer_id": 1, "controller": KEY}),
        (control_accepted(1, KEY, actor=ACTOR, at=100, block=1), {"issuer_id": 1, "controller": KEY}),
        (
            key_added(1, KEY, 2, actor=ACTOR, at=100, block=1, epoch=3, valid_from=200),
            {"issuer_id": 1, "key": KEY, "scope": 2, "status_epoch": 3, "valid_from": 200},
        ),
        (
            key_retired(1, KEY, actor=ACTOR, at=100, block=1, valid_until=300),
            {"issuer_id": 1, "key": KEY, "valid_until": 300},
        ),
        (key_compromised(1, KEY, 90, actor=ACTOR, at=100, block=1), {"issuer_id": 1, "key": KEY, "since": 90}),
        (epochs_changed(1, 4, 6, actor=ACTOR, at=100, block=1), {"issuer_id": 1, "epoch": 4, "next_epoch": 6}),
        (nonces_cancelled(1, KEY, 2**255, actor=ACTOR, at=100, block=1), {"key": KEY, "nonce": 2**255}),
        (
            anchored(1, b"\x07" * 32, size=1000, actor=ACTOR, at=100, block=1),
            {"issuer_id": 1, "root": b"\x07" * 32, "size": 1000},
        ),
        (
            batch_revoked(1, b"\x07" * 32, actor=ACTOR, at=100, block=1, epoch=2, reason=5),
            {"issuer_id": 1, "root": b"\x07" * 32, "epoch": 2, "reason": 5},
        ),
    ],
    ids=lambda value: value.event if isinstance(value, Call) else None,
)
def test_event_is_read(call: Call, fields: dict[str, object]) -> None:
    log = only_log(call)
    event = parse_log(log)
    assert type(event) is getattr(events, call.event)
    assert isinstance(event, Event)
    assert event.kind == call.event[0].lower() + call.event[1:]
    assert (event.actor, event.at, event.log) == (ACTOR, 100, log)
    assert "RawLog" not in repr(event)  # hundreds of bytes that say nothing to a reader
    assert {name: getattr(event, name) for name in fields} == fields


def test_accreditation_is_read() -> None:
    did = "did:web:collège.example"
    log = only_log(accredited(1, did, controller=CONTROLLER, at=100, block=1))
    event = parse_log(log)
    assert isinstance(event, IssuerAccredited)
    assert (event.kind, event.issuer_id, event.did, event.at) == ("issuerAccredited", 1, did, 100)
    assert event.did_hash == keccak(did.encode())
    assert (event.controller, event.actor, event.log) == (CONTROLLER, ACTOR, log)


@pytest.mark.parametrize(
    ("call", "chains"),
    [
        (role_changed(b"\x05" * 32, KEY, at=100, block=1), [None]),
        (accredited(1, "did:x", controller=CONTROLLER, at=100, block=1), [1, None]),
        (withdrawn(1, 101, at=100, block=1), [1, None]),
        (anchored(1, b"\x07" * 32, actor=KEY, at=100, block=1), [1]),
        # Not the registry-wide head, though it has no issuer's number.
        (anchored(0, b"\x07" * 32, actor=KEY, at=100, block=1), [0]),
    ],
    ids=lambda value: value.event if isinstance(value, Call) else str(value),
)
def test_event_extends_the_heads_of_those_concerned(call: Call, chains: list[int | None]) -> None:
    event = parse_log(only_log(call))
    assert event is not None
    assert event.heads == {each: next_head(first_head(REGISTRY, each), event.event_hash) for each in chains}
    if isinstance(event, IssuerEvent):
        assert event.head == event.heads[call.issuer]


def test_events_can_be_members_of_sets() -> None:
    log = only_log(role_changed(b"\x05" * 32, KEY, at=100, block=1))
    assert len({parse_log(log), parse_log(log)}) == 1
    assert isinstance(parse_log(log), RoleChanged)


@pytest.mark.parametrize("name", STATUS_EVENTS)
def test_status_change_is_read(name: str) -> None:
    call = status_changed(name, 1, [3, 511], [5, 2**255], actor=KEY, at=9, block=1, status_list=4, epoch=2, reason=6)
    event = parse_log(only_log(call))
    assert isinstance(event, STATUS_EVENTS[name])
    assert event.kind == name[0].lower() + name[1:]
    assert (event.status_list, event.epoch, event.reason, event.at) == (4, 2, 6, 9)
    assert (event.words, event.masks) == ((3, 511), (5, 2**255))


def test_did_that_is_not_utf8_is_shown_escaped() -> None:
    # The contract takes any bytes; one such DID must not keep anybody from auditing the others.
    did = b"did:web:\xff"
    types = ["bytes", "address", "address", "uint40", "bytes32", "bytes32"]
    log = replace(
        only_log(accredited(1, "did:x", controller=CONTROLLER, at=1, block=1)),
        data=abi.encode(types, [did, CONTROLLER, ACTOR, 1, b"\x00" * 32, b"\x00" * 32]),
    )
    event = parse_log(log)
    assert isinstance(event, IssuerAccredited)
    assert (event.did_bytes, event.did) == (did, r"did:web:\xff")


def test_other_logs_are_passed_over() -> None:
    log = only_log(anchored(1, b"\x07" * 32, actor=KEY, at=100, block=1))
    assert (
        parse_log(replace(log, topics=(hash32(keccak(b"RoleGranted(bytes32,address,address)")), *log.topics[1:])))
        is None
    )
    assert parse_log(replace(log, topics=())) is None


BATCH = only_log(anchored(1, b"\x07" * 32, actor=KEY, at=100, block=1))
ADMITTED = only_log(accredited(1, "did:web:one.example", controller=CONTROLLER, at=100, block=1))
REVOKED = only_log(status_changed("CredentialsRevoked", 1, [3], [5], actor=KEY, at=9, block=1))
_DATA = REVOKED.data
MASKS_FIRST = _DATA[:32] + _DATA[64:96] + _DATA[32:64] + _DATA[96:224] + _DATA[288:352] + _DATA[224:288]


@pytest.mark.parametrize(
    ("log", "data"),
    [
        pytest.param(BATCH, BATCH.data[:-1], id="a byte short"),
        pytest.param(BATCH, BATCH.data + b"\x00", id="a byte too long"),
        pytest.param(BATCH, b"", id="no data"),
        pytest.param(BATCH, b"\x01" + BATCH.data[1:], id="number beyond its type"),
        pytest.param(BATCH, BATCH.data[:32] + b"\x01" + BATCH.data[33:], id="address of more than 20 bytes"),
        pytest.param(ADMITTED, ADMITTED.data[:192] + b"\x80" + ADMITTED.data[193:], id="text of 2^255 bytes"),
        pytest.param(ADMITTED, b"\x80" + ADMITTED.data[1:], id="text at 2^255"),
        pytest.param(ADMITTED, ADMITTED.data[:-1] + b"\x01", id="padding that is not zero"),
        pytest.param(REVOKED, REVOKED.data + bytes(32), id="a word behind the arrays"),
        pytest.param(REVOKED, REVOKED.data[:63] + b"\xff" + REVOKED.data[64:], id="array beyond the end"),
        pytest.param(
            REVOKED, MASKS_FIRST, id="arrays in another order: eth_abi reads it, the contract never writes it"
        ),
    ],
)
def test_data_that_the_contract_would_not_write_is_refused(log: Any, data: bytes) -> None:
    with pytest.raises(HistoryError, match="block 1, log 0"):
        parse_log(replace(log, data=data))


@pytest.mark.parametrize(
    "topics",
    [
        BATCH.topics[:2],
        (*BATCH.topics, BATCH.topics[1]),
        (BATCH.topics[0], hash32(b"\xff" * 32), BATCH.topics[2]),
    ],
    ids=["one short", "one too many", "issuer beyond its type"],
)
def test_topics_that_the_contract_would_not_write_are_refused(topics: tuple[bytes, ...]) -> None:
    with pytest.raises(HistoryError):
        parse_log(replace(BATCH, topics=topics))


def test_head_starts_differ_by_registry_chain_and_issuer() -> None:
    elsewhere = RegistryId(chain_id=1, address=REGISTRY.address)
    other = RegistryId(chain_id=REGISTRY.chain_id, address=address(b"\xdd" * 20))
    registries = (REGISTRY, elsewhere, other)
    assert len({first_head(registry, number) for registry in registries for number in (1, 2, None)}) == 9
    assert first_head(other, 2) == start_of_issuer(2, other)
    assert first_head(elsewhere, None) == start_of_registry(elsewhere)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"address": b"\x01" * 19}, MalformedError),
        ({"topics": (b"\x01" * 31,)}, MalformedError),
        ({"topics": (b"\x01" * 32,) * 5}, EvidenceFormatError),
        ({"block_hash": b""}, MalformedError),
        ({"transaction_hash": b""}, MalformedError),
        ({"block_number": -1}, EvidenceFormatError),
        ({"log_index": -1}, EvidenceFormatError),
    ],
)
def test_raw_log_of_wrong_sizes_is_refused(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        replace(BATCH, **change)


def test_events_are_those_of_the_contract() -> None:
    contract = json.loads((ROOT / "anchor/ledger/abi/CredentialRegistry.json").read_text(encoding="utf-8"))
    declared = {entry["name"]: entry["inputs"] for entry in contract["abi"] if entry["type"] == "event"}
    ours = {name for name, inputs in declared.items() if any("head" in each["name"].lower() for each in inputs)}
    assert ours == set(PARAMETERS)
    for name, (indexed, others, heads) in PARAMETERS.items():
        inputs = declared[name]
        assert [each["type"] for each in inputs] == [*indexed, *others, *["bytes32"] * len(heads)]
        assert [each["indexed"] for each in inputs] == [True] * len(indexed) + [False] * (len(others) + len(heads))
        names = {"issuer": "head", "registry": "registryHead"}
        assert [each["name"] for each in inputs[len(indexed) + len(others) :]] == [names[each] for each in heads]
        log = replace(BATCH, topics=(topic_of(name), *BATCH.topics[1:]), data=b"")
        with pytest.raises(HistoryError, match=name):  # known, and not empty
            parse_log(log)
