"""A process that begins goes on from the checkpoint in the database; if that is of no use, it replays all events."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from sqlalchemy import Connection, delete, func, select, update

from anchor.events import RawLog
from registry.errors import NotReadyError
from registry.services.error_log import LOGGER
from registry.services.explorer import checkpoints, keeper, recheck, restoring
from registry.services.explorer.checkpoints import Checkpoints, digest_of
from registry.services.explorer.queries import Explorer
from registry.services.explorer.running import Running
from registry.store.engine import Store
from registry.store.ledger_events import EventRow
from registry.store.ledger_tables import ledger_checkpoint_parts, ledger_checkpoints, ledger_events
from tests.support.databases import Database
from tests.support.history import (
    ADMIN,
    REGISTRY,
    Call,
    anchored,
    batch_revoked,
    chain,
    epochs_changed,
    key_compromised,
    role_changed,
)
from tests.support.reading import Rounds
from tests.support.shown_history import check_shown, ends_of_blocks, show
from tests.support.stories import (
    ANCHOR_KEY,
    ENDED,
    LATER,
    ROOT,
    SECOND_ANCHOR_KEY,
    SKIPPED,
    STAGED,
    STAGED_KEY,
    STORY,
    SWITCHED,
    VOID,
    by_controller,
    revoked_alone,
)

AGAIN: dict[str, Any] = {"at": 3000, "block": 30}
STORIES: dict[str, tuple[Call, ...]] = {
    "staged": STAGED,
    "skipped": SKIPPED,
    "ended": ENDED,
    "epoch changed, and something after it": (*SWITCHED, batch_revoked(1, ROOT, actor=STAGED_KEY, epoch=1, **AGAIN)),
    "epochs changed twice": (
        *SWITCHED,
        key_compromised(1, STAGED_KEY, 1050, **by_controller(**AGAIN)),
        epochs_changed(1, 2, 3, **by_controller(**AGAIN)),
    ),
    "anchored again": (*VOID, anchored(1, ROOT, size=499, actor=SECOND_ANCHOR_KEY, **AGAIN)),
}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after each event, in parts of two rows."""
    monkeypatch.setattr(restoring, "EVENTS_BETWEEN", 1)
    monkeypatch.setattr(restoring, "SHARE", 1_000_000)
    monkeypatch.setattr(checkpoints, "ROWS_A_PART", 2)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note which events of the database are replayed; those before a checkpoint are not read again afterwards."""
    numbers: list[int] = []
    restore = Running.restore

    def noted(running: Running, log: RawLog) -> None:
        numbers.append(running.count + 1)
        restore(running, log)

    monkeypatch.setattr(Running, "restore", noted)
    monkeypatch.setattr(keeper.Keeper, "recheck", lambda *_: False)
    return numbers


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(each.message) for each in caplog.records if each.name == LOGGER]


@pytest.mark.parametrize("kind", STORIES)
def test_it_goes_on_from_any_checkpoint_as_if_it_had_never_stopped(
    sqlite_database: Database, read: list[int], kind: str
) -> None:
    store, calls = sqlite_database.open(), STORIES[kind]
    for end in (*ends_of_blocks(calls), len(calls)):
        show(store, calls[:end])
        check_shown(store, calls[:end])
    assert read == []
    with store.operator_reading() as connection:
        assert connection.scalar(select(func.count()).select_from(ledger_checkpoints)) == 1
        assert connection.scalar(select(ledger_checkpoints.c.events)) == len(calls)


@pytest.mark.parametrize("kind", ["ended", "anchored again"])
def test_it_reads_only_the_events_after_the_checkpoint(
    store: Store, read: list[int], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    calls = STORIES[kind]
    first, second = ends_of_blocks(calls)[-3:-1]
    show(store, calls[:first])
    monkeypatch.setattr(restoring, "EVENTS_BETWEEN", 1_000)
    show(store, calls[:second])
    read.clear()
    show(store, calls)
    check_shown(store, calls)
    assert read == list(range(first + 1, second + 1))


Harm = Callable[[Connection, dict[str, Any]], None]
"""Does something to a checkpoint, of which it is told what stands in it."""


def parts_in(connection: Connection) -> list[bytes]:
    table = ledger_checkpoint_parts.c
    return list(connection.scalars(select(table.content).order_by(table.number)))


def written(connection: Connection, content: dict[str, Any]) -> None:
    """Write another content, with the digest that goes with it."""
    data = cbor2.dumps(content)
    connection.execute(update(ledger_checkpoints).values(content=data, digest=digest_of(data, parts_in(connection))))


def changed(*path: Any, value: Any) -> Harm:
    def change(connection: Connection, content: dict[str, Any]) -> None:
        place: Any = content
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        written(connection, content)

    return change


def executed(statement: Any) -> Harm:
    def execute(connection: Connection, _: dict[str, Any]) -> None:
        connection.execute(statement)

    return execute


def part_changed(connection: Connection, content: dict[str, Any], *, row: Any) -> None:
    data = cbor2.dumps([1, "batches", [row]])
    connection.execute(
        update(ledger_checkpoint_parts).where(ledger_checkpoint_parts.c.number == 0).values(content=data)
    )
    written(connection, content)


def not_cbor(connection: Connection, _: dict[str, Any]) -> None:
    values = {"content": b"\xff", "digest": digest_of(b"\xff", parts_in(connection))}
    connection.execute(update(ledger_checkpoints).values(values))


HARM: dict[str, tuple[Harm, str]] = {
    "content damaged": (executed(update(ledger_checkpoints).values(content=b"\x00")), "damaged"),
    "content gone": (executed(update(ledger_checkpoints).values(content=None)), "damaged"),
    "digest damaged": (executed(update(ledger_checkpoints).values(digest=b"\x00" * 32)), "damaged"),
    "part damaged": (
        executed(update(ledger_checkpoint_parts).where(ledger_checkpoint_parts.c.number == 0).values(content=b"\x80")),
        "damaged",
    ),
    "part gone": (
        executed(delete(ledger_checkpoint_parts).where(ledger_checkpoint_parts.c.number == 1)),
        "damaged",
    ),
    "older form": (changed("format", value="credanchor/explorer-checkpoint@v0"), "another version"),
    "another registry": (changed("registry", value="eip155:1:0x" + "11" * 20), "another history"),
    "another copy": (changed("copy", value=99), "another history"),
    "ahead": (changed("events", value=99), "ahead of the events"),
    "row ahead": (executed(update(ledger_checkpoints).values(events=99)), "ahead of the events"),
    "another count": (changed("state", "replay", "count", value=5), "ahead of the events"),
    "another last event": (changed("place", 1, value=b"\x01" * 32), "not one of the events"),
    "another head": (changed("state", "replay", "issuers", 0, "head", value=b"\x01" * 32), "head of issuer 1"),
    "another registry-wide head": (changed("state", "replay", "registryHead", value=b"\x01" * 32), "that were proven"),
    "an issuer more": (
        lambda connection, content: changed(
            "state",
            "replay",
            "issuers",
            value=[*content["state"]["replay"]["issuers"], content["state"]["replay"]["issuers"][0]],
        )(connection, content),
        "head of issuer 3",
    ),
    "not CBOR": (not_cbor, "not one that this version"),
    "a list": (lambda connection, _: written(connection, [1, 2]), "not one that this version"),  # type: ignore[arg-type]
    "without roles": (changed("state", "replay", "tenures", value=None), "not one that this version"),
    "without counts": (changed("state", "counts", value={1: [1]}), "not one that this version"),
    "a row too short": (
        lambda connection, content: part_changed(connection, content, row=[ROOT]),
        "not one that this version",
    ),
}


def harm(store: Store, how: Harm) -> None:
    with store.operator_writing() as connection:
        content = cbor2.loads(connection.scalar(select(ledger_checkpoints.c.content)) or b"")
        how(connection, content)


@pytest.mark.parametrize("kind", HARM)
def test_checkpoint_that_cannot_be_trusted_is_left_aside(
    sqlite_database: Database, read: list[int], caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    store, (how, words) = sqlite_database.open(), HARM[kind]
    show(store, STAGED[:-3])
    harm(store, how)
    show(store, STAGED)
    check_shown(store, STAGED)
    assert read == list(range(1, len(STAGED) - 2))
    (said,) = warnings_of(caplog)
    assert words in said["words"]
    assert "all events are replayed" in said["words"]
    assert said["at"] == []
    # The next one is sound again.
    read.clear()
    show(store, (*STAGED, revoked_alone(1)))
    assert read == []


def test_damaged_checkpoint_is_left_aside_on_any_database(
    store: Store, read: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    show(store, STORY)
    harm(store, HARM["part damaged"][0])
    show(store, STAGED)
    check_shown(store, STAGED)
    assert len(read) == len(STORY)
    assert "damaged" in warnings_of(caplog)[0]["words"]


def test_forged_batches_that_keep_an_honest_event_out_are_found_out(
    sqlite_database: Database, read: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """Digest and heads are right: who may write the database can make them so."""
    store = sqlite_database.open()
    show(store, STORY)
    new = b"\x55" * 32
    forged = [new, ANCHOR_KEY, 400, 500, 0, 0]
    harm(store, lambda connection, content: part_changed(connection, content, row=forged))
    calls = (*STORY, anchored(1, new, actor=ANCHOR_KEY, **LATER))
    show(store, calls, stop=Rounds(2))
    check_shown(store, calls)
    assert read == list(range(1, len(STORY) + 1))
    assert any("all events are replayed" in each.get("words", "") for each in warnings_of(caplog))


def test_what_is_not_a_number_does_not_stop_it_for_good(sqlite_database: Database, read: list[int]) -> None:
    store = sqlite_database.open()
    show(store, STORY)
    harm(store, changed("state", "replay", "issuers", 0, "nextEpoch", value=None))
    calls = (*STORY, *SWITCHED[len(STORY) :])
    show(store, calls, stop=Rounds(3))
    check_shown(store, calls)
    assert read == list(range(1, len(STORY) + 1))


@pytest.mark.parametrize("at", ["add_part", "finish_checkpoint"])
def test_process_that_is_killed_while_it_writes_one_leaves_the_one_before(
    store: Store, read: list[int], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    show(store, STORY)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, at, killed)
        with pytest.raises(KeyboardInterrupt):
            show(store, STAGED)
    # Events are there, and shown, and no checkpoint of them is.
    check_shown(store, STAGED)
    later = (*STAGED, revoked_alone(1))
    show(store, later)
    check_shown(store, later)
    assert read == list(range(len(STORY) + 1, len(STAGED) + 1))
    with store.operator_reading() as connection:
        assert connection.scalar(select(func.count()).select_from(ledger_checkpoints)) == 1
        some = select(ledger_checkpoint_parts.c.checkpoint_ref).distinct()
        assert connection.scalars(some).all() == connection.scalars(select(ledger_checkpoints.c.id)).all()


def test_checkpoint_of_events_that_could_not_be_proven_is_forgotten_with_them(
    sqlite_database: Database, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_database.open()
    show(store, STORY)
    monkeypatch.setattr(keeper, "EVENTS_AT_ONCE", 1)
    invented = [*STORY, revoked_alone(1), revoked_alone(2, at=2100, block=21), revoked_alone(3, at=2200, block=22)]
    show(store, invented, true=STORY)
    with store.operator_reading() as connection:
        # And the one before it is still there.
        assert connection.scalars(select(ledger_checkpoints.c.events)).all() == [len(STORY)]
    show(store, STAGED)
    check_shown(store, STAGED)
    assert read == []


def test_reading_goes_on_from_a_checkpoint_of_what_is_not_proven_yet(
    sqlite_database: Database, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reading may take hours: what is read of it is not replayed again by each process."""
    store = sqlite_database.open()
    monkeypatch.setattr(keeper, "EVENTS_AT_ONCE", 1)
    stop, save = threading.Event(), Checkpoints.save

    def ended(self: Checkpoints, running: Running) -> bytes:
        digest = save(self, running)
        stop.set()
        return digest

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", ended)
        show(store, STAGED, stop=stop)
    with pytest.raises(NotReadyError), Explorer(store, REGISTRY).reading():
        pass
    with store.operator_reading() as connection:
        (kept,) = connection.scalars(select(ledger_checkpoints.c.events))
    assert 0 < kept < len(STAGED)
    show(store, STAGED)
    check_shown(store, STAGED)
    assert read == []


HARMED_EVENTS: dict[str, Any] = {
    "altered": update(ledger_events).where(ledger_events.c.number == 3).values(data=b"x" * 32),
    "cut short": delete(ledger_events).where(ledger_events.c.number == 2),
    "of another kind": update(ledger_events).where(ledger_events.c.number == 3).values(topics=b"x" * 32),
    "swapped": update(ledger_events)
    .where(ledger_events.c.number == 10)
    .values(
        topics=select(ledger_events.c.topics).where(ledger_events.c.number == 9).scalar_subquery(),
        data=select(ledger_events.c.data).where(ledger_events.c.number == 9).scalar_subquery(),
    ),
}


@pytest.mark.parametrize("kind", HARMED_EVENTS)
def test_damage_to_events_before_a_checkpoint_is_found_afterwards(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    monkeypatch.setattr(recheck, "EVENTS_AT_ONCE", 2)
    store = sqlite_database.open()
    show(store, STORY)
    with store.operator_writing() as connection:
        connection.execute(HARMED_EVENTS[kind])
    show(store, STAGED)
    # Read anew from the node, and shown in the place of what was damaged.
    check_shown(store, STAGED)
    assert any("not those that were kept there" in each.get("words", "") for each in warnings_of(caplog))


def test_forged_event_whose_own_head_is_right_is_found_afterwards(
    sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The last one that extends the registry-wide head; no issuer's head is another because of it."""

    def calls(account: bytes) -> tuple[Call, ...]:
        return (*STORY, role_changed(b"\x05" * 32, account, actor=ADMIN, at=900, block=9), revoked_alone(1))

    store, number = sqlite_database.open(), len(STORY) + 1
    show(store, calls(b"\x61" * 20))
    forged = chain(calls(b"\x62" * 20))[0][number - 1]
    with store.operator_writing() as connection:
        row = update(ledger_events).where(ledger_events.c.number == number)
        connection.execute(row.values(topics=b"".join(forged.topics), data=forged.data))
    later = (*calls(b"\x61" * 20), revoked_alone(2, at=3000, block=30))
    show(store, later)
    check_shown(store, later)
    assert any("not those that were kept there" in each.get("words", "") for each in warnings_of(caplog))


def test_events_before_a_checkpoint_that_are_sound_are_read_again_once(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    numbers: list[int] = []
    follows = recheck.Recheck._follows

    def noted(self: recheck.Recheck, row: EventRow) -> bool:
        numbers.append(row.number)
        return follows(self, row)

    monkeypatch.setattr(recheck.Recheck, "_follows", noted)
    monkeypatch.setattr(recheck, "EVENTS_AT_ONCE", 2)
    store = sqlite_database.open()
    show(store, STORY)
    assert numbers == []
    show(store, STAGED)
    assert numbers == list(range(1, len(STORY) + 1))
    assert not warnings_of(caplog)
