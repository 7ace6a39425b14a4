"""What the explorer's index says of one issuer, held against the proven history: what lags is told from what is wrong.

An index shows the ledger as of the block at which it was proven. It is read before the history, so that this reaches
as far; whether it still lags is looked at afterwards. Rows that count are never changed by the service: those of a copy
are the same before and after. After a reorganisation another copy takes its place, and nothing is said of the old one.
Rows and events are gone through side by side, in order: neither is held.

Registry-wide, only heads and roles are compared; what other issuers did is theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import takewhile
from typing import Final

from cbor2 import CBORError
from sqlalchemy import Column

from anchor.errors import LedgerUnavailableError, MalformedError
from anchor.events import AnyEvent, IssuerEvent, KeyAdded
from anchor.history import History
from anchor.model import Address, Basis, Hash32, RegistryId, to_utc
from anchor.replay import Replay
from registry.services.differences import Difference, DifferenceKind
from registry.services.doings import events_of
from registry.services.explorer.content import count, issuer_bytes, read_issuer, read_ledger, read_undone
from registry.store.engine import Store
from registry.store.ledger_check import Kept, kept_events, kept_keys, kept_tallies, kept_words
from registry.store.ledger_copies import CopyId, CopyRecord, SyncRecord, get_copy, get_sync
from registry.store.ledger_events import DAY_SECONDS, credentials_of, event_row, word_rows
from registry.store.ledger_issuers import IssuerRow, find_issuer
from registry.store.ledger_tables import ledger_events, ledger_words

LAG_SECONDS: Final = 300
"""An event may be so old, by the ledger's clock, before an index without it is behind."""

_WORDS: Final = "which credentials a change of status was of"

HasBlock = Callable[[int, Hash32], bool]
"""Tells whether a block is on the chain."""
Numbered = tuple[int, AnyEvent]
"""An event, and its number among all of the registry, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexMoment:
    """What the index showed at one moment."""

    copy: CopyRecord
    issuer: IssuerRow | None
    tallies: frozenset[Kept]


def read_index(store: Store, registry: RegistryId, issuer_id: int) -> IndexMoment | None:
    """Note what the index shows now; None: nothing.

    Raises:
        StoreError: The database cannot be read.
    """
    with store.operator_reading() as connection:
        shown = get_sync(connection, registry).shown
        if shown is None:
            return None
        return IndexMoment(
            copy=get_copy(connection, shown),
            issuer=find_issuer(connection, shown, issuer_id),
            tallies=kept_tallies(connection, shown, issuer_id),
        )


def compare_index(
    store: Store, before: IndexMoment | None, history: History, issuer_id: int, basis: Basis, has_block: HasBlock
) -> Iterator[Difference]:
    """Name what the index shows otherwise than the ledger.

    Args:
        store: The database.
        before: What it showed before the history was read.
        history: Proven whole, with all events.
        issuer_id: Whose part of it.
        basis: What the proof rests on.
        has_block: Asks the node.

    Raises:
        LedgerUnavailableError: The index goes further than the history.
        StoreError: The database cannot be read.
    """
    if before is not None and before.copy.block is not None and has_block(*_checked(before.copy.block, basis)):
        yield from _Comparison(store, before, history, issuer_id).differences()
    yield from _lag(store, history, issuer_id, basis, has_block)


def _checked(block: tuple[int, Hash32], basis: Basis) -> tuple[int, Hash32]:
    if block[0] > basis.block_number:
        raise LedgerUnavailableError(
            f"the service's node is ahead: the explorer is at block {block[0]:,}, the newest here is "
            f"{basis.block_number:,}",
            advice="Try again once the node here has synced.",
        )
    return block


def _lag(store: Store, history: History, issuer_id: int, basis: Basis, has_block: HasBlock) -> Iterator[Difference]:
    """Tell whether the index is behind now."""
    with store.operator_reading() as connection:
        sync = get_sync(connection, history.registry)
        copy = None if sync.shown is None else get_copy(connection, sync.shown)
    if copy is None or copy.block is None:
        if sync.problem is not None:
            yield Difference(kind=DifferenceKind.INDEX_BEHIND, detail=f"it shows nothing: {sync.problem}")
        return
    number, block_hash = copy.block
    if number <= basis.block_number and not has_block(number, block_hash):
        yield _behind(sync, f"its block {number:,} is not on the chain any more")
        return
    if number >= basis.block_number:
        return
    count, first = 0, 0
    for each in events_of(history.events, issuer_id):
        if each.log.block_number > number and each.at + LAG_SECONDS < basis.block_at:
            count, first = count + 1, first or each.at
    if count:
        yield _behind(sync, f"at block {number:,}, without {count:,} events, the first of {to_utc(first)}")


def _behind(sync: SyncRecord, words: str) -> Difference:
    return Difference(kind=DifferenceKind.INDEX_BEHIND, detail=f"{words}; {sync.problem}" if sync.problem else words)


class _Comparison:
    """An index that is not ahead, and whose block is on the chain."""

    def __init__(self, store: Store, before: IndexMoment, history: History, issuer_id: int) -> None:
        self._store: Final = store
        self._before: Final = before
        self._copy: Final = before.copy
        self._issuer_id: Final = issuer_id
        assert before.copy.block is not None  # noqa: S101 - only then it is compared
        self._block: Final = before.copy.block
        self._history: Final = history
        self._seen: Final = _Seen()

    def _events(self) -> Iterator[Numbered]:
        """Give the registry's events up to the index's block; they may be read from a file each time."""
        last = self._block.number
        return takewhile(lambda each: each[1].log.block_number <= last, enumerate(self._history.events, start=1))

    def differences(self) -> Iterator[Difference]:
        copy, number, seen = self._copy, self._issuer_id, self._seen
        with (
            self._store.operator_reading() as connection,
            closing(kept_events(connection, copy.id, number)) as kept,
            closing(kept_words(connection, copy.id, number)) as words,
        ):
            yield from self._by_event(_Rows(kept, ledger_events.c.number), _Rows(words, ledger_words.c.number))
            keys = kept_keys(connection, copy.id, number, self._last)
        if copy.proven != seen.events:
            yield _otherwise(f"{copy.proven:,} events of the registry are shown, {seen.events:,} there are")
        for address in sorted({address for _, address, *_ in seen.keys(copy.id, number) ^ keys}):
            yield Difference(
                kind=DifferenceKind.INDEX_OTHERWISE, key=Address(address), detail="whose key it is, and since when"
            )
        if self._before.tallies != seen.tallies(copy.id, number):
            yield _otherwise("how many events there were on which day")
        yield from self._by_content()

    @property
    def _last(self) -> int:
        """As far as the ledger goes, and as far as it says that it goes: each finds what the other passes over."""
        return max(self._copy.proven, self._seen.events)

    def _by_event(self, kept: _Rows, words: _Rows) -> Iterator[Difference]:
        strangers = 0
        for number, event in self._events():
            self._seen.events = number
            if not (isinstance(event, IssuerEvent) and event.issuer_id == self._issuer_id):
                continue
            self._seen.take(number, event)
            yield from map(_foreign, kept.up_to(number - 1))
            row = next(kept.up_to(number), None)
            yield from self._of_event(number, event, row if number <= self._copy.proven else None)
            strangers += sum(1 for _ in words.up_to(number - 1))
            found, expected = set(words.up_to(number)), set(word_rows(self._copy.id, number, event))
            if not expected <= found:
                yield _otherwise(_WORDS, event.log.transaction_hash)
            strangers += len(found - expected)
        yield from map(_foreign, kept.up_to(self._last))
        strangers += sum(1 for _ in words.up_to(self._last))
        if strangers:
            yield _otherwise(f"{_WORDS}: {strangers:,} words that no event is about")

    def _of_event(self, number: int, event: AnyEvent, row: Kept | None) -> Iterator[Difference]:
        """Compare an event with its row; None: it is not there, or not shown."""
        expected = event_row(self._copy.id, number, event)
        if row == expected:
            return
        kind, detail = DifferenceKind.INDEX_MISSING, f"{event.kind}, {event.log.place}"
        if row is not None:
            kind, names = DifferenceKind.INDEX_OTHERWISE, [each.name for each in ledger_events.c]
            other = ", ".join(name for name, *pair in zip(names, row, expected, strict=True) if pair[0] != pair[1])
            detail = f"{detail}: {other}"
        root, transaction = getattr(event, "root", None), event.log.transaction_hash
        yield Difference(kind=kind, root=root, transaction=transaction, detail=detail)

    def _by_content(self) -> Iterator[Difference]:
        """Compare where the events led."""
        try:
            yield from list(self._by_views())
        except (CBORError, LookupError, TypeError, ValueError, MalformedError) as error:
            yield _otherwise(f"what the index has of registry and issuer cannot be read ({type(error).__name__})")

    def _by_views(self) -> Iterator[Difference]:
        view, history = read_ledger(self._history.registry, self._copy.content, 0, None), self._history_then()
        if view.basis.block_hash != self._block.hash:
            yield _otherwise("at which block it was proven")
        if (view.registry_head, view.issuers, view.tenures) != (
            history.registry_head,
            len(history.issuers),
            history.tenures,
        ):
            yield _otherwise("the registry's head, its roles, or how many issuers it has")
        row, seen = self._before.issuer, self._seen
        if not seen.own or row is None:
            if seen.own or row is not None:
                yield _otherwise("whether there is this issuer")
            return
        issuer = history.issuer(self._issuer_id)
        content = issuer_bytes(issuer, count(issuer, seen.own), seen.last_at)
        did = issuer.did.replace("\0", "\\x00")
        yield from self._by_issuer(row, IssuerRow(issuer.issuer_id, did, issuer.did_hash, content))

    def _history_then(self) -> History:
        """Give the history up to the index's block."""
        if self._seen.events == len(self._history.events):
            return self._history
        replay = Replay(self._history.registry, keep=False)
        for _, event in self._events():
            replay.take(event.log)
        return replay.result()

    def _by_issuer(self, row: IssuerRow, expected: IssuerRow) -> Iterator[Difference]:
        if (row.did, row.did_hash) != (expected.did, expected.did_hash):
            yield _otherwise("the issuer's DID")
        found, right = (read_issuer(each.issuer_id, each.did_hash, each.content) for each in (row, expected))
        names = [each.name for each in fields(found) if getattr(found, each.name) != getattr(right, each.name)]
        if names:
            yield _otherwise(f"of the issuer: {', '.join(name.replace('_', ' ') for name in names)}")
        if read_undone(row.content) != read_undone(expected.content):
            yield _otherwise("what a change of status epochs undid")


class _Rows:
    """Rows in order of the numbers of events, read as far as these have come.

    Args:
        rows: In order.
        column: Where in a row the number is.
    """

    def __init__(self, rows: Iterator[Kept], column: Column[int]) -> None:
        self._rows: Final = rows
        self._place: Final = list(column.table.c).index(column)
        self._next = next(rows, None)

    def up_to(self, number: int) -> Iterator[Kept]:
        """Give the next rows, up to those of an event."""
        while self._next is not None and self._next[self._place] <= number:
            row, self._next = self._next, next(self._rows, None)
            yield row


class _Seen:
    """What was counted of the ledger's events while they were gone through."""

    def __init__(self) -> None:
        self.events = 0
        """Of the registry."""
        self.own = 0
        """Of the issuer."""
        self.last_at = 0
        self._keys: Final[list[tuple[Address, int]]] = []
        self._events_a_day: Final[Counter[tuple[int, str, int]]] = Counter()
        self._credentials_a_day: Final[Counter[tuple[int, str, int]]] = Counter()

    def take(self, number: int, event: AnyEvent) -> None:
        """Count an event of the issuer."""
        self.own, self.last_at = self.own + 1, event.at
        if isinstance(event, KeyAdded):
            self._keys.append((event.key, number))
        day = event.at // DAY_SECONDS, event.kind, getattr(event, "reason", 0)
        self._events_a_day[day] += 1
        self._credentials_a_day[day] += credentials_of(event)

    def keys(self, copy: CopyId, issuer_id: int) -> frozenset[Kept]:
        """Give the rows of the keys that were added."""
        return frozenset((copy, key, issuer_id, number) for key, number in self._keys)

    def tallies(self, copy: CopyId, issuer_id: int) -> frozenset[Kept]:
        """Give the rows of what was counted by day."""
        credentials = self._credentials_a_day
        return frozenset((copy, issuer_id, *day, n, credentials[day]) for day, n in self._events_a_day.items())


def _foreign(row: Kept) -> Difference:
    values = dict(zip((each.name for each in ledger_events.c), row, strict=True))
    return Difference(
        kind=DifferenceKind.INDEX_FOREIGN,
        transaction=Hash32(values["transaction_hash"]),
        detail=f"{values['kind']}, block {values['block_number']}, log {values['log_index']}",
    )


def _otherwise(detail: str, transaction: Hash32 | None = None) -> Difference:
    return Difference(kind=DifferenceKind.INDEX_OTHERWISE, transaction=transaction, detail=detail)
