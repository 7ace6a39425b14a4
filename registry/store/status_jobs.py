"""What status changes by job need of the database beside the jobs: credentials by the thousand, transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select

from registry.store.batches import SELECT_CREDENTIAL, credential_record
from registry.store.bulk import insert_if_new
from registry.store.connection import InstitutionConnection
from registry.store.jobs import JobId, JobKind, JobRecord, JobState, get_job, job_record
from registry.store.own import of_institution
from registry.store.records import CredentialRecord, TransactionId, TransactionRecord
from registry.store.service_tables import job_transactions, jobs
from registry.store.tables import credentials
from registry.store.transactions import get_transaction

_ASKED_AT_ONCE: Final = 500
"""SQLite takes no more than some thousands of parameters."""

UNMINED: Final = (JobState.RECEIVED, JobState.VALIDATED, JobState.SIGNED, JobState.SENT)
"""States of status changes that the ledger does not show yet."""


def get_credentials(connection: InstitutionConnection, uuids: Sequence[UUID]) -> dict[UUID, CredentialRecord]:
    """Look up credentials of the institution by their UUIDs; those that there are."""
    found: dict[UUID, CredentialRecord] = {}
    for start in range(0, len(uuids), _ASKED_AT_ONCE):
        some = [uuid.bytes for uuid in uuids[start : start + _ASKED_AT_ONCE]]
        statement = SELECT_CREDENTIAL.where(credentials.c.uuid.in_(some), of_institution(connection))
        for record in map(credential_record, connection.execute(statement)):
            found[record.uuid] = record
    return found


def unmined_status_jobs(connection: InstitutionConnection) -> tuple[JobRecord, ...]:
    """List the institution's status changes that the ledger does not show yet, the oldest first."""
    statement = select(jobs).where(
        jobs.c.institution_ref == connection.institution,
        jobs.c.kind == JobKind.STATUS.value,
        jobs.c.state.in_([state.value for state in UNMINED]),
    )
    return tuple(map(job_record, connection.execute(statement.order_by(jobs.c.id))))


def link_transaction(connection: InstitutionConnection, job: JobRecord, transaction: TransactionId) -> None:
    """Keep that a transaction was signed for a job.

    Raises:
        NotFoundError: It is not a job, or not a transaction, of the institution.
    """
    get_job(connection, job.public_id)
    get_transaction(connection, transaction)
    values = {"job_ref": job.id, "transaction_ref": transaction}
    insert_if_new(connection, job_transactions, values)


def transactions_of_job(connection: InstitutionConnection, job: JobId) -> tuple[TransactionRecord, ...]:
    """List what was signed for a job, in the order of signing."""
    statement = (
        select(job_transactions.c.transaction_ref)
        .join(jobs, jobs.c.id == job_transactions.c.job_ref)
        .where(jobs.c.institution_ref == connection.institution, jobs.c.id == job)
        .order_by(job_transactions.c.transaction_ref)
    )
    numbers = list(connection.execute(statement).scalars())
    return tuple(get_transaction(connection, TransactionId(number)) for number in numbers)
