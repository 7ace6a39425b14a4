"""Erasing people: what is theirs leaves the database, what batches, trees and status positions need stays."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from anchor.model import ZERO_HASH
from registry.store.connection import InstitutionConnection
from registry.store.own import is_in_own_batch
from registry.store.replacements import unlink
from registry.store.tables import batches, credentials

ERASED_NAME: Final = ""
"""Nobody has it: rosters refuse it."""


def erase_credentials(connection: InstitutionConnection, uuids: Collection[UUID], *, now: int) -> None:
    """Take all that is personal out of credentials; their rows stay, with positions and ids.

    Links to what they replaced, or were replaced by, go, for they lead to the person. So do the batches' hashes over
    all their recipients, which would confirm a guess at a name in a small batch; they only keep an unfinished one from
    being issued twice.

    Args:
        connection: From `Store.erasing`.
        uuids: Of credentials in anchored batches.
        now: Unix seconds.
    """
    for uuid in uuids:
        row = (
            update(credentials)
            .where(credentials.c.uuid == uuid.bytes, is_in_own_batch(connection, credentials.c.batch_id))
            .values(
                recipient_name=ERASED_NAME,
                recipient_email=None,
                email_salt=None,
                details=None,
                salt=ZERO_HASH,
                erased_at=func.coalesce(credentials.c.erased_at, now),
            )
        )
        of_batch = select(credentials.c.batch_id).where(
            credentials.c.uuid == uuid.bytes, is_in_own_batch(connection, credentials.c.batch_id)
        )
        connection.execute(row)
        unlink(connection, uuid)
        connection.execute(update(batches).where(batches.c.id.in_(of_batch)).values(roster_hash=ZERO_HASH))


def erased_at(connection: InstitutionConnection, uuid: UUID) -> int | None:
    """Tell when a credential was erased, in Unix seconds; None if it was not."""
    statement = select(credentials.c.erased_at).where(
        credentials.c.uuid == uuid.bytes, is_in_own_batch(connection, credentials.c.batch_id)
    )
    moment: int | None = connection.execute(statement).scalar()
    return moment
