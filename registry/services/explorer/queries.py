"""What the explorer reads: each answer from one moment of the database, of a state of history that was proven.

explorer = Explorer(store, registry)
with explorer.reading() as moment:
    moment.ledger().tag; moment.issuer(1); moment.batch(root)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection

from anchor.events import BatchAnchored, BatchRevoked, StatusEpochChanged
from anchor.model import Address, Hash32, RegistryId, StatusPosition, to_hex
from anchor.status import mask_of, word_of
from registry.errors import NotFoundError, NotReadyError
from registry.services.explorer.content import read_ledger, read_undone
from registry.services.explorer.rows import batch_view, counting, issuer_view, root_of, views_of
from registry.services.explorer.views import (
    AccountView,
    BatchPage,
    BatchView,
    EpochChangeView,
    EventView,
    IssuerView,
    LedgerView,
    PositionView,
    Tally,
    TransactionView,
)
from registry.store.engine import Store
from registry.store.ledger_copies import CopyRecord, get_copy, get_sync
from registry.store.ledger_events import REGISTRY_ITSELF, EventReader, EventRow
from registry.store.ledger_issuers import IssuerRow, find_issuer, get_issuers

INCIDENTS: Final = (
    "accreditationWithdrawn",
    "batchRevoked",
    "controllerTransferStarted",
    "controllerTransferred",
    "keyCompromised",
    "noncesCancelled",
    "statusEpochChanged",
)
"""Kinds of events that are out of the ordinary."""

SHOWN_CHANGES: Final = 200
"""Of one status position, the newest ones."""

_NEVER: Final = "the registry's history is not read and proven yet"
_LATER: Final = "Try again in a while; the operator sees in the service's log what is in the way."


class Moment:
    """One moment of the database: what is shown in it. All that one answer says should come from one.

    Args:
        connection: From `Store.operator_reading`.
        registry: The registry.
        copy: The copy of its history that is shown.
        problem: Why it is not newer.
    """

    def __init__(self, connection: Connection, registry: RegistryId, copy: CopyRecord, problem: str | None) -> None:
        self.connection: Final = connection
        self.registry: Final = registry
        self.copy: Final = copy
        self.rows: Final = EventReader(connection, registry, copy.id, copy.proven)
        self._problem: Final = problem

    def ledger(self) -> LedgerView:
        """Show the registry as a whole."""
        return read_ledger(self.registry, self.copy.content, self.copy.proven_at or 0, self._problem)

    def issuers(self, *, after: int = 0, limit: int) -> tuple[IssuerView, ...]:
        """List issuers after a number, in order."""
        return tuple(map(issuer_view, get_issuers(self.connection, self.copy.id, after=after, limit=limit)))

    def issuer(self, issuer_id: int) -> IssuerView:
        """Show an issuer.

        Raises:
            NotFoundError: There is none of this number.
        """
        return issuer_view(self.issuer_row(issuer_id))

    def events(
        self,
        *,
        issuer_id: int | None = None,
        kinds: Collection[str] = (),
        before: int | None = None,
        limit: int,
    ) -> tuple[EventView, ...]:
        """List events, the newest first.

        Args:
            issuer_id: Of one issuer; None: of the registry and all issuers.
            kinds: Only these; as `Event.kind`. Of one issuer alone.
            before: Only those before this number.
            limit: How many at most.

        Raises:
            NotFoundError: There is no issuer of this number.
        """
        if issuer_id is not None:
            self.issuer_row(issuer_id)
        return views_of(self.rows.newest(issuer_id=issuer_id, kinds=kinds, before=before, limit=limit))

    def epoch_changes(self, issuer_id: int) -> tuple[EpochChangeView, ...]:
        """List what changes of an issuer's status epochs undid, in order.

        Raises:
            NotFoundError: There is no issuer of this number.
        """
        undone = read_undone(self.issuer_row(issuer_id).content)
        rows = self.rows.newest(issuer_id=issuer_id, kinds={StatusEpochChanged.kind}, limit=len(undone) or 1)
        return tuple(
            EpochChangeView(
                event=event,
                unrevoked=sum(word.mask.bit_count() for word in each.unrevoked),
                unsuspended=sum(word.mask.bit_count() for word in each.unsuspended),
                unrevoked_batches=len(each.unrevoked_batches),
            )
            for event, each in zip(reversed(views_of(rows)), undone, strict=True)
        )

    def batches(self, issuer_id: int, *, before: int | None = None, limit: int) -> BatchPage:
        """List an issuer's batches, the one anchored last first.

        Args:
            issuer_id: The issuer's number.
            before: `BatchPage.next` of the page before.
            limit: How many anchorings are looked at: of a batch that was anchored again, only the last counts.

        Raises:
            NotFoundError: There is no issuer of this number.
        """
        issuer = issuer_view(self.issuer_row(issuer_id))
        kinds = {BatchAnchored.kind}
        rows = self.rows.newest(issuer_id=issuer_id, kinds=kinds, before=before, limit=limit + 1)
        roots = {row.number: root_of(row) for row in rows[:limit]}
        by_number = {view.number: view for view in self._batches(set(roots.values()), {issuer_id: issuer})}
        return BatchPage(
            batches=tuple(by_number[number] for number in roots if number in by_number),
            next=rows[limit - 1].number if len(rows) > limit else None,
        )

    def batch(self, root: Hash32) -> tuple[BatchView, ...]:
        """Show a batch: of each issuer that anchored its root.

        Raises:
            NotFoundError: Nobody did.
        """
        views = self._batches({root}, {})
        if not views:
            raise NotFoundError(f"no batch with the root {to_hex(root)} was anchored in this registry")
        return views

    def transaction(self, transaction: Hash32) -> TransactionView:
        """Show what happened in a transaction.

        Raises:
            NotFoundError: Nothing of this registry.
        """
        rows = self.rows.of_transaction(transaction)
        if not rows:
            raise NotFoundError(f"the registry has no event of a transaction {to_hex(transaction)}")
        return TransactionView(hash=transaction, events=views_of(rows))

    def account(self, address: Address) -> AccountView:
        """Show an account or a key: the parts that it plays.

        Raises:
            NotFoundError: No event names it.
        """
        parts = self.rows.accounts(address)
        if not parts:
            raise NotFoundError(f"no event of this registry names the account {to_hex(address)}")
        first = views_of(self.rows.numbered(list(self.rows.namings(address))))
        tenures = self.ledger().tenures
        # A key is bound to one issuer for ever.
        bound = [self.issuer(part.key_of) for part in parts if part.key_of != REGISTRY_ITSELF]
        return AccountView(
            address=address,
            key_of=next(iter(bound), None),
            tenures=tuple(each for each in tenures if each.account == address),
            first=first,
        )

    def position(self, issuer_id: int, position: StatusPosition) -> PositionView:
        """Show a status position: also one to which nothing happened.

        Raises:
            NotFoundError: There is no issuer of this number.
        """
        issuer = issuer_view(self.issuer_row(issuer_id))
        bit = mask_of(position.index)
        words = self.rows.changes_of_word(issuer_id, position.status_list, word_of(position.index))
        changes = [change for change in words if change.mask & bit]
        counts = counting(changes, issuer.record.status_epoch)
        shown = {change.number for change in changes[-SHOWN_CHANGES:]}
        views = {view.number: view for view in views_of(self.rows.numbered([*shown, *counts.values()]))}
        return PositionView(
            issuer=issuer,
            position=position,
            changes=tuple(views[number] for number in sorted(shown)),
            earlier=len(changes) - len(shown),
            counting={purpose: views[number] for purpose, number in counts.items()},
        )

    def tallies(self, issuer_id: int | None = None) -> tuple[Tally, ...]:
        """Count events by day, issuer, kind and reason, in order of days; of one issuer, or of all.

        Raises:
            NotFoundError: There is no issuer of this number.
        """
        if issuer_id is not None:
            self.issuer_row(issuer_id)
        return tuple(
            Tally(
                issuer_id=row.issuer_id or None,
                kind=row.kind,
                reason=row.reason,
                day=row.day,
                events=row.events,
                credentials=row.credentials,
            )
            for row in self.rows.tallies(issuer_id)
        )

    def days(self, issuer_id: int | None = None) -> tuple[Tally, ...]:
        """Count events by day and kind, in order of days, whatever their reasons; of one issuer, or of all together.

        Raises:
            NotFoundError: There is no issuer of this number.
        """
        if issuer_id is not None:
            self.issuer_row(issuer_id)
        return tuple(
            Tally(
                issuer_id=issuer_id,
                kind=row.kind,
                reason=0,
                day=row.day,
                events=row.events,
                credentials=row.credentials,
            )
            for row in self.rows.days(issuer_id)
        )

    def issuer_row(self, issuer_id: int) -> IssuerRow:
        """Look up what is kept of an issuer.

        Raises:
            NotFoundError: There is none of this number.
        """
        row = None if issuer_id == REGISTRY_ITSELF else find_issuer(self.connection, self.copy.id, issuer_id)
        if row is None:
            raise NotFoundError(f"the registry has no issuer {issuer_id}")
        return row

    def _batches(self, roots: Collection[Hash32], issuers: dict[int, IssuerView]) -> tuple[BatchView, ...]:
        """Show batches by root: of the issuers given, or of all.

        Of all, and then of one: asked for by issuer, the database would go through all that the issuer ever did.
        """
        only = next(iter(issuers), None)
        events: dict[tuple[int, Hash32], list[EventView]] = {}
        for view in views_of(self.rows.of_roots(roots)):
            assert isinstance(view.event, BatchAnchored | BatchRevoked)  # noqa: S101 - no others have a root
            if only in {None, view.event.issuer_id}:
                events.setdefault((view.event.issuer_id, view.event.root), []).append(view)
        for issuer_id, _ in events:
            if issuer_id not in issuers:
                issuers[issuer_id] = self.issuer(issuer_id)
        return tuple(batch_view(issuers[issuer_id], root, tuple(views)) for (issuer_id, root), views in events.items())


class Explorer:
    """May be used by several threads.

    Args:
        store: The database.
        registry: Whose history.
    """

    def __init__(self, store: Store, registry: RegistryId) -> None:
        self._store: Final = store
        self.registry: Final = registry

    @contextmanager
    def reading(self) -> Iterator[Moment]:
        """Give one moment of what is shown.

        Raises:
            NotReadyError: Nothing is proven yet.
            StoreError: The database cannot be read.
        """
        with self._store.operator_reading() as connection:
            sync = get_sync(connection, self.registry)
            if sync.shown is None:
                words = _NEVER if sync.problem is None else f"{_NEVER}: {sync.problem}"
                raise NotReadyError(words, advice=_LATER)
            yield Moment(connection, self.registry, get_copy(connection, sync.shown), sync.problem)

    def pages(self, copy: CopyRecord, limit: int) -> Iterator[tuple[EventRow, ...]]:
        """Give all events of a copy as it stood, in order, a page at a time, each read in a moment of its own.

        Raises:
            NotReadyError: The copy was removed meanwhile, having been out of date for an hour.
            StoreError: The database cannot be read.
        """
        number = 0
        while number < copy.proven:
            with self._store.operator_reading() as connection:
                rows = EventReader(connection, self.registry, copy.id, copy.proven).page(number, limit)
            if not rows or rows[0].number != number + 1:
                raise NotReadyError("the history was replaced while it was read", advice="Begin anew.")
            yield rows
            number = rows[-1].number
