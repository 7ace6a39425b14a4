"""What the explorer shows of histories in which something goes wrong: each read whole, and in two parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, func, select

from anchor.model import StatusPosition, hash32, to_hex
from anchor.status import LIST_SIZE
from registry.errors import NotFoundError
from registry.services.explorer.keeper import Keeper
from registry.services.explorer.queries import INCIDENTS, SHOWN_CHANGES, Explorer, Moment
from registry.services.explorer.search import find
from registry.store.engine import Store
from registry.store.ledger_tables import ledger_events
from tests.support.databases import Database
from tests.support.history import REGISTRY, Call, accredited, anchored, batch_revoked, chain, status_changed
from tests.support.made_up_ledger import MadeUpLedger
from tests.support.shown_history import check_shown, ends_of_blocks, show, show_block_by_block
from tests.support.stories import (
    ANCHOR_KEY,
    ENDED,
    LATER,
    OTHER_KEY,
    REINSTATED,
    REVOKED,
    ROOT,
    SECOND_ANCHOR_KEY,
    SECOND_ROOT,
    SKIPPED,
    STAGED,
    STAGED_KEY,
    STATUS_KEY,
    STORY,
    SUSPENDED,
    SWITCHED,
    VOID,
)

STORIES: dict[str, tuple[Call, ...]] = {
    "staged": STAGED,
    "switched": SWITCHED,
    "skipped": SKIPPED,
    "switched, and revoked again": (*SWITCHED, batch_revoked(1, ROOT, actor=STAGED_KEY, at=3000, block=30, epoch=1)),
    "ended": ENDED,
    "void": VOID,
    "void and revoked": (*VOID, batch_revoked(1, ROOT, actor=STATUS_KEY, at=3000, block=30)),
    "anchored again": (*VOID, anchored(1, ROOT, size=499, actor=SECOND_ANCHOR_KEY, at=3000, block=30)),
    "root alone": (*STORY, anchored(1, b"\x09" * 32, size=0, actor=ANCHOR_KEY, **LATER)),
    "DID of any bytes": (*STORY, accredited(3, "did:x:\0%_\\é", controller=b"\x33" * 20, **LATER)),
    "a whole list": (
        *STORY,
        status_changed(REVOKED, 1, range(512), [2**256 - 1, *[1] * 511], actor=STATUS_KEY, status_list=9, **LATER),
    ),
}


@pytest.mark.parametrize("kind", STORIES)
def test_what_is_shown_is_what_the_replay_says(store: Store, kind: str) -> None:
    calls = STORIES[kind]
    show(store, calls[: ends_of_blocks(calls)[-1]])
    show(store, calls)
    check_shown(store, calls)


def test_what_is_shown_is_the_same_after_any_parts(sqlite_database: Database) -> None:
    store, calls = sqlite_database.open(), STORIES["switched, and revoked again"]
    for end in (*ends_of_blocks(calls), len(calls)):
        show(store, calls[:end])
        check_shown(store, calls[:end])


@pytest.mark.parametrize("kind", STORIES)
def test_what_one_process_shows_after_each_block_is_what_the_replay_says(sqlite_database: Database, kind: str) -> None:
    show_block_by_block(sqlite_database.open(), STORIES[kind])


def test_of_a_position_that_changed_often_the_newest_are_shown(store: Store) -> None:
    changes = [
        status_changed(kind, 1, [511], [1 << 255], actor=STATUS_KEY, at=3000 + number, block=30 + number)
        for number, kind in enumerate([SUSPENDED, REINSTATED] * SHOWN_CHANGES)
    ]
    show(store, [*STORY, *changes])
    with Explorer(store, REGISTRY).reading() as moment:
        view = moment.position(1, StatusPosition(0, LIST_SIZE - 1))
    assert (len(view.changes), view.earlier, view.is_suspended) == (SHOWN_CHANGES, SHOWN_CHANGES, False)
    assert view.changes[-1].event.at == changes[-1].values[-1]


def test_batches_of_all_issuers_with_one_root(store: Store) -> None:
    again = anchored(2, ROOT, size=7, actor=OTHER_KEY, **LATER)
    show(store, [*STORY, again])
    with Explorer(store, REGISTRY).reading() as moment:
        sizes = {each.issuer.issuer_id: each.batch.size for each in moment.batch(hash32(ROOT))}
        assert [each.batch.size for each in moment.batches(2, limit=9).batches] == [7]
    assert sizes == {1: 500, 2: 7}


def test_batches_page_by_page(store: Store) -> None:
    """Of one that was anchored again, the last anchoring counts, on whatever page it is."""
    others = [
        anchored(1, bytes([number]) * 32, actor=SECOND_ANCHOR_KEY, at=3000 + number, block=30 + number)
        for number in range(0x20, 0x24)
    ]
    again = anchored(1, ROOT, actor=SECOND_ANCHOR_KEY, at=4000, block=80)
    show(store, [*VOID, *others, again])
    found, before = [], None
    with Explorer(store, REGISTRY).reading() as moment:
        while True:
            page = moment.batches(1, before=before, limit=2)
            found += [each.root for each in page.batches]
            before = page.next
            if before is None:
                break
    assert found == [ROOT, *(bytes([number]) * 32 for number in range(0x23, 0x1F, -1))]


def test_parts_of_dids_are_found_as_they_are_written(store: Store) -> None:
    dids = ("did:x:\0a%b_c\\d", "did:x:Éa", "did:x:ab")
    show(
        store,
        [*STORY, *(accredited(3 + place, did, controller=b"\x33" * 20, **LATER) for place, did in enumerate(dids))],
    )
    wanted = {
        dids[0]: [3],
        "a%b": [3],
        "%b_": [3],
        "c\\d": [3],
        "___": [],
        "DID:X:": [3, 4, 5],
        "did:x:Éa": [4],
        "x:ab": [5],
        "\0a%": [],
        "did:\ud800": [],
        "one.EXAMPLE": [1],
    }
    with Explorer(store, REGISTRY).reading() as moment:
        assert {text: [hit.issuer_id for hit in find(moment, text)] for text in wanted} == wanted


def test_nothing_is_found_beyond_what_is_proven(store: Store) -> None:
    """Events that are read and not proven yet are as if they were not there."""
    show(store, STORY)
    logs, proven = chain([*STORY, anchored(1, SECOND_ROOT, actor=ANCHOR_KEY, **LATER)])
    unproven = MadeUpLedger(logs=logs, proven=replace(proven, issuer_count=3), last_block=20)
    with pytest.MonkeyPatch.context() as patch:
        # Whoever reads it ends before he forgets what could not be proven.
        patch.setattr(Keeper, "discard", lambda *_: None)
        unproven.show(store)
    with store.operator_reading() as connection:
        assert connection.execute(select(func.count()).select_from(ledger_events)).scalar_one() == len(STORY) + 1
    with Explorer(store, REGISTRY).reading() as moment:
        assert moment.ledger().problem is not None
        for hits in (find(moment, to_hex(SECOND_ROOT)), find(moment, to_hex(logs[-1].transaction_hash))):
            assert hits == ()
        with pytest.raises(NotFoundError):
            moment.batch(hash32(SECOND_ROOT))
        assert moment.events(limit=1)[0].number == len(STORY)
    check_shown(store, STORY)


def test_whatever_is_asked_for_is_found_by_an_index(sqlite_database: Database) -> None:
    store = sqlite_database.open()
    show(store, STORY)
    root, transaction = hash32(ROOT), hash32(b"\x01" * 32)
    issuer, kind, by_root = "ix_ledger_events_issuer", "ix_ledger_events_kind", "ix_ledger_events_root"
    by_transaction, by_number = "ix_ledger_events_transaction", "sqlite_autoindex_ledger_events_1"
    asked: dict[str, tuple[Callable[[Moment], object], set[str]]] = {
        "events of an issuer": (lambda moment: moment.events(issuer_id=1, before=9, limit=5), {issuer}),
        "of some kinds": (lambda moment: moment.events(issuer_id=1, kinds=INCIDENTS, before=9, limit=5), {kind}),
        "events": (lambda moment: moment.events(before=9, limit=5), {by_number}),
        "batches": (lambda moment: moment.batches(1, before=99, limit=5), {kind, by_root}),
        "batch": (lambda moment: moment.batch(root), {by_root}),
        "a hundred batches": (
            lambda moment: moment.rows.of_roots([hash32(bytes([number]) * 32) for number in range(100)]),
            {by_root},
        ),
        "position": (lambda moment: moment.position(1, StatusPosition(0, 2)), {by_number}),
        "position that nothing happened to": (lambda moment: moment.position(1, StatusPosition(7, 2)), set()),
        "transaction": (lambda moment: moment.rows.of_transaction(transaction), {by_transaction}),
        "search for a hash": (lambda moment: find(moment, root.hex()), {by_root, by_transaction}),
        "search": (lambda moment: [find(moment, text) for text in ("1/0/0", "aa" * 20, "did:web:one.example")], set()),
        "days": (lambda moment: moment.days(1), set()),
        "issuer": (lambda moment: (moment.issuer(1), moment.epoch_changes(1)), {kind}),
    }
    for what, (ask, indices) in asked.items():
        statements: list[tuple[str, Any]] = []
        with Explorer(store, REGISTRY).reading() as moment:
            engine = moment.connection.engine
            note = partial(noted, statements)
            event.listen(engine, "before_cursor_execute", note)
            ask(moment)
            event.remove(engine, "before_cursor_execute", note)
            plans = [
                step[3]
                for statement, parameters in statements
                for step in moment.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            ]
        assert plans
        assert not [plan for plan in plans if plan.startswith("SCAN")], what
        of_events = [plan for plan in plans if "ledger_events" in plan]
        assert {found[0] for plan in of_events if (found := re.findall(r"INDEX (\w+)", plan))} == indices, what
        assert all("number" in plan or "root" in plan or "hash" in plan for plan in of_events), what


def noted(statements: list[tuple[str, Any]], *execution: Any) -> None:
    statements.append((execution[2], execution[3]))
