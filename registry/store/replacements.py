"""Which credential took the place of which: both ways, kept in the transaction that seals the new one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, delete, insert, or_, select

from registry.errors import ConflictError
from registry.store.tables import replacements


def keep_replacement(connection: Connection, old: UUID, new: UUID) -> None:
    """Keep that one credential takes another's place.

    Raises:
        ConflictError: Another one has taken it already.
    """
    taken = successor_of(connection, old)
    if taken is not None:
        raise ConflictError(
            f"{old.urn} is being replaced by another process, with {taken.urn}",
            advice="Wait until that has ended, and look whether it is what you meant.",
        )
    connection.execute(insert(replacements).values(old_uuid=old.bytes, new_uuid=new.bytes))


def successor_of(connection: Connection, old: UUID) -> UUID | None:
    """Tell which credential took the place of this one; None if none did."""
    return _uuid(
        connection.execute(select(replacements.c.new_uuid).where(replacements.c.old_uuid == old.bytes)).scalar()
    )


def predecessor_of(connection: Connection, new: UUID) -> UUID | None:
    """Tell whose place a credential took; None if nobody's."""
    return _uuid(
        connection.execute(select(replacements.c.old_uuid).where(replacements.c.new_uuid == new.bytes)).scalar()
    )


def unlink(connection: Connection, uuid: UUID) -> None:
    """Forget a credential's links: of an erased one they would lead to the person."""
    connection.execute(
        delete(replacements).where(or_(replacements.c.old_uuid == uuid.bytes, replacements.c.new_uuid == uuid.bytes))
    )


def _uuid(stored: bytes | None) -> UUID | None:
    return None if stored is None else UUID(bytes=stored)
