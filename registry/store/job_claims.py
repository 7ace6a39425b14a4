"""How workers share the jobs of all institutions: each claims a few, for a while, and the institutions take turns.

Large rosters take a worker minutes: of one institution, no more than one is worked on at a time, and workers of the
lane `LIGHT` leave them to others.

PostgreSQL passes over what another worker is claiming at this moment (`SKIP LOCKED`); in SQLite one claims after the
other. A worker that died lets its leases end, and another one takes its jobs up, in the state that they are in.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, func, not_, or_, select, true, update

from registry.errors import ConflictError
from registry.store.jobs import ENDED, JobKind, JobRecord, JobState, job_record
from registry.store.service_tables import jobs

_IDLE: Final = tuple(state.value for state in (*ENDED, JobState.RECEIVING))


LARGE_BYTES: Final = 1 << 20
"""A roster of so many bytes, some 30,000 rows, is a large one."""
_TO_BE_SEALED: Final = (JobState.RECEIVED.value, JobState.VALIDATED.value)


class Lane(Enum):
    """Which jobs a worker takes."""

    ANY = "any"
    LIGHT = "light"
    """All but large rosters that are to be sealed."""
    ROSTERS = "rosters"
    """Only rosters that are to be sealed: nothing that waits for the ledger."""


def claim_jobs(
    connection: Connection, worker: str, *, now: int, lease_seconds: int, limit: int = 1, lane: Lane = Lane.ANY
) -> tuple[JobRecord, ...]:
    """Take jobs that are due; nobody else takes them before the lease ends.

    Of the institutions that have some, the one that was served longest ago goes first, with its oldest job.

    Args:
        connection: From `Store.operator_writing`, of a transaction that ends before the work begins.
        worker: Unique name of this process.
        now: Unix seconds.
        lease_seconds: How long the work may take before `extend_lease`.
        limit: How many at most; more than one may come from one institution only when no other waits.
        lane: Which.
    """
    others = jobs.alias()
    last_served = select(func.max(others.c.claim_number)).where(others.c.institution_ref == jobs.c.institution_ref)
    claimed: list[JobRecord] = []
    while len(claimed) < limit:
        due = (
            select(jobs.c.id)
            .where(
                jobs.c.state.not_in(_IDLE),
                jobs.c.next_at <= now,
                or_(jobs.c.leased_until.is_(None), jobs.c.leased_until <= now),
                _in_lane(lane),
                not_(and_(_is_large(jobs), _another_is_large(now))),
            )
            .order_by(last_served.scalar_subquery(), jobs.c.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=jobs)
        )
        number = connection.execute(due).scalar()
        if number is None:
            break
        newest: int = connection.execute(select(func.max(jobs.c.claim_number))).scalar_one()
        row = update(jobs).where(jobs.c.id == number)
        values = {"leased_by": worker, "leased_until": now + lease_seconds, "claim_number": newest + 1}
        claimed.append(job_record(connection.execute(row.values(values).returning(*jobs.c)).one()))
    return tuple(claimed)


def _in_lane(lane: Lane) -> ColumnElement[bool]:
    match lane:
        case Lane.ANY:
            return true()
        case Lane.LIGHT:
            return not_(_is_large(jobs))
        case Lane.ROSTERS:
            return _is_to_be_sealed(jobs)


def _is_to_be_sealed(of: FromClause) -> ColumnElement[bool]:
    return and_(of.c.kind == JobKind.ROSTER.value, of.c.state.in_(_TO_BE_SEALED))


def _is_large(of: FromClause) -> ColumnElement[bool]:
    return and_(_is_to_be_sealed(of), of.c.content_size >= LARGE_BYTES)


def _another_is_large(now: int) -> ColumnElement[bool]:
    """Whether somebody works on a large roster of the same institution."""
    others = jobs.alias()
    return exists().where(
        others.c.institution_ref == jobs.c.institution_ref,
        others.c.id != jobs.c.id,
        _is_large(others),
        others.c.leased_until > now,
    )


def extend_lease(connection: Connection, job: JobRecord, *, now: int, lease_seconds: int) -> None:
    """Go on with a claimed job for a while longer.

    Raises:
        ConflictError: Somebody else took it, or it ended.
    """
    row = update(jobs).where(jobs.c.id == job.id, jobs.c.leased_by == job.leased_by, jobs.c.state.not_in(_IDLE))
    if connection.execute(row.values(leased_until=now + lease_seconds)).rowcount != 1:
        raise ConflictError(f"job {job.public_id} is not this worker's any more")
