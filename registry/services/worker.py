"""The worker: claims jobs of all institutions, in turns, and does what is to be done next for each.

Any number of workers, in any number of threads, processes and machines, share one database. One that dies lets its
lease end; another one then goes on from the state that the job is in. One that was only suspended finds out, when it
wants to write, that the job is not its own any more.

None waits for a transaction: what was sent is looked at again later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from anchor.errors import CredanchorError, OutcomeUnknownError
from registry.errors import ConflictError, StoreError
from registry.services.error_log import log_error
from registry.services.failures import Failure, failure_of
from registry.services.work import WorkOf, fail_job, has_begun
from registry.store.engine import Store
from registry.store.job_claims import Lane, claim_jobs, extend_lease
from registry.store.jobs import (
    ENDED,
    JobRecord,
    JobState,
    get_job,
    put_off_job,
    release_job,
    remove_abandoned,
)

LEASE_SECONDS: Final = 60
IDLE_SECONDS: Final = 1.0
"""How long it waits before it looks for jobs again."""
MINED_SECONDS: Final = 3
"""How often it is asked whether a transaction is mined."""
ABANDONED_SECONDS: Final = 3600
"""After so long an upload that is not finished has broken off."""
TIDY_SECONDS: Final = 60
"""How often what is left of uploads is removed."""
_FIRST_PAUSE_SECONDS: Final = 5
_LONGEST_PAUSE_SECONDS: Final = 3600
_MOST_DOUBLINGS: Final = 10


class Worker:
    """One worker; several of them are several threads.

    Args:
        store: The database.
        work_of: Gives what carries out an institution's jobs of a kind.
        name: Of this worker, unlike any other's.
        clock: Unix seconds.
        lane: Which jobs it takes.
        lease_seconds: How long a job is its own without a word from it.
    """

    def __init__(
        self,
        store: Store,
        work_of: WorkOf,
        *,
        name: str,
        clock: Callable[[], int],
        lane: Lane = Lane.ANY,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self.lane: Final = lane
        self._store: Final = store
        self._work_of: Final = work_of
        self._name: Final = name
        self._clock: Final = clock
        self._lease_seconds: Final = lease_seconds
        self._tidied_at = 0

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; what is being done then is done to its end."""
        while not stop.is_set():
            try:
                is_idle = not self.work_once()
            except StoreError as error:
                log_error(error, worker=self._name)
                is_idle = True
            if is_idle:
                stop.wait(IDLE_SECONDS)

    def work_once(self) -> bool:
        """Claim a job that is due and do what is next for it; tell whether there was one.

        Raises:
            StoreError: The database cannot be used.
        """
        now = self._clock()
        if now - self._tidied_at >= TIDY_SECONDS:
            self._tidied_at = now
            self._tidy(now)
        with self._store.operator_writing() as connection:
            claimed = claim_jobs(connection, self._name, now=now, lease_seconds=self._lease_seconds, lane=self.lane)
        for job in claimed:
            with self._holding(job):
                self._work(job)
        return bool(claimed)

    def _tidy(self, now: int) -> None:
        with self._store.operator_writing() as connection:
            remove_abandoned(connection, before=now - ABANDONED_SECONDS)
        self._store.clean_uploads()

    def _work(self, job: JobRecord) -> None:
        store = self._store.of(job.institution)
        try:
            work = self._work_of(job.institution, job.kind)
            moved = work.advance(job, now=self._clock())
            if moved.leased_by is not None and moved.state not in ENDED:
                # Given back at once: another institution may be waiting longer.
                with store.writing() as connection:
                    release_job(connection, moved, now=self._clock())
        except CredanchorError as error:
            self._note(store, job, error)
        except Exception as error:  # noqa: BLE001 - no verdict comes of it: the job is tried again, the log says where
            self._note(store, job, error)

    def _note(self, store: Store, job: JobRecord, error: Exception) -> None:
        """Say what is in the way, where the institution sees it and, if it is the operator's to mend, in the log."""
        with store.reading() as connection:
            current = get_job(connection, job.public_id)
        if current.leased_by != self._name or current.state in ENDED:
            return  # it was cancelled, or another worker has it
        try:
            if isinstance(error, OutcomeUnknownError) and current.state in {JobState.SIGNED, JobState.SENT}:
                now = self._clock()
                with store.writing() as connection:
                    release_job(connection, current, now=now, next_at=now + MINED_SECONDS)
                return
            self._note_failure(store, current, error, failure_of(error))
        except ConflictError:
            return  # as above, a moment later

    def _note_failure(self, store: Store, job: JobRecord, error: Exception, failure: Failure) -> None:
        now = self._clock()
        if failure.is_lasting and not has_begun(job):
            fail_job(store, job, failure.words, now=now)
            return
        log_error(error, worker=self._name, job=str(job.public_id))
        pause = min(_FIRST_PAUSE_SECONDS << min(job.attempts, _MOST_DOUBLINGS), _LONGEST_PAUSE_SECONDS)
        with store.writing() as connection:
            put_off_job(connection, job, now=now, until=now + pause, why=failure.words)

    @contextmanager
    def _holding(self, job: JobRecord) -> Iterator[None]:
        """Extend the lease as long as the work lasts."""
        done = threading.Event()
        thread = threading.Thread(target=self._extend, args=(job, done), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _extend(self, job: JobRecord, done: threading.Event) -> None:
        while not done.wait(self._lease_seconds / 3):
            try:
                with self._store.operator_writing() as connection:
                    extend_lease(connection, job, now=self._clock(), lease_seconds=self._lease_seconds)
            except ConflictError:
                return  # the job finds out when it wants to move
            except StoreError as error:
                log_error(error, worker=self._name, job=str(job.public_id))


def lanes_of(count: int) -> Sequence[Lane]:
    """Share out lanes to so many workers of one process.

    Of two or more, one is never taken up by a large roster, and one never by the ledger: neither stops everything.
    """
    return (Lane.ANY,) if count == 1 else (Lane.LIGHT, Lane.ROSTERS, *[Lane.ANY] * (count - 2))
