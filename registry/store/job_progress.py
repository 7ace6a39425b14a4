"""How far jobs are, for those who watch them: a row each, with what stands in other tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    statement = _SELECT.where(_is_news([connection.institution], since))
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
    watched = or_(_is_news(sorted(institutions), since), jobs.c.id.in_(sorted(numbers)))
    return _progresses(connection, _SELECT.where(watched))


def _is_news(institutions: Sequence[InstitutionId], since: int) -> ColumnElement[bool]:
    own = jobs.c.institution_ref
    # + 0: of all institutions there are few that are open, which an index finds; of one there may be many in all.
    is_open = and_(jobs.c.state.in_(_OPEN), (own + 0).in_(institutions))
    has_ended = and_(own.in_(institutions), jobs.c.changed_at >= since, jobs.c.state.in_(_ENDED))
    return or_(is_open, has_ended)


def _progresses(connection: Connection, statement: Any) -> tuple[JobProgress, ...]:
    return tuple(map(_progress, connection.execute(statement.order_by(jobs.c.changed_at, jobs.c.id))))


_ENDED: Final = [each.value for each in ENDED]
# What is still being uploaded may never become a job.
_OPEN: Final = [each.value for each in JobState if each not in {*ENDED, JobState.RECEIVING}]
_SELECT: Final = (
    # Not all of a job: its report may be long.
    select(
        jobs.c.id,
        jobs.c.institution_ref,
        jobs.c.public_id,
        jobs.c.kind,
        jobs.c.state,
        jobs.c.total,
        jobs.c.done,
        jobs.c.failure,
        jobs.c.revision,
        jobs.c.changed_at,
        batches.c.root,
        transactions.c.hash.label("transaction_hash"),
    )
    .select_from(jobs)
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
