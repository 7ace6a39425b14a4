"""What a worker needs of those who carry out jobs, whatever kind of job it is; and what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from anchor.errors import NoEvidenceError
from anchor.evidence import LedgerState
from registry.services.happenings import Event, ids_of, tell
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.engine import Store
from registry.store.jobs import JobKind, JobRecord, JobState, drop_content, move_job

ACTOR: Final = "worker"
"""Who does what jobs do, in the audit log."""
FINAL_SECONDS: Final = 15
"""How often it is asked whether what was mined is final."""


class Work(Protocol):
    """Carries out one institution's jobs of one kind."""

    def advance(self, job: JobRecord, *, now: int) -> JobRecord:
        """Do what is to be done next, and give the job as it is then; given back, if it has to wait.

        Args:
            job: Claimed.
            now: Unix seconds.

        Raises:
            ConflictError: The job was cancelled, or claimed by another worker; or what it asks for contradicts what
                is there.
            CredanchorError: What is in the way; nothing is half done.
        """
        ...


WorkOf = Callable[[InstitutionId, JobKind], Work]
"""Gives what carries out an institution's jobs of a kind."""


def fail_job(store: Store, job: JobRecord, failure: str, *, now: int) -> None:
    """As `end_as_failed`, in a transaction of its own."""
    with store.writing() as connection:
        end_as_failed(connection, job, failure, now=now)


def end_as_failed(
    connection: InstitutionConnection, job: JobRecord, failure: str, *, now: int, report: str | None = None
) -> JobRecord:
    """End a job of which nothing is on its way to the ledger; what was uploaded is dropped, and who wants to is told.

    Args:
        connection: From `Store.writing`.
        job: As last read.
        failure: Words of a `Failure`.
        now: Unix seconds.
        report: What is to be mended; default: what is known already.

    Raises:
        ConflictError: It was cancelled, or claimed by another worker.
    """
    failed = move_job(
        connection, job, JobState.FAILED, now=now, failure=failure, report=job.report if report is None else report
    )
    drop_content(connection, failed)
    tell(connection, Event.JOB_FAILED, ids_of(connection, failed), now=now)
    return failed


def has_begun(job: JobRecord) -> bool:
    """Tell whether something was sealed or signed, so that the job has to come to its end."""
    return job.batch is not None or job.transaction is not None


def is_final(state: LedgerState, at: int) -> bool:
    """Tell whether what a state shows, and came about at a time, is as old as the final block.

    Args:
        state: At the newest block.
        at: Time of its block, in Unix seconds.
    """
    try:
        final = state.final_block()
    except NoEvidenceError:
        return False
    # As in step 6 of verification: of the same second may be before or after the final block, if that is another.
    is_newest = final.hash == state.block.hash
    return at <= final.timestamp if is_newest else at < final.timestamp
