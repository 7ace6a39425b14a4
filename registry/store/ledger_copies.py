"""Copies of a registry's history: which is shown, which is read into, and which process does that.

Upholds: what is shown was proven, and is changed in one moment; a process that lost its turn changes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NewType

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, or_, select, update

from anchor.model import Hash32, RegistryId
from registry.errors import ConflictError
from registry.store.bulk import insert_if_new
from registry.store.ledger_tables import (
    ledger_accounts,
    ledger_copies,
    ledger_events,
    ledger_issuers,
    ledger_syncs,
    ledger_tallies,
    ledger_words,
)

CopyId = NewType("CopyId", int)

NOTHING_READ: Final = -1
"""Stands for the block up to which events were read, where there is none."""

_REMOVED_AT_ONCE: Final = 5_000


class BlockRef(NamedTuple):
    """A block."""

    number: int
    hash: Hash32


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRecord:
    """One copy of a registry's history."""

    id: CopyId
    read_to: int
    """Number of the block up to which all events are there, proven or not."""
    events: int
    proven: int
    block: BlockRef | None
    """At which they were proven to be all; None: never so far."""
    content: bytes
    proven_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRecord:
    """How bringing a registry's history up to date stands."""

    shown: CopyId | None
    read: CopyId | None
    problem: str | None
    leased_by: str | None
    leased_until: int | None

    def is_free(self, worker: str, now: int) -> bool:
        """Tell whether a process may take its turn."""
        return self.leased_by in {None, worker} or self.leased_until is None or self.leased_until <= now


def get_sync(connection: Connection, registry: RegistryId) -> SyncRecord:
    """Look up how it stands; also where nobody has begun."""
    row = connection.execute(select(ledger_syncs).where(ledger_syncs.c.registry == registry.to_text())).one_or_none()
    if row is None:
        return SyncRecord(shown=None, read=None, problem=None, leased_by=None, leased_until=None)
    return SyncRecord(
        shown=row.shown_ref,
        read=row.read_ref,
        problem=row.problem,
        leased_by=row.leased_by,
        leased_until=row.leased_until,
    )


def claim_sync(connection: Connection, registry: RegistryId, worker: str, *, now: int, lease_seconds: int) -> bool:
    """Take the turn, or go on with it; tell whether it is this process's.

    Args:
        connection: From `Store.operator_writing`.
        registry: Of which registry.
        worker: Unique name of the process.
        now: Unix seconds.
        lease_seconds: How long nobody else takes it.
    """
    insert_if_new(connection, ledger_syncs, {"registry": registry.to_text()})
    is_free = or_(
        ledger_syncs.c.leased_by.is_(None), ledger_syncs.c.leased_by == worker, ledger_syncs.c.leased_until <= now
    )
    row = update(ledger_syncs).where(ledger_syncs.c.registry == registry.to_text(), is_free)
    return connection.execute(row.values(leased_by=worker, leased_until=now + lease_seconds)).rowcount == 1


def hold_sync(
    connection: Connection, registry: RegistryId, worker: str, *, now: int, lease_seconds: int, **values: Any
) -> None:
    """Go on with the turn for a while longer, in the transaction in which something is changed.

    Args:
        connection: From `Store.operator_writing`.
        registry: Of which registry.
        worker: As in `claim_sync`, and likewise the others.
        now: Unix seconds.
        lease_seconds: How long.
        values: Other columns of `ledger_syncs` to change.

    Raises:
        ConflictError: Another process took it meanwhile.
    """
    row = update(ledger_syncs).where(*_turn(registry, worker))
    changed = connection.execute(row.values(leased_until=now + lease_seconds, **values)).rowcount
    if changed != 1:
        raise ConflictError("another process reads the registry's history now")


def change_sync(connection: Connection, registry: RegistryId, **values: Any) -> None:
    """Change columns of the row of turns, in a transaction of who has the turn."""
    connection.execute(update(ledger_syncs).where(ledger_syncs.c.registry == registry.to_text()).values(**values))


def release_sync(connection: Connection, registry: RegistryId, worker: str) -> None:
    """Give the turn back, if it is still this process's."""
    row = update(ledger_syncs).where(*_turn(registry, worker))
    connection.execute(row.values(leased_by=None, leased_until=None))


def add_copy(connection: Connection, registry: RegistryId) -> CopyRecord:
    """Begin a copy."""
    row = insert(ledger_copies).values(registry=registry.to_text(), read_to=NOTHING_READ, events=0, proven=0)
    return _record(connection.execute(row.returning(*ledger_copies.c)).one())


def get_copy(connection: Connection, number: CopyId) -> CopyRecord:
    """Look up a copy that is there."""
    return _record(connection.execute(select(ledger_copies).where(ledger_copies.c.id == number)).one())


def change_copy(connection: Connection, number: CopyId, **values: Any) -> None:
    """Change columns of a copy."""
    connection.execute(update(ledger_copies).where(ledger_copies.c.id == number).values(**values))


def drop_unproven(connection: Connection, copy: CopyRecord) -> None:
    """Forget what was read into a copy that is shown, and not proven; the caller says so in the copy."""
    for table in (ledger_events, ledger_words, ledger_accounts):
        connection.execute(delete(table).where(table.c.copy_ref == copy.id, table.c.number > copy.proven))


def is_any_retired(connection: Connection, registry: RegistryId, *, before: int) -> bool:
    """Tell whether there are copies that `remove_retired` would remove."""
    return connection.execute(_retired(registry, before)).first() is not None


def remove_retired(connection: Connection, registry: RegistryId, *, before: int) -> None:
    """Remove a part of the copies that nobody reads any more.

    Args:
        connection: From `Store.operator_writing`.
        registry: Of which registry.
        before: Only those that were retired before this time: downloads may be under way.
    """
    number = connection.execute(_retired(registry, before)).scalar()
    if number is None:
        return
    first = select(ledger_events.c.number).where(ledger_events.c.copy_ref == number).order_by(ledger_events.c.number)
    lowest = connection.execute(first.limit(1)).scalar()
    if lowest is not None:
        some = ledger_events.c.copy_ref == number, ledger_events.c.number < lowest + _REMOVED_AT_ONCE
        connection.execute(delete(ledger_events).where(*some))
        return
    for table in (ledger_words, ledger_accounts, ledger_issuers, ledger_tallies):
        connection.execute(delete(table).where(table.c.copy_ref == number))
    connection.execute(delete(ledger_copies).where(ledger_copies.c.id == number))


def _retired(registry: RegistryId, before: int) -> Select[int]:
    old = ledger_copies.c.registry == registry.to_text(), ledger_copies.c.retired_at < before
    return select(ledger_copies.c.id).where(*old).order_by(ledger_copies.c.id).limit(1)


def _turn(registry: RegistryId, worker: str) -> tuple[ColumnElement[bool], ...]:
    return ledger_syncs.c.registry == registry.to_text(), ledger_syncs.c.leased_by == worker


def _record(row: Row[*tuple[Any, ...]]) -> CopyRecord:
    return CopyRecord(
        id=CopyId(row.id),
        read_to=row.read_to,
        events=row.events,
        proven=row.proven,
        block=None if row.block_hash is None else BlockRef(row.block_number, Hash32(row.block_hash)),
        content=row.content or b"",
        proven_at=row.proven_at,
    )
