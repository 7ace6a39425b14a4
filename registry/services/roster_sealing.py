"""A roster's job until its batch is sealed: the upload is read and checked, row by row, then filled in and kept.

    received   read and checked                     → validated; or failed, with all that is to be mended
    validated  read and checked again, filled in    → sealed: in the transaction that keeps the batch; or, of a dry
                                                      run, tried: with what it would cost

While it is read, `done` is how many rows were looked at, and `total` is not known; while it is filled in, they are
credentials. Whoever cancels the job ends the work at the next note of that.

Upholds: nothing is issued twice, for a job and its batch move together. What is wrong is told by place and reason,
never by what stands there. The upload is in no file that has a name.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO, Final

from anchor.canonical import JsonObject
from anchor.errors import KeyUnavailableError, LedgerError
from anchor.model import Hash32, to_hex
from registry.errors import Problem, RosterFormatError
from registry.services.achievement import parse_achievement
from registry.services.anchoring import Anchoring
from registry.services.approvals import Approvals
from registry.services.costs import Cost
from registry.services.credentials import CredentialFrame
from registry.services.earlier import find_earlier
from registry.services.failures import NOBODY, ROSTER_UNUSABLE, Failure
from registry.services.helpers import Helpers, start_helpers
from registry.services.issue import fill_batch, seal_batch, try_out
from registry.services.jobs import BadRows, RosterRequest
from registry.services.results import result_rule
from registry.services.roster import Roster, RosterOptions, RosterReport, open_roster
from registry.services.rosters.content import UnnamedContent
from registry.services.work import ACTOR, end_as_failed
from registry.store.achievements import read_achievement
from registry.store.audit_log import append_entry
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import JobRecord, JobState, drop_content, move_job, note_progress, read_content
from registry.store.records import BatchRecord

NOTED_SECONDS: Final = 1.0
"""How often it is noted how much is done; each note is a transaction."""
MAX_UNUSED: Final = 100
"""Headings of columns that are not used, told to whoever uploaded them."""


class RosterSealing:
    """Brings roster jobs of one institution to a sealed batch.

    Args:
        store: The institution's.
        anchoring: Gives what anchors, its key unlocked.
        approvals: Approves what was derived.
        frame: Puts an achievement into what the issuer's credentials have in common, as of Unix seconds.
        cost: Estimates what anchoring a batch costs, by its root and size.
        ticks: Seconds, never going back.
    """

    def __init__(
        self,
        store: Store,
        anchoring: Callable[[], Anchoring],
        approvals: Approvals,
        frame: Callable[[JsonObject, int], CredentialFrame],
        cost: Callable[[Hash32, int], Cost],
        ticks: Callable[[], float],
    ) -> None:
        self._store: Final = store
        self._anchoring: Final = anchoring
        self._approvals: Final = approvals
        self._frame: Final = frame
        self._cost: Final = cost
        self._ticks: Final = ticks

    def advance(self, job: JobRecord, *, now: int) -> JobRecord:
        """Check and seal, or check and try out.

        Args:
            job: Claimed; received or validated.
            now: Unix seconds.

        Returns:
            The job as it is then: sealed, tried or failed.

        Raises:
            ConflictError: It was cancelled, or claimed by another worker.
            CredanchorError: What is in the way; nothing is half done.
        """
        asked = RosterRequest.parse(job.request)
        with self._store.reading() as connection:
            content = read_achievement(connection, asked.achievement, asked.version).content
        frame = self._frame(parse_achievement(content).value, now)
        progress = _Progress(self._store, job, now, self._ticks)
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile())
            self._take_out(job, file)
            helpers = stack.enter_context(start_helpers(frame, job.content_size))
            options = RosterOptions(result_rule=result_rule(frame.achievement), kind=asked.kind)
            try:
                roster = open_roster(UnnamedContent(file), options)
                report = self._check(roster, frame, asked, progress)
            except RosterFormatError as error:
                return self._refuse(progress.job, ROSTER_UNUSABLE, _no_report(error), now)
            failure = _failure_of(report, asked)
            if failure is not None:
                return self._refuse(progress.job, failure, _report_of(report), now)
            progress.job = self._note_valid(progress.job, report, now)
            progress.begin(report.good_count)
            if asked.dry_run:
                return self._try_out(progress, frame, report, helpers, now)
            return self._seal(progress, frame, report, helpers, again=asked.again, now=now)

    def _take_out(self, job: JobRecord, file: IO[bytes]) -> None:
        with self._store.reading() as connection:
            for part in read_content(connection, job):
                file.write(part)
        file.flush()

    def _check(self, roster: Roster, frame: CredentialFrame, asked: RosterRequest, progress: _Progress) -> RosterReport:
        report = roster.check(progress.checked)
        if asked.again:
            return report
        return report.with_more(*find_earlier(self._store, frame, roster, report, for_api=True))

    def _note_valid(self, job: JobRecord, report: RosterReport, now: int) -> JobRecord:
        if job.state is not JobState.RECEIVED:
            return job
        text = json.dumps(_report_of(report))
        with self._store.writing() as connection:
            return move_job(
                connection, job, JobState.VALIDATED, now=now, report=text, total=report.good_count, done=0, failure=None
            )

    def _seal(
        self,
        progress: _Progress,
        frame: CredentialFrame,
        report: RosterReport,
        helpers: Helpers | None,
        *,
        again: bool,
        now: int,
    ) -> JobRecord:
        self._anchoring().check_ready(frame.issuer_id, frame.issuer.did)
        filled = fill_batch(
            self._store,
            frame,
            report.recipients,
            without=report.bad_rows,
            helpers=helpers,
            progress=progress.filled,
        )
        sealed: list[JobRecord] = []

        def keep(connection: InstitutionConnection, batch: BatchRecord) -> None:
            moved = move_job(
                connection, progress.job, JobState.SEALED, now=now, batch_ref=batch.id, done=batch.size, failure=None
            )
            drop_content(connection, moved)
            append_entry(connection, at=now, actor=ACTOR, action="batch.seal", subject=f"batch {to_hex(batch.root)}")
            sealed.append(moved)

        seal_batch(
            self._store,
            frame,
            report.recipients,
            approvals=self._approvals,
            without=report.bad_rows,
            again=again,
            filled=filled,
            keep=keep,
        )
        return sealed[0]

    def _try_out(
        self, progress: _Progress, frame: CredentialFrame, report: RosterReport, helpers: Helpers | None, now: int
    ) -> JobRecord:
        trial = try_out(frame, report.recipients, report.bad_rows, helpers, progress.filled)
        content = {**_report_of(report), "withEmail": trial.with_email, "cost": self._cost_of(trial.root, trial.size)}
        with self._store.writing() as connection:
            tried = move_job(
                connection,
                progress.job,
                JobState.TRIED,
                now=now,
                report=json.dumps(content),
                done=trial.size,
                failure=None,
            )
            drop_content(connection, tried)
        return tried

    def _cost_of(self, root: Hash32, size: int) -> JsonObject | None:
        try:
            cost = self._cost(root, size)
        except (LedgerError, KeyUnavailableError):
            # A trial needs no ledger for anything else.
            return None
        return {
            "gas": cost.gas,
            "likelyWei": str(cost.likely_wei),
            "maxWei": str(cost.max_wei),
            "transactions": cost.transaction_count,
        }

    def _refuse(self, job: JobRecord, failure: Failure, report: JsonObject, now: int) -> JobRecord:
        with self._store.writing() as connection:
            return end_as_failed(connection, job, failure.words, now=now, report=json.dumps(report))


class _Progress:
    """Notes how far a job is, now and then.

    Attributes:
        job: As it is now.
    """

    def __init__(self, store: Store, job: JobRecord, now: int, ticks: Callable[[], float]) -> None:
        self.job = job
        self._store: Final = store
        self._now: Final = now
        self._ticks: Final = ticks
        self._noted_at = ticks()
        self._total: int | None = None
        self._done = 0

    def begin(self, total: int) -> None:
        """Begin to count anew, up to a number that is known now."""
        self._total, self._done = total, 0

    def checked(self, count: int) -> None:
        """Rows so far were looked at.

        Raises:
            ConflictError: The job was cancelled, or claimed by another worker: stop.
        """
        self._done = count
        self._note()

    def filled(self, count: int) -> None:
        """So many more credentials were filled in; raises as `checked` does."""
        self._done += count
        self._note()

    def _note(self) -> None:
        ticks = self._ticks()
        if ticks - self._noted_at >= NOTED_SECONDS:
            self._noted_at = ticks
            with self._store.writing() as connection:
                self.job = note_progress(connection, self.job, now=self._now, done=self._done, total=self._total)


def _failure_of(report: RosterReport, asked: RosterRequest) -> Failure | None:
    """Tell why a roster is not issued to; None: it is."""
    # Where the rest of a file cannot be told into rows, who is passed over is not known.
    if report.problem_count and (asked.bad_rows is BadRows.REFUSE or report.is_cut_off):
        return ROSTER_UNUSABLE
    return None if report.good_count else NOBODY


def _report_of(report: RosterReport) -> JsonObject:
    form = report.form
    return {
        "goodCount": report.good_count,
        "leftOut": len(report.bad_rows - {sys.maxsize}),
        "passedOver": dict(report.passed_over),
        "problemCount": report.problem_count,
        "problems": list(map(_problem, report.problems)),
        "warnings": list(map(_problem, report.warnings)),
        "readAs": ", ".join((form.kind, *form.details)),
        "notes": list(form.notes),
        "unusedColumns": list(report.columns.unused[:MAX_UNUSED]),
    }


def _no_report(error: RosterFormatError) -> JsonObject:
    """Say why a file could not even be told into rows and columns."""
    # Hints for the keyboard name options.
    hint = "" if "--" in error.advice else error.advice
    found = error.problems or (Problem(where="the roster", reason=str(error), hint=hint),)
    return {"problemCount": len(found), "problems": list(map(_problem, found))}


def _problem(problem: Problem) -> JsonObject:
    return {"where": problem.where, "reason": problem.reason, "hint": problem.hint}
