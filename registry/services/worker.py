"""The worker: claims jobs of all institutions, in turns, and does what is to be done next for each.

Any number of workers, in any number of processes, share one database. One that dies lets its lease end; another one
then goes on from the state that the job is in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from anchor.errors import CredanchorError, MalformedError, RevertedError
from registry.errors import ConflictError, NotFoundError, NotPermittedError, StoreError
from registry.services.error_log import log_error
from registry.services.work import WorkOf, fail_job, failure_of, has_begun
from registry.store.engine import Store
from registry.store.job_claims import claim_jobs, extend_lease
from registry.store.jobs import ENDED, JobRecord, get_job, put_off_job, release_job, remove_abandoned

LEASE_SECONDS: Final = 60
IDLE_SECONDS: Final = 1.0
"""How long it waits before it looks for jobs again."""
ABANDONED_SECONDS: Final = 3600
"""After so long an upload that is not finished has broken off."""
_FIRST_PAUSE_SECONDS: Final = 5
_LONGEST_PAUSE_SECONDS: Final = 3600
_MOST_DOUBLINGS: Final = 10

_FAILED: Final = "the service failed; the operator's log says where"
_WITHDRAWN: Final = (MalformedError, ConflictError, NotFoundError, NotPermittedError, RevertedError)
"""What does not go away by waiting, as long as nothing is sealed or signed."""


class Worker:
    """One worker.

    Args:
        store: The database.
        work_of: Gives what carries out an institution's jobs of a kind.
        name: Of this worker, unlike any other's.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, work_of: WorkOf, *, name: str, clock: Callable[[], int]) -> None:
        self._store: Final = store
        self._work_of: Final = work_of
        self._name: Final = name
        self._clock: Final = clock

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
        with self._store.operator_writing() as connection:
            remove_abandoned(connection, before=now - ABANDONED_SECONDS)
            claimed = claim_jobs(connection, self._name, now=now, lease_seconds=LEASE_SECONDS)
        for job in claimed:
            with self._holding(job):
                self._work(job)
        return bool(claimed)

    def _work(self, job: JobRecord) -> None:
        store = self._store.of(job.institution)
        try:
            work = self._work_of(job.institution, job.kind)
            moved = work.advance(job, now=self._clock())
            if moved.leased_by is not None and moved.state not in ENDED:
                # Given back at once: another institution may be waiting longer.
                with store.writing() as connection:
                    release_job(connection, moved, now=self._clock())
        except StoreError:
            raise
        except CredanchorError as error:
            self._note(store, job, error, failure_of(error))
        except Exception as error:  # noqa: BLE001 - no verdict comes of it: the job is tried again, the log says where
            log_error(error, worker=self._name, job=str(job.public_id))
            self._note(store, job, error, _FAILED)

    def _note(self, store: Store, job: JobRecord, error: Exception, failure: str) -> None:
        with store.reading() as connection:
            current = get_job(connection, job.public_id)
        if current.leased_by != self._name or current.state in ENDED:
            return  # it was cancelled, or another worker has it
        now = self._clock()
        try:
            if isinstance(error, _WITHDRAWN) and not has_begun(current):
                fail_job(store, current, failure, now=now)
                return
            pause = min(_FIRST_PAUSE_SECONDS << min(current.attempts, _MOST_DOUBLINGS), _LONGEST_PAUSE_SECONDS)
            with store.writing() as connection:
                put_off_job(connection, current, now=now, until=now + pause, why=failure)
        except ConflictError:
            return  # as above, a moment later

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
        while not done.wait(LEASE_SECONDS / 3):
            try:
                with self._store.operator_writing() as connection:
                    extend_lease(connection, job, now=self._clock(), lease_seconds=LEASE_SECONDS)
            except ConflictError:
                return  # the job finds out when it wants to move
            except StoreError as error:
                log_error(error, worker=self._name, job=str(job.public_id))
