"""Events of a registry in the database: kept as they were logged, with what they are found by; read again as events.

All that is read is asked for by an index, and a page at a time: the number of events changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, cast, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from anchor.errors import HistoryError
from anchor.events import (
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    ControllerTransferred,
    ControllerTransferStarted,
    IssuerAccredited,
    KeyAdded,
    RawLog,
    RoleChanged,
    StatusChanged,
)
from anchor.model import ZERO_ADDRESS, Address, Hash32, RegistryId
from registry.store import postgresql
from registry.store.bulk import insert_if_new, insert_rows
from registry.store.ledger_copies import CopyId
from registry.store.ledger_tables import ledger_accounts, ledger_events, ledger_tallies, ledger_words

REGISTRY_ITSELF: Final = 0
"""Stands for the issuer of events that are the registry's as a whole; and, of an account, for not being a key."""

DAY_SECONDS: Final = 86_400
_HASH_BYTES: Final = 32
_MAX_NUMBER: Final = 2**63 - 1
ROWS_A_PAGE: Final = 1_000
"""Events read at once: one has some 33 kB at most, and most have a hundredth of that."""

_EVENT_COLUMNS: Final = tuple(each.name for each in ledger_events.c)
_WORD_COLUMNS: Final = tuple(each.name for each in ledger_words.c)


class EventRow(NamedTuple):
    """One event, as it is kept."""

    number: int
    log: RawLog
    credentials: int


class WordChange(NamedTuple):
    """What an event did to one status word."""

    number: int
    """Of the event."""
    epoch: int
    kind: str
    mask: int


class AccountRow(NamedTuple):
    """An account that events name."""

    address: Address
    key_of: int
    """The issuer whose key it is; `REGISTRY_ITSELF`: it plays another part."""


class TallyRow(NamedTuple):
    """How many events of a kind there were on one day."""

    issuer_id: int
    kind: str
    reason: int
    day: int
    """Its first second, UTC."""
    events: int
    credentials: int


def add_events(connection: Connection, copy: CopyId, first: int, events: Sequence[AnyEvent]) -> None:
    """Keep events.

    Args:
        connection: From `Store.operator_writing`.
        copy: Of which history.
        first: Number of the first of them.
        events: They, in order.

    Raises:
        HistoryError: A node says of one that it is where no block or log can be.
    """
    rows, words = [], []
    for number, event in enumerate(events, start=first):
        rows.append(event_row(copy, number, event))
        words += word_rows(copy, number, event)
    insert_rows(connection, ledger_events, _EVENT_COLUMNS, rows)
    if words:
        insert_rows(connection, ledger_words, _WORD_COLUMNS, words)


def add_account(connection: Connection, copy: CopyId, account: AccountRow, number: int) -> None:
    """Keep that an event names an account; the first one counts."""
    values = {"copy_ref": copy, "address": account.address, "key_of": account.key_of, "number": number}
    insert_if_new(connection, ledger_accounts, values)


def accounts_of(event: AnyEvent) -> tuple[AccountRow, ...]:
    """Name the accounts that an event names."""
    accounts = [AccountRow(event.actor, REGISTRY_ITSELF)]
    match event:
        case KeyAdded():
            accounts.append(AccountRow(event.key, event.issuer_id))
        case RoleChanged():
            accounts.append(AccountRow(event.account, REGISTRY_ITSELF))
        case IssuerAccredited() | ControllerTransferStarted() | ControllerTransferred():
            accounts.append(AccountRow(event.controller, REGISTRY_ITSELF))
        case _:
            pass
    return tuple(each for each in accounts if each.address != ZERO_ADDRESS)


def credentials_of(event: AnyEvent) -> int:
    """Count the credentials that an event is about; 0: none, or it does not say."""
    match event:
        case BatchAnchored():
            return event.size
        case StatusChanged():
            return sum(mask.bit_count() for mask in event.masks)
        case _:
            return 0


def add_tallies(connection: Connection, copy: CopyId, first: int, last: int) -> None:
    """Count events, both included, by issuer, day, kind and reason, on top of those counted before."""
    chosen = postgresql_insert if connection.dialect.name == postgresql.NAME else sqlite_insert
    # A literal, so that the database sees that it selects and groups by the same.
    day = literal_column(f"at / {DAY_SECONDS}", BigInteger)
    keys = (ledger_events.c.copy_ref, ledger_events.c.issuer_id, day, ledger_events.c.kind, ledger_events.c.reason)
    sums = cast(func.count(), BigInteger), cast(func.sum(ledger_events.c.credentials), BigInteger)
    counted = (
        select(*keys, *sums)
        .where(ledger_events.c.copy_ref == copy, ledger_events.c.number.between(first, last))
        .group_by(*keys)
    )
    row = chosen(ledger_tallies).from_select([each.name for each in ledger_tallies.c], counted)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=list(ledger_tallies.primary_key),
            set_={
                "events": ledger_tallies.c.events + row.excluded.events,
                "credentials": ledger_tallies.c.credentials + row.excluded.credentials,
            },
        )
    )


class EventReader:
    """Reads events of one copy, up to the last one that counts.

    Args:
        connection: From `Store.operator_reading`.
        registry: The registry.
        copy: Of which history.
        last: Number of the last event; those after it are as if they were not there.
    """

    def __init__(self, connection: Connection, registry: RegistryId, copy: CopyId, last: int) -> None:
        self._connection: Final = connection
        self._registry: Final = registry
        self._copy: Final = copy
        self._last: Final = last

    def page(self, after: int, limit: int) -> tuple[EventRow, ...]:
        """Give the events after a number, in order."""
        statement = self._own().where(ledger_events.c.number > after)
        return self._rows(statement.order_by(ledger_events.c.number).limit(limit))

    def newest(
        self, *, issuer_id: int | None = None, kinds: Collection[str] = (), before: int | None = None, limit: int
    ) -> tuple[EventRow, ...]:
        """Give events before a number, the newest first.

        Args:
            issuer_id: Of one issuer, or of `REGISTRY_ITSELF`; None: of all.
            kinds: Of these kinds, which an issuer is to be named for; none: of all.
            before: Number; None: from the newest on.
            limit: How many at most.
        """
        # One bound, for SQLite goes through the index up to the first that it sees.
        last = self._last if before is None else min(self._last, before - 1)
        statement = select(*_READ).where(ledger_events.c.copy_ref == self._copy, ledger_events.c.number <= last)
        if issuer_id is not None:
            statement = statement.where(ledger_events.c.issuer_id == issuer_id)
        statement = statement.order_by(ledger_events.c.number.desc()).limit(limit)
        if not kinds:
            return self._rows(statement)
        # Kind by kind, each in the order of its index: the database would sort all of them.
        by_kind = [self._rows(statement.where(ledger_events.c.kind == kind)) for kind in sorted(set(kinds))]
        return tuple(islice(merge(*by_kind, key=lambda row: -row.number), limit))

    def of_roots(self, roots: Collection[Hash32]) -> tuple[EventRow, ...]:
        """Give the events about batches, of whichever issuers, in order."""
        # Put in order here: SQLite would rather go through all events in their order.
        return tuple(sorted(self._rows(self._own().where(ledger_events.c.root.in_(roots))), key=itemgetter(0)))

    def of_transaction(self, transaction: Hash32) -> tuple[EventRow, ...]:
        """Give the events of a transaction, in order."""
        statement = self._own().where(ledger_events.c.transaction_hash == transaction)
        return self._rows(statement.order_by(ledger_events.c.number))

    def has_root(self, root: Hash32) -> bool:
        """Tell whether a root was ever anchored."""
        return self._is_there(ledger_events.c.root == root)

    def has_transaction(self, transaction: Hash32) -> bool:
        """Tell whether a transaction has events."""
        return self._is_there(ledger_events.c.transaction_hash == transaction)

    def numbered(self, numbers: Sequence[int]) -> tuple[EventRow, ...]:
        """Give the events of these numbers, which count, in order."""
        if not numbers:
            return ()
        own = ledger_events.c.copy_ref == self._copy, ledger_events.c.number.in_(numbers)
        return self._rows(select(*_READ).where(*own).order_by(ledger_events.c.number))

    def changes_of_word(self, issuer_id: int, status_list: int, word: int) -> Iterator[WordChange]:
        """Give what happened to a status word, in order."""
        table = ledger_words.c
        own = (table.copy_ref == self._copy, table.issuer_id == issuer_id, table.number <= self._last)
        statement = (
            select(table.number, table.epoch, table.kind, table.mask)
            .where(*own, table.status_list == status_list, table.word == word)
            .order_by(table.number)
        )
        for row in self._connection.execute(statement, execution_options={"yield_per": ROWS_A_PAGE}):
            yield WordChange(row.number, row.epoch, row.kind, int.from_bytes(row.mask, "big"))

    def accounts(self, address: Address) -> tuple[AccountRow, ...]:
        """Tell what parts an address plays; nothing: no event names it."""
        table = ledger_accounts.c
        statement = select(table.address, table.key_of).where(
            table.copy_ref == self._copy, table.address == address, table.number <= self._last
        )
        return tuple(
            AccountRow(Address(row.address), row.key_of)
            for row in self._connection.execute(statement.order_by(table.key_of.desc()))
        )

    def all_accounts(self) -> Iterator[AccountRow]:
        """Give all accounts that events name, and the parts they play."""
        table = ledger_accounts.c
        own = table.copy_ref == self._copy, table.number <= self._last
        statement = select(table.address, table.key_of).where(*own)
        for row in self._connection.execute(statement, execution_options={"yield_per": ROWS_A_PAGE}):
            yield AccountRow(Address(row.address), row.key_of)

    def namings(self, address: Address) -> tuple[int, ...]:
        """Give the numbers of the events that name an address first, in each of the parts it plays; in order."""
        table = ledger_accounts.c
        statement = select(table.number).where(
            table.copy_ref == self._copy, table.address == address, table.number <= self._last
        )
        return tuple(self._connection.scalars(statement.order_by(table.number)))

    def tallies(self, issuer_id: int | None) -> tuple[TallyRow, ...]:
        """Give the counts of proven events, by day; of one issuer, or of all and the registry itself."""
        table = ledger_tallies.c
        columns = (table.issuer_id, table.kind, table.reason, table.day, table.events, table.credentials)
        return self._tallies(select(*columns), issuer_id)

    def days(self, issuer_id: int | None) -> tuple[TallyRow, ...]:
        """Give the same by day and kind alone: of all issuers, and whatever the reason."""
        table = ledger_tallies.c
        sums = (cast(func.sum(each), BigInteger).label(each.name) for each in (table.events, table.credentials))
        nobody: tuple[ColumnElement[int], ...] = (literal(0).label("issuer_id"), literal(0).label("reason"))
        statement = select(table.kind, table.day, *nobody, *sums).group_by(table.day, table.kind)
        return self._tallies(statement, issuer_id)

    def _tallies(self, statement: Select[*tuple[Any, ...]], issuer_id: int | None) -> tuple[TallyRow, ...]:
        statement = statement.where(ledger_tallies.c.copy_ref == self._copy)
        if issuer_id is not None:
            statement = statement.where(ledger_tallies.c.issuer_id == issuer_id)
        ordered = statement.order_by(ledger_tallies.c.day, "issuer_id", ledger_tallies.c.kind, "reason")
        return tuple(
            TallyRow(row.issuer_id, row.kind, row.reason, row.day * DAY_SECONDS, row.events, row.credentials)
            for row in self._connection.execute(ordered)
        )

    def _own(self) -> Select[*tuple[Any, ...]]:
        own = ledger_events.c.copy_ref == self._copy, ledger_events.c.number <= self._last
        return select(*_READ).where(*own)

    def _rows(self, statement: Select[*tuple[Any, ...]]) -> tuple[EventRow, ...]:
        return tuple(_read(row, self._registry) for row in self._connection.execute(statement))

    def _is_there(self, condition: Any) -> bool:
        return self._connection.execute(self._own().where(condition).limit(1)).first() is not None


_READ: Final = (
    ledger_events.c.number,
    ledger_events.c.credentials,
    ledger_events.c.topics,
    ledger_events.c.data,
    ledger_events.c.block_number,
    ledger_events.c.block_hash,
    ledger_events.c.transaction_hash,
    ledger_events.c.log_index,
)


def event_row(copy: CopyId, number: int, event: AnyEvent) -> tuple[object, ...]:
    """Give an event as it is kept, in the order of the table's columns.

    Raises:
        HistoryError: As `add_events`.
    """
    log = event.log
    if log.block_number > _MAX_NUMBER or log.log_index > _MAX_NUMBER:
        raise HistoryError(f"{log.place}: no chain has so many blocks or logs")
    return (
        copy,
        number,
        getattr(event, "issuer_id", REGISTRY_ITSELF),
        event.kind,
        getattr(event, "reason", 0),
        credentials_of(event),
        event.at,
        log.block_number,
        log.block_hash,
        log.transaction_hash,
        log.log_index,
        b"".join(log.topics),
        log.data,
        event.root if isinstance(event, BatchAnchored | BatchRevoked) else None,
    )


def word_rows(copy: CopyId, number: int, event: AnyEvent) -> list[tuple[object, ...]]:
    """Give what is kept of the status words that an event changed, in the order of the table's columns."""
    if not isinstance(event, StatusChanged):
        return []
    place = (copy, event.issuer_id, event.status_list)
    return [
        (*place, word, number, event.epoch, event.kind, mask.to_bytes(_HASH_BYTES, "big"))
        for word, mask in zip(event.words, event.masks, strict=True)
    ]


def _read(row: Row[*tuple[Any, ...]], registry: RegistryId) -> EventRow:
    topics = row.topics
    log = RawLog(
        address=registry.address,
        topics=tuple(Hash32(topics[start : start + _HASH_BYTES]) for start in range(0, len(topics), _HASH_BYTES)),
        data=row.data,
        block_number=row.block_number,
        block_hash=Hash32(row.block_hash),
        transaction_hash=Hash32(row.transaction_hash),
        log_index=row.log_index,
    )
    return EventRow(row.number, log, row.credentials)
