from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import cbor2
import pytest

from anchor.checkpoint import Checkpoint, checkpoint_to_bytes, parse_checkpoint
from anchor.errors import HistoryError, MalformedError
from anchor.model import Hash32, RegistryId, hash32
from anchor.replay import Replay, replay
from tests.support.history import (
    ACCREDITOR,
    ADMIN,
    REGISTRY,
    Call,
    accredited,
    anchored,
    chain,
    key_added,
    role_changed,
)
from tests.support.stories import (
    ANCHOR_KEY,
    CONTROLLER,
    ENDED,
    OTHER,
    OTHER_KEY,
    ROOT,
    SKIPPED,
    STAGED,
    STORY,
    SWITCHED,
    VOID,
)

HASH = hash32(b"\x09" * 32)


def checkpoint(calls: Sequence[Call], block: int) -> Checkpoint:
    run = Replay(REGISTRY, keep=False)
    for log in chain(calls)[0]:
        if log.block_number <= block:
            run.take(log)
    run.result()
    return Checkpoint(registry=REGISTRY, block_number=block, block_hash=HASH, state=run.content())


ROLE_LOST = (
    *STORY,
    role_changed(b"\x05" * 32, ADMIN, actor=ADMIN, at=900, block=9),
    role_changed(b"\x05" * 32, ADMIN, granted=False, actor=ADMIN, at=1000, block=10),
    role_changed(b"\x05" * 32, ADMIN, actor=ADMIN, at=1100, block=11),
)


@pytest.mark.parametrize("calls", [STORY, ROLE_LOST, STAGED, SWITCHED, SKIPPED, ENDED, VOID])
def test_replay_goes_on_from_every_block_as_if_it_had_never_stopped(calls: tuple[Call, ...]) -> None:
    logs, _ = chain(calls)
    whole = replay(logs, REGISTRY)
    for block in range(max(log.block_number for log in logs) + 1):
        read = parse_checkpoint(checkpoint_to_bytes(checkpoint(calls, block)), REGISTRY)
        assert (read.block_number, read.block_hash) == (block, HASH)
        run = read.replay(keep=True)
        for log in logs:
            if log.block_number > block:
                run.take(log)
        history = run.result()
        assert run.count == len(whole.events)
        assert history.registry_head == whole.registry_head
        assert history.tenures == whole.tenures
        assert [event.log for event in history.events] == [log for log in logs if log.block_number > block]
        for issuer, expected in zip(history.issuers, whole.issuers, strict=True):
            for name in ("did", "did_hash", "record", "head", "pending_controller", "next_status_epoch", "keys"):
                assert getattr(issuer, name) == getattr(expected, name)
            assert list(issuer.batches.items()) == list(expected.batches.items())
            assert issuer.bits == expected.bits


def test_state_that_is_gone_on_from_is_the_whole_state() -> None:
    for calls in (SWITCHED, VOID, ENDED):
        run = checkpoint(calls, 30).replay(keep=False)
        assert run.content() == checkpoint(calls, 30).state


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 1000])
@pytest.mark.parametrize("calls", [STORY, STAGED, SWITCHED, VOID])
def test_state_in_parts_is_the_same_state(calls: tuple[Call, ...], rows: int, packed: bool) -> None:
    state = checkpoint(calls, 30).state
    run = checkpoint(calls, 30).replay(keep=False)
    parts = list(run.parts(rows))
    assert all(0 < len(part) <= rows for _, _, part in parts)
    again = Replay.restored(REGISTRY, run.summary(), 30, keep=False, packed=packed)
    for part in parts:
        again.restore_part(part)
    assert again.content() == state


def test_events_after_a_checkpoint_are_kept_only_if_that_is_wanted() -> None:
    logs = [log for log in chain(STORY)[0] if log.block_number > 4]
    for keep, count in ((True, len(logs)), (False, 0)):
        run = checkpoint(STORY, 4).replay(keep=keep)
        for log in logs:
            run.take(log)
        history = run.result()
        assert (len(history.events), len(history.issuer(1).events), bool(history.issuer(1).changes)) == (
            count,
            count,
            keep,
        )


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (anchored(1, ROOT, actor=ANCHOR_KEY, at=900, block=8), "comes before block 9"),
        (anchored(1, b"\x09" * 32, actor=ANCHOR_KEY, at=799, block=9), "its time 799 does not follow 800"),
        (anchored(1, ROOT, actor=ANCHOR_KEY, at=900, block=9), "was anchored before"),
        (anchored(2, ROOT, actor=OTHER_KEY, at=900, block=9), "valid at that time"),
        (accredited(3, "did:web:one.example", controller=b"\x01" * 20, at=900, block=9), "another issuer's"),
        (role_changed(b"\x05" * 32, ACCREDITOR, granted=False, actor=ADMIN, at=900, block=9), "nothing changes"),
        (key_added(1, ANCHOR_KEY, 1, actor=CONTROLLER, at=900, block=9), "the key is bound already"),
        (key_added(2, ANCHOR_KEY, 1, actor=OTHER, at=900, block=9), "the key is bound already"),
    ],
)
def test_rules_hold_over_a_checkpoint(call: Call, why: str) -> None:
    run = checkpoint(STORY, 8).replay(keep=True)
    with pytest.raises(HistoryError, match=why):
        run.take(chain([*STORY, call])[0][-1])


def test_events_are_given_as_they_are_taken_and_kept_unless_told_otherwise() -> None:
    told = checkpoint(STORY, 4)
    run = Replay.restored(REGISTRY, told.state, told.block_number)
    logs = [log for log in chain(STORY)[0] if log.block_number > 4]
    taken = [run.take(log) for log in logs]
    assert [event and event.log for event in taken] == logs
    assert list(run.result().events) == taken
    unknown = replace(logs[-1], topics=(HASH,), log_index=logs[-1].log_index + 1)
    assert run.take(unknown) is None


def test_log_that_was_left_out_after_a_checkpoint_is_found() -> None:
    run = checkpoint(STORY, 4).replay(keep=True)
    with pytest.raises(HistoryError, match="head does not follow"):
        run.take(chain(STORY)[0][-1])


def signed(content: object) -> bytes:
    data = cbor2.dumps(content)
    return sha256(data).digest() + data


def test_checkpoint_says_what_it_is_of() -> None:
    data = checkpoint_to_bytes(checkpoint(STORY, 8))
    content = cbor2.loads(data[32:])
    assert content.pop("state")
    assert content == {
        "format": "credanchor/audit-checkpoint@v1",
        "registry": REGISTRY.to_text(),
        "block": 8,
        "blockHash": bytes(HASH),
    }


def test_damage_is_found() -> None:
    data = checkpoint_to_bytes(checkpoint(STORY, 8))
    for place in (0, 40, len(data) - 1):
        damaged = bytearray(data)
        damaged[place] ^= 1
        with pytest.raises(MalformedError, match="damaged"):
            parse_checkpoint(bytes(damaged), REGISTRY)
    with pytest.raises(MalformedError, match="damaged"):
        parse_checkpoint(b"", REGISTRY)


def test_checkpoint_of_another_version_or_registry_is_refused() -> None:
    with pytest.raises(MalformedError, match="another version"):
        parse_checkpoint(signed({"format": "credanchor/audit-checkpoint@v9"}), REGISTRY)
    elsewhere = RegistryId(chain_id=1, address=REGISTRY.address)
    with pytest.raises(MalformedError, match="not one of the registry eip155:1:"):
        parse_checkpoint(checkpoint_to_bytes(checkpoint(STORY, 8)), elsewhere)


def test_head_of_a_checkpoint_is_of_the_type_that_hashes_are() -> None:
    read = parse_checkpoint(checkpoint_to_bytes(checkpoint(STORY, 8)), REGISTRY)
    assert read.replay(keep=True).result().issuers[0].head == Hash32(chain(STORY)[1].heads[1])
