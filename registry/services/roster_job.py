"""A roster's job, from what was uploaded to a batch that is final on the ledger. Killed at any point, it goes on.

    received   read and checked, row by row       → validated, or failed with all that is to be mended
    validated  read and checked again, sealed     → sealed: in the transaction that keeps the batch
    sealed …   `registry.services.anchoring`      → signed, sent, mined: each in the transaction that moves the batch
    mined      a state proof at the newest block  → final, once the anchoring is as old as the final block; taken back
                                                    by a reorganisation, it is sent again

Upholds: nothing is issued twice, for a job and its batch move together. Once sealed, it is never given up: what stands
in the way is told, and it is tried again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from anchor.canonical import JsonObject
from anchor.evidence import batch_slot
from anchor.model import to_hex
from registry.errors import ConflictError, Problem
from registry.services.achievement import parse_achievement
from registry.services.anchoring import Anchoring
from registry.services.approvals import Approvals
from registry.services.credentials import CredentialFrame
from registry.services.earlier import find_earlier
from registry.services.happenings import Event, ids_of, tell
from registry.services.issue import seal_batch
from registry.services.jobs import RosterRequest
from registry.services.ledger_state import LedgerView
from registry.services.results import result_rule
from registry.services.roster import RosterOptions, RosterReport, open_roster
from registry.services.work import ACTOR, FINAL_SECONDS, is_final
from registry.store.achievements import read_achievement
from registry.store.audit_log import append_entry
from registry.store.batches import get_batch, move_batch
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import JobRecord, JobState, drop_content, move_job, read_content, release_job
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
        anchoring: Gives what anchors, its key unlocked.
        approvals: Approves what was derived.
        frame: Puts an achievement into what the issuer's credentials have in common, as of Unix seconds.
        view: The registry on the ledger; says which block is final as the operator's policy has it.
    """

    def __init__(
        self,
        store: Store,
        anchoring: Callable[[], Anchoring],
        approvals: Approvals,
        frame: Callable[[JsonObject, int], CredentialFrame],
        view: LedgerView,
    ) -> None:
        self._store: Final = store
        self._anchoring: Final = anchoring
        self._approvals: Final = approvals
        self._frame: Final = frame
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
                return self._seal(job, now)
            case JobState.SEALED | JobState.SIGNED | JobState.SENT:
                return self._anchor(job, now)
            case JobState.MINED:
                return self._finish(job, now)
            case _:
                raise ValueError(f"nobody works on a job that is {job.state.value}")

    def _seal(self, job: JobRecord, now: int) -> JobRecord:
        asked = RosterRequest.parse(job.request)
        with self._store.reading() as connection:
            content = read_achievement(connection, asked.achievement, asked.version).content
        frame = self._frame(parse_achievement(content).value, now)
        report = self._check(job, frame, again=asked.again)
        if report.problem_count or not report.good_count:
            return self._refuse(job, report, now)
        if job.state is JobState.RECEIVED:
            with self._store.writing() as connection:
                job = move_job(
                    connection, job, JobState.VALIDATED, now=now, report=_report_text(report), total=report.good_count
                )
        self._anchoring().check_ready(frame.issuer_id, frame.issuer.did)
        sealed: list[JobRecord] = []

        def keep(connection: InstitutionConnection, batch: BatchRecord) -> None:
            moved = move_job(
                connection, job, JobState.SEALED, now=now, batch_ref=batch.id, done=batch.size, failure=None
            )
            drop_content(connection, moved)
            append_entry(connection, at=now, actor=ACTOR, action="batch.seal", subject=f"batch {to_hex(batch.root)}")
            sealed.append(moved)

        seal_batch(self._store, frame, report.recipients, approvals=self._approvals, again=asked.again, keep=keep)
        return sealed[0]

    def _check(self, job: JobRecord, frame: CredentialFrame, *, again: bool) -> RosterReport:
        with self._uploaded(job) as path:
            roster = open_roster(path, RosterOptions(result_rule=result_rule(frame.achievement)))
            report = roster.check()
            return report if again else report.with_more(find_earlier(self._store, frame, roster, report))

    @contextmanager
    def _uploaded(self, job: JobRecord) -> Iterator[Path]:
        """Give the upload as a file without a name, which is gone with the process: it holds personal data."""
        with tempfile.TemporaryFile() as file:
            with self._store.reading() as connection:
                for part in read_content(connection, job):
                    file.write(part)
            file.flush()
            yield Path(f"/proc/self/fd/{file.fileno()}")

    def _refuse(self, job: JobRecord, report: RosterReport, now: int) -> JobRecord:
        count = report.problem_count
        why = f"the roster cannot be used: {count:,} to mend" if count else "the roster has nobody to issue to"
        with self._store.writing() as connection:
            failed = move_job(connection, job, JobState.FAILED, now=now, report=_report_text(report), failure=why)
            drop_content(connection, failed)
            tell(connection, Event.JOB_FAILED, ids_of(connection, failed), now=now)
        return failed

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


def _report_text(report: RosterReport) -> str:
    content: dict[str, Any] = {
        "goodCount": report.good_count,
        "passedOver": dict(report.passed_over),
        "problemCount": report.problem_count,
        "problems": list(map(_problem, report.problems)),
        "warnings": list(map(_problem, report.warnings)),
    }
    return json.dumps(content, ensure_ascii=False)


def _problem(problem: Problem) -> dict[str, str]:
    return {"where": problem.where, "reason": problem.reason, "hint": problem.hint}
