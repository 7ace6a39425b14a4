"""Jobs: rosters and status changes on their way to the ledger, each a state machine that outlives every process.

    received → validated → sealed → signed → sent → mined → final
        └──────────┼→ cancelled        any of them → failed
                   └→ tried            a dry run

A status change has nothing to seal. Workers claim jobs (`registry.store.job_claims`), each for a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Any, Final, NewType
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from anchor.model import Hash32
from registry.errors import ConflictError, NotFoundError
from registry.store import sqlite
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.records import BatchId, TransactionId
from registry.store.service_tables import job_chunks, jobs

JobId = NewType("JobId", int)


class JobKind(Enum):
    """What is on its way."""

    ROSTER = "roster"
    STATUS = "status"


class JobState(Enum):
    """How far a job has come."""

    RECEIVING = "receiving"
    """Its content is being taken in; no worker sees it."""
    RECEIVED = "received"
    VALIDATED = "validated"
    """Checked row by row, and nothing is in its way but, perhaps, a person's word."""
    SEALED = "sealed"
    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    FINAL = "final"
    TRIED = "tried"
    """A dry run that came to its end: nothing was issued or changed."""
    CANCELLED = "cancelled"
    FAILED = "failed"


NEXT_STATES: Final = {
    JobState.RECEIVING: {JobState.RECEIVED, JobState.CANCELLED, JobState.FAILED},
    JobState.RECEIVED: {JobState.VALIDATED, JobState.CANCELLED, JobState.FAILED},
    # Of a status change the ledger may say already what is wanted.
    JobState.VALIDATED: {
        JobState.SEALED,
        JobState.SIGNED,
        JobState.MINED,
        JobState.TRIED,
        JobState.CANCELLED,
        JobState.FAILED,
    },
    # The ledger may have its root already.
    JobState.SEALED: {JobState.SIGNED, JobState.MINED, JobState.FAILED},
    # What was sent may be replaced by another transaction, and what was mined may be taken back (a reorganisation).
    JobState.SIGNED: {JobState.SENT, JobState.MINED, JobState.SEALED, JobState.VALIDATED, JobState.FAILED},
    JobState.SENT: {JobState.MINED, JobState.SIGNED, JobState.SEALED, JobState.VALIDATED, JobState.FAILED},
    JobState.MINED: {JobState.FINAL, JobState.SENT, JobState.SEALED, JobState.VALIDATED, JobState.FAILED},
    JobState.FINAL: set[JobState](),
    JobState.TRIED: set[JobState](),
    JobState.CANCELLED: set[JobState](),
    JobState.FAILED: set[JobState](),
}
"""Where each state may lead."""

ENDED: Final = tuple(state for state, following in NEXT_STATES.items() if not following)
CANCELLABLE: Final = tuple(state for state, following in NEXT_STATES.items() if JobState.CANCELLED in following)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job and how far it has come."""

    id: JobId
    institution: InstitutionId
    public_id: UUID
    kind: JobKind
    state: JobState
    request: str
    """JSON: what was asked for; no people."""
    report: str | None
    """JSON: problems by place and reason, counts, cost; never a cell."""
    content_size: int
    content_hash: Hash32 | None
    total: int | None
    """Rows or changes; None: not counted yet."""
    done: int
    batch: BatchId | None
    transaction: TransactionId | None
    failure: str | None
    attempts: int
    """In this state."""
    next_at: int
    leased_by: str | None
    leased_until: int | None
    revision: int
    """One more with every change."""
    created_at: int
    changed_at: int


def create_job(connection: InstitutionConnection, kind: JobKind, request: str, *, now: int) -> JobRecord:
    """Keep a new job, its content being taken in: `add_content`, then `finish_content`."""
    row = insert(jobs).values(
        institution_ref=connection.institution,
        public_id=uuid4().bytes,
        kind=kind.value,
        state=JobState.RECEIVING.value,
        request=request,
        content_size=0,
        done=0,
        attempts=0,
        next_at=now,
        claim_number=0,
        revision=1,
        created_at=now,
        changed_at=now,
    )
    return job_record(connection.execute(row.returning(*jobs.c)).one())


def add_content(connection: InstitutionConnection, job: JobRecord, number: int, content: bytes) -> None:
    """Keep the next part of what was uploaded.

    Args:
        connection: From `Store.writing`; each part may be a transaction of its own.
        job: As `create_job` gave it.
        number: Of the part, from 0.
        content: Up to a mebibyte or so.

    Raises:
        ConflictError: Everything is there already, or the job was cancelled.
    """
    row = update(jobs).where(
        jobs.c.institution_ref == connection.institution,
        jobs.c.id == job.id,
        jobs.c.state == JobState.RECEIVING.value,
    )
    if connection.execute(row.values(content_size=jobs.c.content_size + len(content))).rowcount != 1:
        raise _moved_on(job)
    connection.execute(insert(job_chunks).values(job_ref=job.id, number=number, content=content))


def finish_content(connection: InstitutionConnection, job: JobRecord, *, now: int) -> JobRecord:
    """Note that everything is there: from now on a worker may claim the job.

    Raises:
        ConflictError: It was finished or cancelled before.
    """
    digest = sha256()
    for content in read_content(connection, job):
        digest.update(content)
    return move_job(connection, job, JobState.RECEIVED, now=now, content_hash=Hash32(digest.digest()))


def read_content(connection: InstitutionConnection, job: JobRecord) -> Iterator[bytes]:
    """Give what was uploaded, part by part; none once it was dropped."""
    statement = (
        select(job_chunks.c.content)
        .join(jobs, jobs.c.id == job_chunks.c.job_ref)
        .where(jobs.c.institution_ref == connection.institution, jobs.c.id == job.id)
        .order_by(job_chunks.c.number)
    )
    yield from (row[0] for row in connection.stream(statement, 1))


def drop_content(connection: InstitutionConnection, job: JobRecord) -> None:
    """Remove what was uploaded: it is sealed, or nobody wants it any more; `Store.clean_uploads` removes its traces."""
    if connection.dialect.name == sqlite.NAME:
        sqlite.begin_erasing(connection.plain)
    own = select(jobs.c.id).where(jobs.c.institution_ref == connection.institution, jobs.c.id == job.id)
    connection.execute(delete(job_chunks).where(job_chunks.c.job_ref == own.scalar_subquery()))


def remove_job(connection: InstitutionConnection, job: JobRecord) -> None:
    """Remove a job whose content never came to its end, as if nobody had asked for it; another one stays."""
    _remove(connection.plain, [job.id], jobs.c.institution_ref == connection.institution)


def remove_abandoned(connection: Connection, *, before: int) -> int:
    """Remove jobs, of all institutions, whose uploads broke off before a time; give how many."""
    found = select(jobs.c.id).where(jobs.c.state == JobState.RECEIVING.value, jobs.c.created_at < before)
    numbers = list(connection.scalars(found.with_for_update()))
    _remove(connection, numbers)
    return len(numbers)


def _remove(connection: Connection, numbers: list[int], *conditions: ColumnElement[bool]) -> None:
    own = select(jobs.c.id).where(jobs.c.id.in_(numbers), jobs.c.state == JobState.RECEIVING.value, *conditions)
    connection.execute(delete(job_chunks).where(job_chunks.c.job_ref.in_(own)))
    connection.execute(delete(jobs).where(jobs.c.id.in_(own)))


def get_job(connection: InstitutionConnection, public_id: UUID) -> JobRecord:
    """Look up a job.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    own = (jobs.c.institution_ref == connection.institution, jobs.c.public_id == public_id.bytes)
    row = connection.execute(select(jobs).where(*own)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no job {public_id}")
    return job_record(row)


def list_jobs(
    connection: InstitutionConnection, *, kind: JobKind | None = None, before: JobId | None = None, limit: int = 100
) -> tuple[JobRecord, ...]:
    """List the institution's jobs, the newest first, from the one before a number on."""
    statement = select(jobs).where(jobs.c.institution_ref == connection.institution)
    if kind is not None:
        statement = statement.where(jobs.c.kind == kind.value)
    if before is not None:
        statement = statement.where(jobs.c.id < before)
    return tuple(map(job_record, connection.execute(statement.order_by(jobs.c.id.desc()).limit(limit))))


def count_waiting(connection: InstitutionConnection) -> tuple[int, int]:
    """Count the institution's jobs that are on their way in or wait to be sealed, and the bytes of their uploads."""
    statement = select(func.count(), func.coalesce(func.sum(jobs.c.content_size), 0)).where(
        jobs.c.institution_ref == connection.institution, jobs.c.state.in_([state.value for state in CANCELLABLE])
    )
    count, size = connection.execute(statement).one()
    return int(count), int(size)


def cancel_job(connection: InstitutionConnection, public_id: UUID, *, now: int) -> JobRecord:
    """End a job of which nothing is sealed or signed; a worker that is at it finds out when it wants to note progress.

    Raises:
        NotFoundError: The institution has none of this id.
        ConflictError: It is too late.
    """
    job = get_job(connection, public_id)
    if job.state not in CANCELLABLE:
        raise ConflictError(
            f"job {public_id} is {job.state.value}: it cannot be cancelled any more",
            advice="Revoke what was issued, if it shall not hold.",
        )
    cancelled = move_job(connection, job, JobState.CANCELLED, now=now)
    drop_content(connection, cancelled)
    return cancelled


def move_job(
    connection: InstitutionConnection,
    job: JobRecord,
    state: JobState,
    *,
    now: int,
    next_at: int | None = None,
    **values: Any,
) -> JobRecord:
    """Move a job on, or back, if nobody else has done so meanwhile.

    Args:
        connection: From `Store.writing`; what moving on means is kept in the same transaction.
        job: As last read.
        state: Where to.
        now: Unix seconds.
        next_at: When it is to be looked at again; default: at once.
        values: Columns to set besides: `batch_ref`, `transaction_ref`, `report`, `total`, `done`, `failure`.

    Raises:
        ConflictError: Somebody has, or another worker has claimed it since: the record is out of date.
        ValueError: That state does not follow.
    """
    if state not in NEXT_STATES[job.state]:
        raise ValueError(f"a job that is {job.state.value} never becomes {state.value}")
    return _change(connection, job, now=now, state=state.value, attempts=0, next_at=next_at or now, **values)


def note_progress(
    connection: InstitutionConnection, job: JobRecord, *, now: int, done: int, total: int | None
) -> JobRecord:
    """Note how much is done, for whoever watches.

    Args:
        connection: From `Store.writing`.
        job: As last read.
        now: Unix seconds.
        done: Rows or changes that are done.
        total: Of how many; None: they are not counted yet.

    Raises:
        ConflictError: The job was cancelled, or claimed by another worker.
    """
    return _change(connection, job, now=now, done=done, total=total)


def put_off_job(connection: InstitutionConnection, job: JobRecord, *, now: int, until: int, why: str) -> JobRecord:
    """Try a job again later, and give it back.

    Raises:
        ConflictError: The job was cancelled, or claimed by another worker.
    """
    values = {"attempts": jobs.c.attempts + 1, "next_at": until, "failure": why}
    return _change(connection, job, now=now, **values, leased_by=None, leased_until=None)


def release_job(
    connection: InstitutionConnection, job: JobRecord, *, now: int, next_at: int | None = None, **values: Any
) -> JobRecord:
    """Give a job back: somebody may claim it when it is due.

    Args:
        connection: From `Store.writing`.
        job: As last read.
        now: Unix seconds.
        next_at: When it is due; default: when it was.
        values: Columns to set besides: `report`, `failure`.

    Raises:
        ConflictError: The job was claimed by another worker.
    """
    due = job.next_at if next_at is None else next_at
    return _change(connection, job, now=now, leased_by=None, leased_until=None, next_at=due, **values)


def _change(connection: InstitutionConnection, job: JobRecord, *, now: int, **values: Any) -> JobRecord:
    row = update(jobs).where(
        jobs.c.institution_ref == connection.institution,
        jobs.c.id == job.id,
        jobs.c.state == job.state.value,
        # A lease that ended still holds as long as nobody else took the job.
        jobs.c.leased_by.is_not_distinct_from(job.leased_by),
    )
    changed = row.values(**values, revision=jobs.c.revision + 1, changed_at=now)
    found = connection.execute(changed.returning(*jobs.c)).one_or_none()
    if found is None:
        raise _moved_on(job)
    return job_record(found)


def _moved_on(job: JobRecord) -> ConflictError:
    return ConflictError(
        f"job {job.public_id} was moved on by another process", advice="Look at how it stands, then try again."
    )


def job_record(row: Row[*tuple[Any, ...]]) -> JobRecord:
    """Take a row of the table as a record."""
    return JobRecord(
        id=JobId(row.id),
        institution=InstitutionId(row.institution_ref),
        public_id=UUID(bytes=row.public_id),
        kind=JobKind(row.kind),
        state=JobState(row.state),
        request=row.request,
        report=row.report,
        content_size=row.content_size,
        content_hash=None if row.content_hash is None else Hash32(row.content_hash),
        total=row.total,
        done=row.done,
        batch=None if row.batch_ref is None else BatchId(row.batch_ref),
        transaction=None if row.transaction_ref is None else TransactionId(row.transaction_ref),
        failure=row.failure,
        attempts=row.attempts,
        next_at=row.next_at,
        leased_by=row.leased_by,
        leased_until=row.leased_until,
        revision=row.revision,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
