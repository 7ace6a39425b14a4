"""Checkpoints of a copy of a registry's history: written in parts, and of use only once they are whole.

A part is small, so that nobody waits long for a transaction. A process that ends in the middle leaves one that nobody
goes on from, and the next one removes. One of events that are not proven yet does not take the place of the last one of
proven events: they may turn out to be false, and be forgotten with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, NewType

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from registry.store.ledger_copies import CopyId
from registry.store.ledger_tables import ledger_checkpoint_parts, ledger_checkpoints, ledger_copies

_PARTS_AT_ONCE: Final = 4

CheckpointId = NewType("CheckpointId", int)


class CheckpointRow(NamedTuple):
    """A checkpoint that is whole, but for its parts."""

    id: CheckpointId
    events: int
    digest: bytes
    content: bytes


def begin_checkpoint(connection: Connection, copy: CopyId, events: int) -> CheckpointId:
    """Begin one, and remove those that were never finished.

    Args:
        connection: From `Store.operator_writing`.
        copy: Of which copy.
        events: How many of its events the state follows from.
    """
    table = ledger_checkpoints.c
    _remove(connection, table.copy_ref == copy, table.digest.is_(None))
    row = insert(ledger_checkpoints).values(copy_ref=copy, events=events).returning(table.id)
    return CheckpointId(connection.execute(row).scalar_one())


def add_part(connection: Connection, checkpoint: CheckpointId, number: int, content: bytes) -> None:
    """Keep a part of one that was begun."""
    row = insert(ledger_checkpoint_parts)
    connection.execute(row.values(checkpoint_ref=checkpoint, number=number, content=content))


def finish_checkpoint(
    connection: Connection, copy: CopyId, checkpoint: CheckpointId, *, digest: bytes, content: bytes
) -> None:
    """Put one that has all its parts in the place of those before."""
    table = ledger_checkpoints.c
    proven = select(ledger_copies.c.proven).where(ledger_copies.c.id == copy).scalar_subquery()
    its_events = select(table.events).where(table.id == checkpoint).scalar_subquery()
    _remove(
        connection, table.copy_ref == copy, table.id != checkpoint, or_(table.events > proven, its_events <= proven)
    )
    connection.execute(update(ledger_checkpoints).where(table.id == checkpoint).values(digest=digest, content=content))


def find_checkpoint(connection: Connection, copy: CopyId) -> CheckpointRow | None:
    """Look up the newest of a copy that is whole."""
    table = ledger_checkpoints.c
    own = table.copy_ref == copy, table.digest.is_not(None)
    newest = select(table.id, table.events, table.digest, table.content).where(*own).order_by(table.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else CheckpointRow(CheckpointId(row.id), row.events, row.digest, row.content or b"")


def parts_of(connection: Connection, checkpoint: CheckpointId) -> Iterator[bytes]:
    """Give the parts of one, in order."""
    table = ledger_checkpoint_parts.c
    statement = select(table.content).where(table.checkpoint_ref == checkpoint).order_by(table.number)
    yield from connection.execute(statement, execution_options={"yield_per": _PARTS_AT_ONCE}).scalars()


def remove_checkpoints(connection: Connection, copy: CopyId, *, after: int = -1) -> None:
    """Remove those of a copy, or only those of more events than so many."""
    table = ledger_checkpoints.c
    _remove(connection, table.copy_ref == copy, table.events > after)


def _remove(connection: Connection, *which: ColumnElement[bool]) -> None:
    some = select(ledger_checkpoints.c.id).where(*which)
    connection.execute(delete(ledger_checkpoint_parts).where(ledger_checkpoint_parts.c.checkpoint_ref.in_(some)))
    connection.execute(delete(ledger_checkpoints).where(*which))
