"""What the explorer's index says of one issuer, held against the proven history: what lags is told from what is wrong.

An index shows the ledger as of the block at which it was proven. It is read before the history, so that this reaches
as far; whether it still lags is looked at afterwards. Rows that count are never changed by the service: those of a copy
are the same before and after. After a reorganisation another copy takes its place, and nothing is said of the old one.

Registry-wide, only heads and roles are compared; what other issuers did is theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import takewhile
from typing import Final

from cbor2 import CBORError

from anchor.errors import LedgerUnavailableError, MalformedError
from anchor.events import AnyEvent, IssuerEvent, KeyAdded
from anchor.history import History, IssuerHistory
from anchor.model import Address, Basis, Hash32, RegistryId, to_utc
from anchor.replay import Replay
from registry.services.differences import Difference, DifferenceKind
from registry.services.explorer.content import count, issuer_bytes, read_issuer, read_ledger, read_undone
from registry.store.engine import Store
from registry.store.ledger_check import Kept, kept_events, kept_keys, kept_tallies, kept_words
from registry.store.ledger_copies import CopyRecord, SyncRecord, get_copy, get_sync
from registry.store.ledger_events import DAY_SECONDS, credentials_of, event_row, word_rows
from registry.store.ledger_issuers import IssuerRow, find_issuer
from registry.store.ledger_tables import ledger_events

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
    late = [
        each
        for each in history.issuer(issuer_id).events
        if each.log.block_number > number and each.at + LAG_SECONDS < basis.block_at
    ]
    if late:
        words = f"at block {number:,}, without {len(late):,} events, the first of {to_utc(late[0].at)}"
        yield _behind(sync, words)


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
        last = self._block.number
        numbered = enumerate(history.events, start=1)
        self._events: Final = list(takewhile(lambda each: each[1].log.block_number <= last, numbered))
        self._own: Final[list[Numbered]] = [
            each for each in self._events if isinstance(each[1], IssuerEvent) and each[1].issuer_id == issuer_id
        ]
        self._history: Final = history if len(self._events) == len(history.events) else self._replayed(history)

    def _replayed(self, history: History) -> History:
        """Give the history up to the index's block."""
        replay = Replay(history.registry, keep=False)
        for _, event in self._events:
            replay.take(event.log)
        return replay.result()

    def differences(self) -> Iterator[Difference]:
        copy, number = self._copy, self._issuer_id
        if copy.proven != len(self._events):
            yield _otherwise(f"{copy.proven:,} events of the registry are shown, {len(self._events):,} there are")
        # As far as the ledger goes, and as far as it says that it goes: each finds what the other passes over.
        last = max(copy.proven, len(self._events))
        with self._store.operator_reading() as connection:
            yield from self._by_event(kept_events(connection, copy.id, number, last))
            yield from self._by_word(kept_words(connection, copy.id, number, last))
            keys = kept_keys(connection, copy.id, number, last)
        yield from self._by_key(keys)
        if self._before.tallies != self._tallies():
            yield _otherwise("how many events there were on which day")
        yield from self._by_content()

    def _by_event(self, kept: Iterator[Kept]) -> Iterator[Difference]:
        names = [each.name for each in ledger_events.c]
        found = {row[1]: row for row in kept}
        for number, event in self._own:
            row, expected = found.pop(number, None), event_row(self._copy.id, number, event)
            if number > self._copy.proven:
                row = None  # it is there, and not shown
            root, transaction = getattr(event, "root", None), event.log.transaction_hash
            if row is None:
                detail = f"{event.kind}, {event.log.place}"
                yield Difference(kind=DifferenceKind.INDEX_MISSING, root=root, transaction=transaction, detail=detail)
            elif row != expected:
                other = ", ".join(name for name, *pair in zip(names, row, expected, strict=True) if pair[0] != pair[1])
                detail = f"{event.kind}, {event.log.place}: {other}"
                yield Difference(kind=DifferenceKind.INDEX_OTHERWISE, root=root, transaction=transaction, detail=detail)
        for row in found.values():
            values = dict(zip(names, row, strict=True))
            yield Difference(
                kind=DifferenceKind.INDEX_FOREIGN,
                transaction=Hash32(values["transaction_hash"]),
                detail=f"{values['kind']}, block {values['block_number']}, log {values['log_index']}",
            )

    def _by_word(self, kept: Iterable[Kept]) -> Iterator[Difference]:
        wrong = set(kept)
        for number, event in self._own:
            expected = set(word_rows(self._copy.id, number, event))
            if not expected <= wrong:
                yield _otherwise(_WORDS, event.log.transaction_hash)
            wrong -= expected
        if wrong:
            yield _otherwise(f"{_WORDS}: {len(wrong):,} words that no event is about")

    def _by_key(self, kept: frozenset[Kept]) -> Iterator[Difference]:
        expected = {
            (self._copy.id, event.key, self._issuer_id, number)
            for number, event in self._own
            if isinstance(event, KeyAdded)
        }
        for _, address, *_ in sorted(expected ^ kept):
            yield Difference(
                kind=DifferenceKind.INDEX_OTHERWISE, key=Address(address), detail="whose key it is, and since when"
            )

    def _tallies(self) -> frozenset[Kept]:
        events: Counter[tuple[int, str, int]] = Counter()
        credentials: Counter[tuple[int, str, int]] = Counter()
        for _, event in self._own:
            key = event.at // DAY_SECONDS, event.kind, getattr(event, "reason", 0)
            events[key] += 1
            credentials[key] += credentials_of(event)
        return frozenset(
            (self._copy.id, self._issuer_id, *key, number, credentials[key]) for key, number in events.items()
        )

    def _by_content(self) -> Iterator[Difference]:
        """Compare where the events led."""
        try:
            yield from list(self._by_views())
        except (CBORError, LookupError, TypeError, ValueError, MalformedError) as error:
            yield _otherwise(f"what the index has of registry and issuer cannot be read ({type(error).__name__})")

    def _by_views(self) -> Iterator[Difference]:
        view = read_ledger(self._history.registry, self._copy.content, 0, None)
        if view.basis.block_hash != self._block.hash:
            yield _otherwise("at which block it was proven")
        if (view.registry_head, view.issuers, view.tenures) != (
            self._history.registry_head,
            len(self._history.issuers),
            self._history.tenures,
        ):
            yield _otherwise("the registry's head, its roles, or how many issuers it has")
        row = self._before.issuer
        if not self._own or row is None:
            if self._own or row is not None:
                yield _otherwise("whether there is this issuer")
            return
        expected = self._issuer_row(self._history.issuer(self._issuer_id))
        yield from self._by_issuer(row, expected)

    def _issuer_row(self, issuer: IssuerHistory) -> IssuerRow:
        content = issuer_bytes(issuer, count(issuer, len(self._own)), self._own[-1][1].at)
        return IssuerRow(issuer.issuer_id, issuer.did.replace("\0", "\\x00"), issuer.did_hash, content)

    def _by_issuer(self, row: IssuerRow, expected: IssuerRow) -> Iterator[Difference]:
        if (row.did, row.did_hash) != (expected.did, expected.did_hash):
            yield _otherwise("the issuer's DID")
        found, right = (read_issuer(each.issuer_id, each.did_hash, each.content) for each in (row, expected))
        names = [each.name for each in fields(found) if getattr(found, each.name) != getattr(right, each.name)]
        if names:
            yield _otherwise(f"of the issuer: {', '.join(name.replace('_', ' ') for name in names)}")
        if read_undone(row.content) != read_undone(expected.content):
            yield _otherwise("what a change of status epochs undid")


def _otherwise(detail: str, transaction: Hash32 | None = None) -> Difference:
    return Difference(kind=DifferenceKind.INDEX_OTHERWISE, transaction=transaction, detail=detail)
