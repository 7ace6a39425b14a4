"""Holds what the explorer shows against what the replay says."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from anchor.audit import check_complete
from anchor.cli.histories import csv_pieces
from anchor.events import BatchAnchored, StatusChanged
from anchor.history import History, IssuerHistory
from anchor.model import StatusPosition
from anchor.replay import replay
from anchor.status import StatusPurpose, positions_of
from registry.services.explorer.histories import whole_history
from registry.services.explorer.queries import INCIDENTS, Explorer, Moment
from registry.store.engine import Store
from tests.support.history import REGISTRY, Call, chain
from tests.support.made_up_ledger import MadeUpLedger


def show(
    store: Store, calls: Sequence[Call], *, stop: threading.Event | None = None, true: Sequence[Call] | None = None
) -> None:
    """Have the service read what these calls logged.

    Args:
        store: The database.
        calls: In order.
        stop: Ends its process; None: it ends when there is nothing more to do.
        true: What really happened; None: just that.
    """
    logs, proven = chain(calls)
    if true is not None:
        proven = chain(true)[1]
    MadeUpLedger(logs=logs, proven=proven, last_block=calls[-1].block).show(store, stop)


def show_block_by_block(store: Store, calls: Sequence[Call]) -> None:
    """Have one process of the service read what these calls logged, and check what it shows after each block."""
    ledger = MadeUpLedger(logs=(), proven=chain(calls)[1], last_block=0)
    with ledger.read_by(store) as reader:
        for end in (*ends_of_blocks(calls), len(calls)):
            ledger.logs, ledger.proven = chain(calls[:end])
            ledger.last_block = calls[end - 1].block
            while reader.step(threading.Event()):
                pass
            check_shown(store, calls[:end])


def ends_of_blocks(calls: Sequence[Call]) -> list[int]:
    """Give how many calls there are up to the end of each block but the last."""
    return [index for index in range(1, len(calls)) if calls[index].block != calls[index - 1].block]


def check_shown(store: Store, calls: Sequence[Call]) -> None:
    """Check that the explorer shows what the replay says of these calls."""
    logs, proven = chain(calls)
    history = replay(logs, REGISTRY)
    check_complete(history, proven)
    explorer = Explorer(store, REGISTRY)
    with explorer.reading() as moment:
        check_registry(moment, history)
        for issuer in history.issuers:
            check_issuer(moment, issuer)
        told = whole_history(explorer, moment)
    assert "".join(csv_pieces(told, None)) == "".join(csv_pieces(history, None))


def check_registry(moment: Moment, history: History) -> None:
    view = moment.ledger()
    assert (view.registry_head, view.tenures) == (history.registry_head, history.tenures)
    assert (view.issuers, view.counts.events) == (len(history.issuers), len(history.events))
    assert (view.first_at, view.last_at) == (history.events[0].at, history.events[-1].at)
    every = moment.events(limit=10_000)
    assert [each.event for each in reversed(every)] == list(history.events)
    assert [each.number for each in reversed(every)] == list(range(1, len(history.events) + 1))
    counted = Counter((each.event.kind, each.issuer_id) for each in every)
    tallied: Counter[tuple[str, int | None]] = Counter()
    for tally in moment.tallies():
        tallied[tally.kind, tally.issuer_id] += tally.events
    assert tallied == counted
    by_day: Counter[tuple[str, int, int]] = Counter()
    for tally in moment.tallies():
        by_day[tally.kind, tally.day, 0] += tally.events
        by_day[tally.kind, tally.day, 1] += tally.credentials
    days = {(each.kind, each.day): (each.events, each.credentials) for each in moment.days()}
    assert days == {(kind, day): (by_day[kind, day, 0], by_day[kind, day, 1]) for kind, day, _ in by_day}
    assert sum(each.credentials for each in moment.tallies()) == sum(each.credentials for each in every)
    for each in every[:10]:
        transaction = moment.transaction(each.event.log.transaction_hash)
        assert each in transaction.events
        named = {account.address for account in moment.rows.accounts(each.event.actor)}
        assert named == {each.event.actor}


def check_issuer(moment: Moment, issuer: IssuerHistory) -> None:
    number = issuer.issuer_id
    view = moment.issuer(number)
    assert (view.did, view.did_hash, view.head) == (issuer.did, issuer.did_hash, issuer.head)
    assert (view.record, view.pending_controller) == (issuer.record, issuer.pending_controller)
    assert {each.address: each.key for each in view.keys} == issuer.keys
    void, revoked = set(issuer.void_batches()), set(issuer.revoked_batches())
    counts = view.counts
    assert (counts.void_batches, counts.revoked_batches) == (len(void), len(revoked))
    assert counts.batches == len(issuer.batches) - len(void)
    assert counts.credentials == sum(batch.size for root, batch in issuer.batches.items() if root not in void)
    assert (counts.revoked, counts.suspended) == tuple(len(issuer.positions(each)) for each in StatusPurpose)
    assert (counts.events, view.last_at) == (len(issuer.events), issuer.events[-1].at)
    own = [each.event for each in moment.events(issuer_id=number, limit=10_000)]
    assert own == list(reversed(issuer.events))
    incidents = [each.event for each in moment.events(issuer_id=number, kinds=INCIDENTS, limit=10_000)]
    assert incidents == [event for event in own if event.kind in INCIDENTS]
    shown = moment.epoch_changes(number)
    assert [(each.event.event, each.unrevoked, each.unsuspended, each.unrevoked_batches) for each in shown] == [
        (each.event, len(each.unrevoked), len(each.unsuspended), len(each.unrevoked_batches))
        for each in issuer.epoch_changes
    ]
    batches = {each.root: each for each in moment.batches(number, limit=10_000).batches}
    assert {root: each.batch for root, each in batches.items()} == issuer.batches
    assert {root for root, each in batches.items() if each.is_void} == void
    assert {root for root, each in batches.items() if each.is_revoked} == revoked
    assert [each.root for each in reversed(batches.values())] == list(issuer.batches)
    for root in list(batches)[:3]:
        (found,) = [each for each in moment.batch(root) if each.issuer.issuer_id == number]
        assert found == batches[root]
        last = [each for each in found.events if isinstance(each.event, BatchAnchored)][-1]
        assert last.number == found.number
    check_positions(moment, issuer)


def check_positions(moment: Moment, issuer: IssuerHistory) -> None:
    counting = {purpose: set(issuer.positions(purpose)) for purpose in StatusPurpose}
    touched: set[StatusPosition] = set()
    for event in issuer.events:
        if isinstance(event, StatusChanged):
            for word, mask in zip(event.words, event.masks, strict=True):
                touched.update(positions_of(event.status_list, word, mask)[:2])
    for position in sorted(touched)[:20]:
        view = moment.position(issuer.issuer_id, position)
        assert tuple(each.event for each in view.changes) == issuer.changes_of(position)
        assert set(view.counting) == {each for each in StatusPurpose if position in counting[each]}
