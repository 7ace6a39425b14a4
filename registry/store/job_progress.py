"""How far jobs are, for those who watch them: a row each, with what stands in other tables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from anchor.model import Hash32
from registry.errors import NotFoundError
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.jobs import ENDED, JobId, JobKind, JobState
from registry.store.service_tables import jobs
from registry.store.tables import batches, transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job is."""

    id: JobId
    institution: InstitutionId
    public_id: UUID
    kind: JobKind
    state: JobState
    total: int | None
    done: int
    root: Hash32 | None
    """Of its batch."""
    transaction: Hash32 | None
    failure: str | None
    revision: int
    changed_at: int

    @property
    def has_ended(self) -> bool:
        """Whether it changes no more."""
        return self.state in ENDED


def progress_of(connection: InstitutionConnection, job: UUID) -> JobProgress:
    """Tell how far a job is.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    own = (jobs.c.institution_ref == connection.institution, jobs.c.public_id == job.bytes)
    row = connection.execute(_SELECT.where(*own)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no job {job}")
    return _progress(row)


def progress_since(connection: InstitutionConnection, since: int) -> tuple[JobProgress, ...]:
    """Tell how far the institution's jobs are that have not ended, or have changed since a time; by time of change."""
    statement = _SELECT.where(jobs.c.institution_ref == connection.institution, _is_news(since))
    return _progresses(connection.plain, statement)


def watched_progress(
    connection: Connection, institutions: Collection[InstitutionId], numbers: Collection[JobId], *, since: int
) -> tuple[JobProgress, ...]:
    """Tell how far all jobs are that somebody watches; by time of change.

    Args:
        connection: From `Store.operator_reading`.
        institutions: Those of which all jobs are watched: that have not ended, or have changed since.
        numbers: Jobs that are watched besides.
        since: Unix seconds.
    """
    whole = and_(jobs.c.institution_ref.in_(sorted(institutions)), _is_news(since))
    return _progresses(connection, _SELECT.where(or_(whole, jobs.c.id.in_(sorted(numbers)))))


def _is_news(since: int) -> ColumnElement[bool]:
    # What is still being uploaded may never become a job.
    is_there = jobs.c.state != JobState.RECEIVING.value
    return and_(is_there, or_(jobs.c.state.not_in([each.value for each in ENDED]), jobs.c.changed_at >= since))


def _progresses(connection: Connection, statement: Any) -> tuple[JobProgress, ...]:
    return tuple(map(_progress, connection.execute(statement.order_by(jobs.c.changed_at, jobs.c.id))))


_SELECT: Final = (
    select(jobs, batches.c.root, transactions.c.hash.label("transaction_hash"))
    .outerjoin(batches, batches.c.id == jobs.c.batch_ref)
    .outerjoin(transactions, transactions.c.id == jobs.c.transaction_ref)
)


def _progress(row: Row[*tuple[Any, ...]]) -> JobProgress:
    return JobProgress(
        id=JobId(row.id),
        institution=InstitutionId(row.institution_ref),
        public_id=UUID(bytes=row.public_id),
        kind=JobKind(row.kind),
        state=JobState(row.state),
        total=row.total,
        done=row.done,
        root=None if row.root is None else Hash32(row.root),
        transaction=None if row.transaction_hash is None else Hash32(row.transaction_hash),
        failure=row.failure,
        revision=row.revision,
        changed_at=row.changed_at,
    )
