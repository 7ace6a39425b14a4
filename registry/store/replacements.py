"""Which credential took the place of which: both ways, kept in the transaction that seals the new one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select

from registry.errors import ConflictError, NotFoundError
from registry.store.bulk import insert_if_new
from registry.store.connection import InstitutionConnection
from registry.store.own import is_in_own_batch
from registry.store.tables import credentials, replacements


def keep_replacement(connection: InstitutionConnection, old: UUID, new: UUID) -> None:
    """Keep that one credential takes another's place.

    Raises:
        NotFoundError: There is no such credential in this database.
        ConflictError: Another one has taken it already.
    """
    both = (credentials.c.uuid.in_([old.bytes, new.bytes]), is_in_own_batch(connection, credentials.c.batch_id))
    if connection.execute(select(func.count(credentials.c.uuid)).where(*both)).scalar() != 2:
        raise NotFoundError(f"there is no credential {old}, or no {new}, in the database")
    values = {"old_uuid": old.bytes, "new_uuid": new.bytes}
    # Somebody else may be doing the same at this moment.
    if insert_if_new(connection, replacements, values) is None:
        taken = successor_of(connection, old)
        raise ConflictError(
            f"{old.urn} is being replaced by another process" + ("" if taken is None else f", with {taken.urn}"),
            advice="Wait until that has ended, and look whether it is what you meant.",
        )


def successor_of(connection: InstitutionConnection, old: UUID) -> UUID | None:
    """Tell which credential took the place of this one; None if none did."""
    statement = select(replacements.c.new_uuid).where(replacements.c.old_uuid == old.bytes, _own(connection))
    return _uuid(connection.execute(statement).scalar())


def predecessor_of(connection: InstitutionConnection, new: UUID) -> UUID | None:
    """Tell whose place a credential took; None if nobody's."""
    statement = select(replacements.c.old_uuid).where(replacements.c.new_uuid == new.bytes, _own(connection))
    return _uuid(connection.execute(statement).scalar())


def unlink(connection: InstitutionConnection, uuid: UUID) -> None:
    """Forget a credential's links: of an erased one they would lead to the person."""
    either = or_(replacements.c.old_uuid == uuid.bytes, replacements.c.new_uuid == uuid.bytes)
    connection.execute(delete(replacements).where(either, _own(connection)))


def _own(connection: InstitutionConnection) -> ColumnElement[bool]:
    statement = select(credentials.c.uuid).where(credentials.c.uuid == replacements.c.old_uuid)
    return statement.where(is_in_own_batch(connection, credentials.c.batch_id)).correlate(replacements).exists()


def _uuid(stored: bytes | None) -> UUID | None:
    return None if stored is None else UUID(bytes=stored)
