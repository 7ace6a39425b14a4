"""Jobs as those see them who ask for work: a roster is taken in, its job looked at, and cancelled.

Upholds: an upload is kept whole, with the answer to it and an entry in the audit log, or nothing of it is; the same
request that comes again under its key leads to the same job; memory does not grow with the roster.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from hashlib import sha256
from typing import Final, Self
from uuid import UUID

from anchor.canonical import JsonObject, canonicalize
from anchor.model import Hash32
from registry.errors import QueueFullError, RosterFormatError
from registry.services.rosters.sheets import SheetKind, check_kind
from registry.services.writes import write_once
from registry.store.achievements import read_achievement
from registry.store.audit_log import append_entry
from registry.store.batches import get_batch
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.idempotency import KeptAnswer
from registry.store.jobs import (
    JobId,
    JobKind,
    JobRecord,
    JobState,
    add_content,
    cancel_job,
    count_waiting,
    create_job,
    finish_content,
    get_job,
    list_jobs,
    remove_job,
)
from registry.store.status_jobs import transactions_of_job
from registry.store.transactions import get_transaction

_PART_BYTES: Final = 1 << 20
"""An upload is kept in parts of so many bytes."""
_WAIT: Final = "Wait until some of them are sealed, or cancel some that are not needed."


class BadRows(Enum):
    """What becomes of a roster some rows of which are bad."""

    REFUSE = "refuse"
    """Nothing is issued."""
    PASS_OVER = "passOver"  # noqa: S105 - nothing secret
    """Those of the other rows are issued to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRequest:
    """What is asked for beside the roster."""

    achievement: str
    """Code."""
    version: int
    again: bool
    """Issue also to those who have the achievement."""
    dry_run: bool = False
    """Check everything, and say what it would cost; issue nothing."""
    bad_rows: BadRows = BadRows.REFUSE
    kind: SheetKind | None = None
    """What the roster is said to be."""

    def content(self) -> JsonObject:
        """Give it as JSON has it."""
        kind = None if self.kind is None else self.kind.value
        return {**asdict(self), "bad_rows": self.bad_rows.value, "kind": kind}

    def to_text(self) -> str:
        """Write it as the job keeps it."""
        return json.dumps(self.content())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it as the job keeps it."""
        content = json.loads(text)
        kind = content.get("kind")
        bad_rows = BadRows(content.get("bad_rows", BadRows.REFUSE.value))
        return cls(**{**content, "bad_rows": bad_rows, "kind": None if kind is None else SheetKind(kind)})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """How much of an institution may wait at one time."""

    jobs: int
    uploaded_bytes: int
    """Of uploads that are not sealed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenJob:
    """A job, and what it led to."""

    job: JobRecord
    root: Hash32 | None
    """Of its batch, once it is sealed."""
    transaction: Hash32 | None
    """The last one that was signed for it."""
    transactions: tuple[Hash32, ...] = ()
    """All that were signed for a change of status, in the order of signing."""


class Intake:
    """A roster on its way in, part by part.

    Args:
        store: The institution's.
        request: What is asked for.
        job: As `create_job` gave it.
    """

    def __init__(self, store: Store, request: RosterRequest, job: JobRecord) -> None:
        self._store: Final = store
        self._request: Final = request
        self._job: Final = job
        self._number = 0
        self._waiting = bytearray()
        self._digest: Final = sha256()

    def add(self, content: bytes) -> None:
        """Take what came next.

        Raises:
            RosterFormatError: It is not what it is said to be.
            StoreError: It cannot be kept.
        """
        self._waiting += content
        if len(self._waiting) >= _PART_BYTES:
            self._keep()

    def finish(
        self, key: str | None, *, actor: str, now: int, answer: Callable[[SeenJob], KeptAnswer]
    ) -> tuple[KeptAnswer, bool]:
        """Give the whole roster over to the workers; or find that it was given over before.

        Args:
            key: The client's `Idempotency-Key`, if it has one.
            actor: Who did it, for the audit log.
            now: Unix seconds.
            answer: Says what is answered, now and whenever the request comes again.

        Returns:
            The answer; and whether it is that of an earlier time.

        Raises:
            RosterFormatError: Nothing came.
            ConflictError: The key was used for another request.
            StoreError: It cannot be kept; nothing was.
        """
        if self._waiting:
            self._keep()
        if not self._number:
            raise RosterFormatError("the roster is empty", advice="Send the roster as the request's body.")
        with self._store.writing() as connection:
            answered, is_repeated = write_once(
                connection, key, self._hash(), lambda: self._hand_over(connection, actor, now, answer), now=now
            )
            if is_repeated:
                remove_job(connection, self._job)
            return answered, is_repeated

    def give_up(self) -> None:
        """Keep nothing of it: the upload broke off, or was refused. What was finished stays."""
        with self._store.writing() as connection:
            remove_job(connection, self._job)

    def _hand_over(
        self, connection: InstitutionConnection, actor: str, now: int, answer: Callable[[SeenJob], KeptAnswer]
    ) -> KeptAnswer:
        job = finish_content(connection, self._job, now=now)
        append_entry(connection, at=now, actor=actor, action="job.create", subject=f"job {job.public_id}")
        return answer(SeenJob(job=job, root=None, transaction=None))

    def _keep(self) -> None:
        if not self._number and self._request.kind is not None:
            check_kind(bytes(self._waiting), self._request.kind)
        with self._store.writing() as connection:
            add_content(connection, self._job, self._number, bytes(self._waiting))
        self._digest.update(self._waiting)
        self._number += 1
        self._waiting.clear()

    def _hash(self) -> Hash32:
        said = canonicalize({"what": "batch", "request": self._request.content(), "roster": self._digest.hexdigest()})
        return Hash32(sha256(said).digest())


def begin_intake(
    store: Store,
    code: str,
    version: int | None,
    *,
    again: bool,
    dry_run: bool = False,
    bad_rows: BadRows = BadRows.REFUSE,
    kind: SheetKind | None = None,
    limits: QueueLimits | None = None,
    now: int,
) -> Intake:
    """Begin to take in a roster for an achievement.

    Args:
        store: The institution's.
        code: The achievement's.
        version: Of it; default: the newest one as of now.
        again: Issue also to those who have the achievement.
        dry_run: Check everything, and issue nothing.
        bad_rows: What becomes of it if some rows are bad.
        kind: What it is said to be; default: its content tells.
        limits: How much may wait; default: any number.
        now: Unix seconds.

    Raises:
        NotFoundError: The institution keeps no such achievement.
        QueueFullError: So much of the institution waits already.
    """
    with store.writing() as connection:
        if limits is not None:
            check_room(connection, limits)
        entry = read_achievement(connection, code, version).entry
        request = RosterRequest(
            achievement=code, version=entry.version, again=again, dry_run=dry_run, bad_rows=bad_rows, kind=kind
        )
        return Intake(store, request, create_job(connection, JobKind.ROSTER, request.to_text(), now=now))


def check_room(connection: InstitutionConnection, limits: QueueLimits) -> None:
    """Check that one more job may wait.

    Raises:
        QueueFullError: It may not.
    """
    count, size = count_waiting(connection)
    if count >= limits.jobs:
        raise QueueFullError(f"{count:,} jobs wait already, and no more may", advice=_WAIT)
    if size >= limits.uploaded_bytes:
        raise QueueFullError(
            f"the jobs that wait have {size:,} bytes, and no more than {limits.uploaded_bytes:,} may", advice=_WAIT
        )


def read_job(store: Store, public_id: UUID) -> SeenJob:
    """Look up a job.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    with store.reading() as connection:
        return _seen(connection, get_job(connection, public_id))


def read_jobs(store: Store, *, before: int | None, limit: int) -> tuple[Sequence[SeenJob], bool]:
    """List jobs, the newest first; tell whether there are more."""
    with store.reading() as connection:
        found = list_jobs(connection, before=None if before is None else JobId(before), limit=limit + 1)
        return [_seen(connection, each) for each in found[:limit]], len(found) > limit


def cancel(store: Store, public_id: UUID, *, actor: str, now: int) -> SeenJob:
    """Cancel a job of which nothing is sealed; one that was cancelled before stays so.

    Raises:
        NotFoundError: The institution has none of this id.
        ConflictError: It is too late.
    """
    with store.writing() as connection:
        job = get_job(connection, public_id)
        if job.state is not JobState.CANCELLED:
            job = cancel_job(connection, public_id, now=now)
            append_entry(connection, at=now, actor=actor, action="job.cancel", subject=f"job {public_id}")
        return _seen(connection, job)


def _seen(connection: InstitutionConnection, job: JobRecord) -> SeenJob:
    return SeenJob(
        job=job,
        root=None if job.batch is None else get_batch(connection, job.batch).root,
        transaction=None if job.transaction is None else get_transaction(connection, job.transaction).hash,
        transactions=tuple(each.hash for each in transactions_of_job(connection, job.id)),
    )
