"""What was sent to change status, one transaction after the other, as kept here; not what the ledger says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from anchor.model import Hash32
from anchor.status import LIST_SIZE
from registry.store.connection import InstitutionConnection
from registry.store.own import of_institution
from registry.store.records import StatusKind, TransactionId, TransactionRecord
from registry.store.service_tables import job_transactions, jobs
from registry.store.tables import batch_revocations, batches, credentials, issuers, status_changes, transactions
from registry.store.transactions import transaction_records


@dataclass(frozen=True, slots=True, kw_only=True)
class SentChange:
    """One transaction that was to change status."""

    transaction: TransactionRecord
    """Its state tells whether the change came about."""
    kind: StatusKind
    reason: int
    """A `StatusReason` value."""
    root: Hash32 | None
    """Of the batch that it was to revoke as a whole."""
    count: int
    """Credentials that it was to change one by one."""
    uuids: tuple[UUID, ...]
    """The first of these, as far as they are kept here."""
    jobs: tuple[UUID, ...]
    """Public ids of those that it was signed for; a command of the institution leaves none."""


def page_of_changes(
    connection: InstitutionConnection, *, before: int | None, limit: int, named: int
) -> tuple[SentChange, ...]:
    """List what the institution sent, the newest first.

    Args:
        connection: From `Store.reading`.
        before: Number of the last transaction of the page before; None: from the newest on.
        limit: How many at most.
        named: How many credentials of each are named at most.
    """
    of_status = select(status_changes.c.transaction_id).union(select(batch_revocations.c.transaction_id))
    statement = select(transactions).where(
        transactions.c.institution_ref == connection.institution, transactions.c.id.in_(of_status)
    )
    if before is not None:
        statement = statement.where(transactions.c.id < before)
    rows = connection.execute(statement.order_by(transactions.c.id.desc()).limit(limit)).all()
    return tuple(_change(connection, each, named) for each in _in_order(connection, rows))


def _in_order(connection: InstitutionConnection, rows: Sequence[Row[*tuple[Any, ...]]]) -> Iterable[TransactionRecord]:
    return sorted(transaction_records(connection, rows), key=lambda record: record.id, reverse=True)


def _change(connection: InstitutionConnection, record: TransactionRecord, named: int) -> SentChange:
    whole = connection.execute(
        select(batch_revocations).where(batch_revocations.c.transaction_id == record.id)
    ).one_or_none()
    if whole is not None:
        kind, reason, root, count = StatusKind.REVOKE, whole.reason, Hash32(whole.root), 0
    else:
        columns = status_changes.c
        row = connection.execute(
            select(columns.kind, columns.reason, func.count())
            .where(columns.transaction_id == record.id)
            .group_by(columns.kind, columns.reason)
        ).one()
        kind, reason, root, count = StatusKind(row.kind), row.reason, None, row[2]
    return SentChange(
        transaction=record,
        kind=kind,
        reason=reason,
        root=root,
        count=count,
        uuids=_uuids(connection, record.id, named),
        jobs=_jobs(connection, record.id),
    )


def _uuids(connection: InstitutionConnection, transaction: TransactionId, limit: int) -> tuple[UUID, ...]:
    position = status_changes.c.status_list * LIST_SIZE + status_changes.c.status_index
    statement = (
        select(credentials.c.uuid)
        .select_from(status_changes)
        .join(issuers, issuers.c.id == status_changes.c.issuer_ref)
        .join(
            batches,
            (batches.c.issuer_ref == issuers.c.id)
            & (batches.c.first_position <= position)
            & (batches.c.first_position + batches.c.size > position),
        )
        .join(
            credentials,
            (credentials.c.batch_id == batches.c.id)
            & (credentials.c.leaf_index == position - batches.c.first_position),
        )
        .where(status_changes.c.transaction_id == transaction, of_institution(connection))
        .order_by(status_changes.c.id)
        .limit(limit)
    )
    return tuple(UUID(bytes=each) for each in connection.execute(statement).scalars())


def _jobs(connection: InstitutionConnection, transaction: TransactionId) -> tuple[UUID, ...]:
    statement = (
        select(jobs.c.public_id)
        .join(job_transactions, job_transactions.c.job_ref == jobs.c.id)
        .where(jobs.c.institution_ref == connection.institution, job_transactions.c.transaction_ref == transaction)
        .order_by(jobs.c.id)
    )
    return tuple(UUID(bytes=each) for each in connection.execute(statement).scalars())
