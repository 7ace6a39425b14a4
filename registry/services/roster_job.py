"""A roster's job, from what was uploaded to a batch that is final on the ledger. Killed at any point, it goes on.

    received   `registry.services.roster_sealing` → validated, sealed; or failed; or, of a dry run, tried
    sealed …   `registry.services.anchoring`      → signed, sent, mined: each in the transaction that moves the batch
    mined      a state proof at the newest block  → final, once the anchoring is as old as the final block; taken back
                                                    by a reorganisation, it is sent again

Upholds: nothing is issued twice, for a job and its batch move together. Once sealed, it is never given up: what stands
in the way is told, and it is tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from anchor.evidence import batch_slot
from anchor.model import to_hex
from registry.errors import ConflictError
from registry.services.anchoring import Anchoring
from registry.services.happenings import Event, ids_of, tell
from registry.services.ledger_state import LedgerView
from registry.services.roster_sealing import RosterSealing
from registry.services.work import ACTOR, FINAL_SECONDS, is_final
from registry.store.audit_log import append_entry
from registry.store.batches import get_batch, move_batch
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import JobRecord, JobState, move_job, release_job
from registry.store.records import BatchRecord, BatchState, TransactionId

_STATES: Final = {
    BatchState.SEALED: JobState.SEALED,
    BatchState.SIGNED: JobState.SIGNED,
    BatchState.SENT: JobState.SENT,
    BatchState.ANCHORED: JobState.MINED,
    # Refused when it was mined: a new transaction may do better.
    BatchState.FAILED: JobState.SEALED,
}


class RosterJob:
    """Carries out roster jobs of one institution.

    Args:
        store: The institution's.
        sealing: Does what is before the ledger.
        anchoring: Gives what anchors, its key unlocked.
        view: The registry on the ledger; says which block is final as the operator's policy has it.
    """

    def __init__(
        self,
        store: Store,
        sealing: RosterSealing,
        anchoring: Callable[[], Anchoring],
        view: LedgerView,
    ) -> None:
        self._store: Final = store
        self._sealing: Final = sealing
        self._anchoring: Final = anchoring
        self._view: Final = view

    def advance(self, job: JobRecord, *, now: int) -> JobRecord:
        """Do what is to be done next, and give the job as it is then; given back, if it has to wait.

        Args:
            job: Claimed.
            now: Unix seconds.

        Raises:
            ConflictError: The job was cancelled, or claimed by another worker; or the roster was issued before.
            CredanchorError: What is in the way; nothing is half done.
        """
        match job.state:
            case JobState.RECEIVED | JobState.VALIDATED:
                return self._sealing.advance(job, now=now)
            case JobState.SEALED | JobState.SIGNED | JobState.SENT:
                return self._anchor(job, now)
            case JobState.MINED:
                return self._finish(job, now)
            case _:
                raise ValueError(f"nobody works on a job that is {job.state.value}")

    def _anchor(self, job: JobRecord, now: int) -> JobRecord:
        batch = self._batch(job)
        following = _Following(job, now)
        if batch.state is BatchState.ANCHORED:
            # Somebody else did it, such as `credanchor issue --resume`.
            with self._store.writing() as connection:
                following(connection, batch.state, batch.transaction)
        else:
            self._anchoring().anchor(batch.id, now=now, follow=following)
        return following.job

    def _finish(self, job: JobRecord, now: int) -> JobRecord:
        batch = self._batch(job)
        state = self._view.state([batch_slot(batch.issuer.issuer_id, batch.root)])
        proven = state.batch(batch.issuer.issuer_id, batch.root)
        if proven.anchored_at == 0:
            return self._take_back(job, batch, now)
        has_settled = proven.size == batch.size and is_final(state, proven.anchored_at)
        with self._store.writing() as connection:
            if not has_settled:
                return release_job(connection, job, now=now, next_at=now + FINAL_SECONDS)
            append_entry(connection, at=now, actor=ACTOR, action="batch.anchor", subject=f"batch {to_hex(batch.root)}")
            final = move_job(connection, job, JobState.FINAL, now=now, failure=None)
            tell(connection, Event.BATCH_FINAL, ids_of(connection, final), now=now)
            return final

    def _take_back(self, job: JobRecord, batch: BatchRecord, now: int) -> JobRecord:
        """Note that a reorganisation took the anchoring back: its transaction is looked for, and sent, again."""
        back = BatchState.SEALED if batch.transaction is None else BatchState.SENT
        with self._store.writing() as connection:
            if batch.state is BatchState.ANCHORED:
                move_batch(connection, batch, back)
            return move_job(connection, job, _STATES[back], now=now)

    def _batch(self, job: JobRecord) -> BatchRecord:
        if job.batch is None:
            raise ConflictError(f"job {job.public_id} is {job.state.value}, but has no batch")
        with self._store.reading() as connection:
            return get_batch(connection, job.batch)


class _Following:
    """Moves a job where its batch moves.

    Attributes:
        job: As it is now.
    """

    def __init__(self, job: JobRecord, now: int) -> None:
        self.job = job
        self._now: Final = now

    def __call__(self, connection: InstitutionConnection, state: BatchState, transaction: TransactionId | None) -> None:
        following = _STATES[state]
        if following is not self.job.state:
            self.job = move_job(
                connection, self.job, following, now=self._now, transaction_ref=transaction, failure=None
            )
            if following is JobState.MINED:
                tell(connection, Event.BATCH_ANCHORED, ids_of(connection, self.job), now=self._now)
