import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi import abi
from eth_hash.auto import keccak

from anchor.errors import EvidenceFormatError, HistoryError, MalformedError
from anchor.events import (
    BatchAnchored,
    CredentialsReinstated,
    CredentialsRevoked,
    CredentialsSuspended,
    IssuerAccredited,
    KeyAdded,
    first_head,
    first_registry_head,
    next_head,
    parse_log,
)
from anchor.model import RegistryId, address, hash32
from tests.support.history import (
    REGISTRY,
    Call,
    accredited,
    anchored,
    chain,
    key_added,
    status_changed,
    topic_of,
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


def test_accreditation_is_read() -> None:
    did = "did:web:collège.example"
    log = only_log(accredited(1, did, controller=CONTROLLER, at=100, block=1))
    event = parse_log(log)
    assert isinstance(event, IssuerAccredited)
    assert (event.kind, event.issuer_id, event.did, event.at) == ("issuerAccredited", 1, did, 100)
    assert event.did_hash == keccak(did.encode())
    assert (event.controller, event.actor, event.log) == (CONTROLLER, ACTOR, log)
    assert event.head == next_head(first_head(REGISTRY, 1), event.event_hash)
    assert event.registry_head == next_head(first_registry_head(REGISTRY), event.event_hash)


def test_added_key_is_read() -> None:
    event = parse_log(only_log(key_added(1, KEY, 2, actor=CONTROLLER, at=100, block=1, epoch=3, valid_from=200)))
    assert isinstance(event, KeyAdded)
    assert (event.kind, event.key, event.scope, event.status_epoch) == ("keyAdded", KEY, 2, 3)
    assert (event.valid_from, event.at, event.actor) == (200, 100, CONTROLLER)


def test_anchored_batch_is_read() -> None:
    event = parse_log(only_log(anchored(1, b"\x07" * 32, size=1000, actor=KEY, at=100, block=1)))
    assert isinstance(event, BatchAnchored)
    assert (event.kind, event.root, event.size, event.actor) == ("batchAnchored", b"\x07" * 32, 1000, KEY)


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
    starts = {first_head(registry, number) for registry in registries for number in (1, 2)}
    assert len(starts | {first_registry_head(registry) for registry in registries}) == 9


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
    entries = contract["abi"] if isinstance(contract, dict) else contract
    ours = {topic_of(name): name for name in ("IssuerAccredited", "KeyAdded", "BatchAnchored", *STATUS_EVENTS)}
    theirs = {}
    for entry in entries:
        if entry["type"] == "event":
            kinds = [each["type"] for each in entry["inputs"]]
            flags = [each["indexed"] for each in entry["inputs"]]
            theirs[hash32(keccak(f"{entry['name']}({','.join(kinds)})".encode()))] = (entry["name"], flags)
    for topic, name in ours.items():
        assert theirs[topic][0] == name
        assert theirs[topic][1] == [True, True] + [False] * (len(theirs[topic][1]) - 2)
        log = replace(BATCH, topics=(topic, *BATCH.topics[1:]), data=b"")
        with pytest.raises(HistoryError):  # known, and not empty
            parse_log(log)
