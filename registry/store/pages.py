"""Lists page by page: batches and credentials, each page beginning after the last row of the one before.

So a page costs the same wherever it is, and rows that come meanwhile move nothing.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, select

from anchor.model import Hash32, RegistryId
from anchor.status import LIST_SIZE
from registry.errors import NotFoundError
from registry.store.batches import get_batch, get_credential
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.records import BatchId, BatchRecord, BatchState, CredentialRecord
from registry.store.tables import batches, credentials, issuers


class Place(NamedTuple):
    """Where in the list of credentials one is."""

    batch: int
    leaf_index: int


def batch_of_root(connection: InstitutionConnection, root: Hash32) -> BatchRecord:
    """Look up the institution's batch with this root.

    Raises:
        NotFoundError: It has none.
    """
    statement = _own_batches().where(issuers.c.institution_ref == connection.institution, batches.c.root == root)
    number = connection.execute(statement.order_by(batches.c.id.desc()).limit(1)).scalar()
    if number is None:
        raise NotFoundError("there is no batch with this root")
    return get_batch(connection, BatchId(number))


def page_of_batches(
    connection: InstitutionConnection, *, before: int | None, limit: int, state: BatchState | None = None
) -> tuple[BatchRecord, ...]:
    """List the institution's batches, the newest first.

    Args:
        connection: From `Store.reading`.
        before: Number of the last one of the page before; None: from the newest on.
        limit: How many at most.
        state: Only those in this state.
    """
    statement = _own_batches().where(issuers.c.institution_ref == connection.institution)
    if before is not None:
        statement = statement.where(batches.c.id < before)
    if state is not None:
        statement = statement.where(batches.c.state == state.value)
    numbers = connection.execute(statement.order_by(batches.c.id.desc()).limit(limit)).scalars()
    return tuple(get_batch(connection, BatchId(number)) for number in numbers)


def page_of_credentials(
    connection: InstitutionConnection, *, after: Place | None, limit: int, batch: BatchId | None = None
) -> tuple[CredentialRecord, ...]:
    """List the institution's credentials in the order of batches and, within them, of leaves.

    Args:
        connection: From `Store.reading`.
        after: The last one of the page before; None: from the first on.
        limit: How many at most.
        batch: Only those of this batch.
    """
    place = credentials.c.batch_id, credentials.c.leaf_index
    statement = (
        select(credentials.c.uuid)
        .join(batches, batches.c.id == credentials.c.batch_id)
        .join(issuers, issuers.c.id == batches.c.issuer_ref)
        .where(issuers.c.institution_ref == connection.institution)
    )
    if batch is not None:
        statement = statement.where(credentials.c.batch_id == batch)
    if after is not None:
        # Spelt out: not every database uses the index for a comparison of pairs.
        statement = statement.where(
            (credentials.c.batch_id > after.batch)
            | ((credentials.c.batch_id == after.batch) & (credentials.c.leaf_index > after.leaf_index))
        )
    found = connection.execute(statement.order_by(*place).limit(limit)).scalars()
    return tuple(get_credential(connection, UUID(bytes=uuid)) for uuid in found)


def owner_of_issuer(connection: Connection, registry: RegistryId, issuer_id: int) -> InstitutionId:
    """Tell for which institution an issuer's credentials were issued here.

    Raises:
        NotFoundError: None were.
    """
    statement = select(issuers.c.institution_ref).where(
        issuers.c.registry == registry.to_text(), issuers.c.issuer_id == issuer_id
    )
    found = connection.execute(statement).scalar()
    if found is None:
        raise NotFoundError("nothing was issued here for this issuer")
    return InstitutionId(found)


def batches_of_list(connection: InstitutionConnection, issuer_id: int, status_list: int) -> tuple[BatchRecord, ...]:
    """List the batches of an issuer of the institution that have positions in a status list."""
    first = status_list * LIST_SIZE
    statement = _own_batches().where(
        issuers.c.institution_ref == connection.institution,
        issuers.c.issuer_id == issuer_id,
        batches.c.first_position < first + LIST_SIZE,
        batches.c.first_position + batches.c.size > first,
    )
    numbers = connection.execute(statement.order_by(batches.c.id)).scalars()
    return tuple(get_batch(connection, BatchId(number)) for number in numbers)


def _own_batches() -> Select[tuple[int]]:
    return select(batches.c.id).join(issuers, issuers.c.id == batches.c.issuer_ref)
