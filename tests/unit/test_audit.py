import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchor.audit import History, check_complete, read_heads, replay, slots_of_heads
from anchor.errors import HistoryError, NoEvidenceError
from anchor.events import CredentialsReinstated, CredentialsRevoked, CredentialsSuspended, RawLog
from anchor.model import (
    ZERO_HASH,
    Batch,
    Issuer,
    Key,
    KeyScope,
    RegistryId,
    StatusPosition,
    address,
    hash32,
    parse_hex,
)
from anchor.status import StatusPurpose
from tests.support.history import (
    REGISTRY,
    Call,
    accredited,
    anchored,
    chain,
    key_added,
    prove_heads,
    status_changed,
)

VECTORS = Path(__file__).parents[1] / "vectors"
CONTROLLER, OTHER = b"\x01" * 20, b"\x02" * 20
ANCHOR_KEY, STATUS_KEY, OTHER_KEY = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
ROOT = b"\x07" * 32

BEGINNING = (
    accredited(1, "did:web:one.example", controller=CONTROLLER, at=100, block=1),
    accredited(2, "did:web:two.example", controller=OTHER, at=100, block=1),
    key_added(1, ANCHOR_KEY, 1, actor=CONTROLLER, at=200, block=2),
    key_added(1, STATUS_KEY, 2, actor=CONTROLLER, at=200, block=2),
    key_added(2, OTHER_KEY, 1, actor=OTHER, at=300, block=3, valid_from=1000),
)
STORY = (
    *BEGINNING,
    anchored(1, ROOT, size=500, actor=ANCHOR_KEY, at=400, block=4),
    status_changed("CredentialsRevoked", 1, [0, 2], [0b101, 1 << 255], actor=STATUS_KEY, at=500, block=5, reason=1),
    status_changed("CredentialsSuspended", 1, [0], [0b110], actor=STATUS_KEY, at=600, block=6, reason=2),
    status_changed("CredentialsReinstated", 1, [0], [0b010], actor=STATUS_KEY, at=700, block=7, reason=3),
    status_changed("CredentialsSuspended", 1, [0], [0b010], actor=STATUS_KEY, at=800, block=8, status_list=5),
)


def replayed(*calls: Call) -> History:
    logs, _ = chain(calls)
    return replay(logs, REGISTRY)


def read_log(entry: dict[str, Any]) -> RawLog:
    return RawLog(
        address=address(parse_hex(entry["address"])),
        topics=tuple(hash32(parse_hex(topic)) for topic in entry["topics"]),
        data=parse_hex(entry["data"]),
        block_number=int(entry["blockNumber"], 16),
        block_hash=hash32(parse_hex(entry["blockHash"])),
        transaction_hash=hash32(parse_hex(entry["transactionHash"])),
        log_index=int(entry["logIndex"], 16),
    )


def test_story_leads_to_the_state() -> None:
    logs, proven = chain(STORY)
    history = replay(logs, REGISTRY)
    check_complete(history, proven)
    assert [event.log for event in history.events] == logs
    one, two = history.issuers
    assert (one.issuer_id, one.did, one.head) == (1, "did:web:one.example", proven.heads[1])
    assert one.record == Issuer(controller=address(CONTROLLER), accredited_at=100, withdrawn_at=0, status_epoch=0)
    assert two.record.controller == OTHER
    assert list(one.keys) == [ANCHOR_KEY, STATUS_KEY]
    assert two.keys[address(OTHER_KEY)] == Key(
        issuer_id=2, valid_from=1000, valid_until=0, compromised_at=0, scope=KeyScope.ANCHOR.value, status_epoch=0
    )
    assert one.batches == {
        ROOT: Batch(key=address(ANCHOR_KEY), anchored_at=400, size=500, revoked_reason=0, revoked_epoch=0)
    }
    assert one.positions(StatusPurpose.REVOCATION) == (
        StatusPosition(status_list=0, index=0),
        StatusPosition(status_list=0, index=2),
        StatusPosition(status_list=0, index=2 * 256 + 255),
    )
    assert one.positions(StatusPurpose.SUSPENSION) == (
        StatusPosition(status_list=0, index=2),
        StatusPosition(status_list=5, index=1),
    )
    assert [event.kind for event in two.events] == ["issuerAccredited", "keyAdded"]


def test_what_happened_to_one_credential_is_told_in_order() -> None:
    history = replayed(*STORY)

    def told(index: int, status_list: int = 0) -> list[tuple[type, int, int]]:
        changes = history.changes_of(1, StatusPosition(status_list=status_list, index=index))
        return [(type(change), change.at, change.reason) for change in changes]

    assert told(0) == [(CredentialsRevoked, 500, 1)]
    assert told(1) == [(CredentialsSuspended, 600, 2), (CredentialsReinstated, 700, 3)]
    assert told(2) == [(CredentialsRevoked, 500, 1), (CredentialsSuspended, 600, 2)]
    assert told(3) == []
    assert told(256) == []
    assert told(1, status_list=5) == [(CredentialsSuspended, 800, 7)]


def test_bits_of_a_staged_epoch_do_not_count_yet() -> None:
    staged = replayed(
        *BEGINNING,
        key_added(1, b"\x0d" * 20, 2, actor=CONTROLLER, at=400, block=4, epoch=1),
        status_changed("CredentialsRevoked", 1, [0], [1], actor=b"\x0d" * 20, at=500, block=5, epoch=1),
    )
    assert staged.issuer(1).positions(StatusPurpose.REVOCATION) == ()
    assert staged.changes_of(1, StatusPosition(status_list=0, index=0))[0].epoch == 1


@pytest.mark.parametrize("number", [0, 3, -1])
def test_no_such_issuer(number: int) -> None:
    with pytest.raises(HistoryError, match="no issuer"):
        replayed(*STORY).issuer(number)


def test_nothing_happened_yet() -> None:
    logs, proven = chain([])
    history = replay(logs, REGISTRY)
    check_complete(history, proven)
    assert history.issuers == ()


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([accredited(2, "did:x", controller=CONTROLLER, at=1, block=1)], "next issuer to be accredited is 1"),
        ([BEGINNING[0], accredited(1, "did:x", controller=CONTROLLER, at=100, block=2)], "accredited is 2"),
        ([accredited(1, "web:x", controller=CONTROLLER, at=1, block=1)], "not one that the contract takes"),
        ([accredited(1, "did:" + "x" * 1021, controller=CONTROLLER, at=1, block=1)], "not one that the contract takes"),
        ([accredited(1, "did:x", controller=bytes(20), at=1, block=1)], "controller is nobody"),
        (
            [BEGINNING[0], accredited(2, "did:web:one.example", controller=OTHER, at=100, block=2)],
            "DID is another issuer's",
        ),
        (
            [
                Call(
                    event="IssuerAccredited",
                    values=(1, ROOT, "did:x", "0x" + "01" * 20, "0x" + "01" * 20, 100),
                    block=1,
                )
            ],
            "does not hash to its DID hash",
        ),
        ([anchored(1, ROOT, actor=ANCHOR_KEY, at=1, block=1)], "no such issuer"),
        ([anchored(0, ROOT, actor=ANCHOR_KEY, at=1, block=1)], "no such issuer"),
        ([*BEGINNING, key_added(1, b"\x0d" * 20, 1, actor=OTHER, at=400, block=4)], "not the issuer's controller"),
        ([*BEGINNING, key_added(1, OTHER_KEY, 1, actor=CONTROLLER, at=400, block=4)], "bound already"),
        (
            [*BEGINNING, key_added(1, b"\x0d" * 20, 1, actor=CONTROLLER, at=400, block=4, valid_from=399)],
            "before it was added",
        ),
        ([*BEGINNING, key_added(1, b"\x0d" * 20, 3, actor=CONTROLLER, at=400, block=4)], "no scope 3"),
        ([*BEGINNING, key_added(1, b"\x0d" * 20, 1, actor=CONTROLLER, at=400, block=4, epoch=1)], "status epoch 1"),
        ([*BEGINNING, key_added(1, b"\x0d" * 20, 2, actor=CONTROLLER, at=400, block=4, epoch=2)], "status epoch 2"),
        ([*BEGINNING, anchored(1, ROOT, actor=CONTROLLER, at=400, block=4)], "not a key of the issuer"),
        ([*BEGINNING, anchored(1, ROOT, actor=STATUS_KEY, at=400, block=4)], "scope ANCHOR"),
        ([*BEGINNING, anchored(1, ROOT, actor=OTHER_KEY, at=2000, block=4)], "not a key of the issuer"),
        ([*BEGINNING, anchored(2, ROOT, actor=OTHER_KEY, at=999, block=4)], "valid at that time"),
        ([*BEGINNING, anchored(1, bytes(32), actor=ANCHOR_KEY, at=400, block=4)], "root is zero"),
        ([*BEGINNING, anchored(1, ROOT, size=0, actor=ANCHOR_KEY, at=400, block=4)], "no leaves"),
        ([*STORY, anchored(1, ROOT, actor=ANCHOR_KEY, at=900, block=9)], "anchored before"),
    ],
)
def test_event_that_the_contract_would_not_emit_is_refused(calls: list[Call], why: str) -> None:
    logs, _ = chain(calls)
    replay(logs[:-1], REGISTRY)
    with pytest.raises(HistoryError, match=why):
        replay(logs, REGISTRY)


@pytest.mark.parametrize(
    ("event", "change", "why"),
    [
        ("CredentialsRevoked", {"actor": ANCHOR_KEY}, "scope STATUS"),
        ("CredentialsRevoked", {"epoch": 1}, "does not write status epoch 1"),
        ("CredentialsRevoked", {"reason": 0}, "no reason 0"),
        ("CredentialsRevoked", {"reason": 8}, "no reason 8"),
        ("CredentialsRevoked", {"words": [], "masks": []}, "no word"),
        ("CredentialsRevoked", {"masks": [2, 2]}, "one mask for each word"),
        ("CredentialsRevoked", {"words": [4, 3], "masks": [1, 1]}, "do not increase"),
        ("CredentialsRevoked", {"words": [3, 3], "masks": [1, 2]}, "do not increase"),
        ("CredentialsRevoked", {"words": [512], "masks": [1]}, "outside the list"),
        ("CredentialsRevoked", {"masks": [0]}, "mask of word 0"),
        ("CredentialsRevoked", {"masks": [0b100]}, "mask of word 0"),
        ("CredentialsSuspended", {"masks": [0b100]}, "mask of word 0"),
        ("CredentialsReinstated", {"masks": [0b010]}, "mask of word 0"),
        ("CredentialsReinstated", {"masks": [0]}, "mask of word 0"),
        ("CredentialsReinstated", {"words": [1], "masks": [1]}, "mask of word 1"),
    ],
)
def test_status_change_that_the_contract_would_not_emit_is_refused(
    event: str, change: dict[str, Any], why: str
) -> None:
    said: dict[str, Any] = {"words": [0], "masks": [0b1000], "actor": STATUS_KEY, "at": 900, "block": 9} | change
    logs, _ = chain([*STORY, status_changed(event, 1, **said)])
    replay(logs[:-1], REGISTRY)
    with pytest.raises(HistoryError, match=why):
        replay(logs, REGISTRY)


def test_limits_are_within() -> None:
    calls = (
        accredited(1, "did:" + "x" * 1020, controller=CONTROLLER, at=100, block=1),
        key_added(1, ANCHOR_KEY, 1, actor=CONTROLLER, at=100, block=2, valid_from=200),
        anchored(1, ROOT, size=1, actor=ANCHOR_KEY, at=200, block=3),
    )
    assert len(replayed(*calls).events) == 3


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(HistoryError, match="its time 399 does not follow"):
        replayed(*STORY[:6], anchored(1, b"\x08" * 32, actor=ANCHOR_KEY, at=399, block=5))


def test_one_block_has_one_time() -> None:
    with pytest.raises(HistoryError, match="its time 401 does not follow"):
        replayed(*STORY[:6], anchored(1, b"\x08" * 32, actor=ANCHOR_KEY, at=401, block=4))


def test_two_blocks_may_have_one_time() -> None:
    replayed(*STORY[:6], anchored(1, b"\x08" * 32, actor=ANCHOR_KEY, at=400, block=5))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"address": address(b"\xdd" * 20)}, "another contract"),
        ({"block_number": 1}, "comes after block 2, log 2"),
        ({"log_index": 2}, "comes after block 2, log 2"),
        ({"block_hash": ZERO_HASH}, "hash that goes with its number"),
        ({"block_number": 3}, "hash that goes with its number"),
    ],
)
def test_log_from_elsewhere_is_refused(change: dict[str, Any], why: str) -> None:
    logs, _ = chain(BEGINNING)
    logs[3] = replace(logs[3], **change)
    with pytest.raises(HistoryError, match=why):
        replay(logs[:4], REGISTRY)


def test_missing_event_is_found_at_the_next_one_of_that_issuer() -> None:
    logs, _ = chain(STORY)
    with pytest.raises(
        HistoryError, match=r"block 6, log 7: credentialsSuspended of issuer 1: .* one before it is missing"
    ):
        replay(logs[:6] + logs[7:], REGISTRY)


def test_altered_registry_head_is_found() -> None:
    logs, _ = chain(BEGINNING[:2])
    logs[1] = replace(logs[1], data=logs[1].data[:160] + bytes(32) + logs[1].data[192:])
    with pytest.raises(HistoryError, match="block 1, log 1: issuerAccredited of issuer 2: the registry-wide head"):
        replay(logs, REGISTRY)


def test_other_logs_of_the_registry_are_passed_over() -> None:
    logs, proven = chain(STORY)
    role = replace(logs[0], topics=(hash32(b"\x99" * 32),), data=b"", block_number=0, block_hash=ZERO_HASH)
    check_complete(replay([role, *logs], REGISTRY), proven)


def test_missing_end_is_found_by_the_proof() -> None:
    logs, proven = chain(STORY)
    with pytest.raises(HistoryError, match="the history of issuer 1 does not end where"):
        check_complete(replay(logs[:-1], REGISTRY), proven)


def test_all_incomplete_issuers_are_named() -> None:
    logs, proven = chain(STORY)
    with pytest.raises(HistoryError, match="issuer 1, 2 does not end"):
        check_complete(replay(logs[:2], REGISTRY), proven)


def test_missing_issuer_is_found_by_the_proof() -> None:
    logs, proven = chain(BEGINNING[:2])
    with pytest.raises(HistoryError, match="has 1 issuers, the registry 2"):
        check_complete(replay(logs[:1], REGISTRY), proven)


def test_issuer_without_proof_is_not_complete() -> None:
    logs, proven = chain(STORY)
    with pytest.raises(HistoryError, match="issuer 2"):
        check_complete(replay(logs, REGISTRY), replace(proven, heads={1: proven.heads[1]}))


def test_other_registry_head_is_found() -> None:
    logs, proven = chain(STORY)
    with pytest.raises(HistoryError, match="accreditations do not end"):
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
    history = replay(logs[:1], REGISTRY)
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


def test_history_of_the_real_contract() -> None:
    told = json.loads((VECTORS / "history.json").read_text(encoding="utf-8"))
    registry = RegistryId.parse(told["registry"])
    logs = [read_log(entry) for entry in told["logs"]]
    history = replay(logs, registry)
    _, nothing = chain([])
    proven = replace(
        nothing,
        registry=registry,
        issuer_count=told["issuerCount"],
        registry_head=hash32(parse_hex(told["registryHead"])),
        heads={int(number): hash32(parse_hex(head)) for number, head in told["heads"].items()},
    )
    check_complete(history, proven)
    assert [event.kind for event in history.events] == [
        "issuerAccredited",
        "issuerAccredited",
        "keyAdded",
        "keyAdded",
        "keyAdded",
        "batchAnchored",
        "credentialsRevoked",
        "credentialsSuspended",
        "batchAnchored",
        "credentialsReinstated",
    ]
    assert history.issuer(2).did == "did:web:collège.example"
    assert len(history.issuer(1).positions(StatusPurpose.REVOCATION)) == 2 + 256 + 1
    assert history.issuer(1).positions(StatusPurpose.SUSPENSION) == (StatusPosition(status_list=0, index=3 * 256 + 2),)
    known = {event.log for event in history.events}
    for log in logs:
        left = replay_or_none([each for each in logs if each is not log], registry)
        assert (left is None or left.issuers != history.issuers) == (log in known)


def replay_or_none(logs: list[RawLog], registry: RegistryId) -> History | None:
    try:
        return replay(logs, registry)
    except HistoryError:
        return None
