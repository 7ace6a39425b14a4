"""Batches whose anchoring a cut-off made void: found, and taken back to where they can be anchored anew."""

from __future__ import annotations

from sqlalchemy import update

from anchor.model import RegistryId
from registry.errors import ConflictError
from registry.store.batches import SELECT_BATCH, batch_record
from registry.store.connection import InstitutionConnection
from registry.store.own import of_institution, own_batch
from registry.store.records import BatchRecord, BatchState
from registry.store.tables import batches, issuers


def sealed_batches(connection: InstitutionConnection, registry: RegistryId, issuer_id: int) -> tuple[BatchRecord, ...]:
    """List everything that was sealed for an issuer, in order, whatever became of it.

    Args:
        connection: From `Store.reading`.
        registry: The registry.
        issuer_id: The issuer's number there.
    """
    rows = connection.execute(
        SELECT_BATCH.where(
            of_institution(connection), issuers.c.registry == registry.to_text(), issuers.c.issuer_id == issuer_id
        ).order_by(batches.c.id)
    )
    return tuple(map(batch_record, rows))


def reopen_batch(connection: InstitutionConnection, batch: BatchRecord) -> None:
    """Take an anchored batch back to where no transaction exists, for its anchoring is void.

    The transaction that anchored it stays among the transactions.

    Raises:
        ConflictError: It has moved meanwhile.
    """
    row = (
        update(batches)
        .where(
            batches.c.id == own_batch(connection, batch.id),
            batches.c.state == BatchState.ANCHORED.value,
            batches.c.transaction_id.is_not_distinct_from(batch.transaction),
        )
        .values(state=BatchState.SEALED.value, transaction_id=None, anchored_at=None, failure=None)
    )
    if connection.execute(row).rowcount != 1:
        raise ConflictError(f"batch {batch.id} is being worked on by another process", advice="Try again.")
