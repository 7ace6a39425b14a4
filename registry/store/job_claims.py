"""How workers share the jobs of all institutions: each claims a few, for a while, and the institutions take turns.

PostgreSQL passes over what another worker is claiming at this moment (`SKIP LOCKED`); in SQLite one claims after the
other. A worker that died lets its leases end, and another one takes its jobs up, in the state that they are in.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, func, or_, select, update

from registry.errors import ConflictError
from registry.store.jobs import ENDED, JobRecord, JobState, job_record
from registry.store.service_tables import jobs

_IDLE: Final = tuple(state.value for state in (*ENDED, JobState.RECEIVING))


def claim_jobs(
    connection: Connection, worker: str, *, now: int, lease_seconds: int, limit: int = 1
) -> tuple[JobRecord, ...]:
    """Take jobs that are due; nobody else takes them before the lease ends.

    Of the institutions that have some, the one that was served longest ago goes first, with its oldest job.

    Args:
        connection: From `Store.operator_writing`, of a transaction that ends before the work begins.
        worker: Unique name of this process.
        now: Unix seconds.
        lease_seconds: How long the work may take before `extend_lease`.
        limit: How many at most; more than one may come from one institution only when no other waits.
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


def extend_lease(connection: Connection, job: JobRecord, *, now: int, lease_seconds: int) -> None:
    """Go on with a claimed job for a while longer.

    Raises:
        ConflictError: Somebody else took it, or it ended.
    """
    row = update(jobs).where(jobs.c.id == job.id, jobs.c.leased_by == job.leased_by, jobs.c.state.not_in(_IDLE))
    if connection.execute(row.values(leased_until=now + lease_seconds)).rowcount != 1:
        raise ConflictError(f"job {job.public_id} is not this worker's any more")
