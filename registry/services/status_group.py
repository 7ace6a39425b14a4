"""Waiting changes of status that go along with the oldest one: same action and reason, as few transactions as can be.

The bits of one status list are OR-ed, whoever asked for them. Members are moved in the database transactions that move
the leader, so that each is on the disk where its transaction is; one that was cancelled, or taken by another worker,
before anything was signed, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from anchor.errors import CredanchorError, NotAnchoredError
from registry.errors import ConflictError
from registry.services.standing import Standing
from registry.services.status_plan import Effect, Step, effect_of
from registry.services.status_request import StatusRequest
from registry.services.targets import StatusTarget, Words
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import JobRecord, JobState, move_job
from registry.store.records import StatusKind, TransactionId
from registry.store.status_jobs import unmined_status_jobs

MOST_MEMBERS: Final = 100
_ALONG_SECONDS: Final = 30
"""How long members are left to the leader while it signs; whoever finds one after that goes on with it."""
_CONTRARY: Final = {StatusKind.SUSPEND: StatusKind.REINSTATE, StatusKind.REINSTATE: StatusKind.SUSPEND}
"""Of which it matters what comes first."""

TargetsOf = Callable[[JobRecord], list[StatusTarget]]


class LostMemberError(Exception):
    """A member was moved on by somebody else. Never leaves the services of status changes."""


@dataclass
class Member:
    """One job, and what it comes to."""

    job: JobRecord
    targets: list[StatusTarget]
    effect: Effect = field(init=False)
    """As of the last proof."""

    @property
    def request(self) -> StatusRequest:
        """What it asks for."""
        return StatusRequest.parse(self.job.request)


class Group:
    """Jobs that are done together.

    Args:
        leader: The claimed one.
        members: Those that go along.
    """

    def __init__(self, leader: Member, members: list[Member]) -> None:
        self.leader: Final = leader
        self.members: Final = members
        self.request: Final = leader.request

    def targets(self) -> list[StatusTarget]:
        """Give everybody's targets."""
        return [target for member in self._all() for target in member.targets]

    def effects(self) -> list[Effect]:
        """Give what is to be done for each."""
        return [member.effect for member in self._all()]

    def judge(self, standing: Standing) -> None:
        """Work out what is to be done for each, as it is proven; whom nothing can be done for is left out.

        Raises:
            NotAnchoredError: Nothing can be done for the leader.
        """
        kind = self.request.kind
        self.leader.effect = effect_of(self.leader.targets, kind, standing)
        for member in tuple(self.members):
            try:
                member.effect = effect_of(member.targets, kind, standing)
                has_part = not member.effect.is_nothing or member.job.transaction is not None
            except NotAnchoredError:
                has_part = False
            if not has_part:
                self.members.remove(member)  # its own turn says so

    def leave_what_is_to_be_sent(self) -> None:
        """Leave those of whom something is left to do to their own turns."""
        self.members[:] = [each for each in self.members if each.effect.is_nothing]

    def having_part_in(self, step: Step) -> list[Member]:
        """Give those whom a transaction does something for."""
        return [member for member in self._all() if member.effect.has_part_in(step)]

    def shown(self) -> list[Member]:
        """Give those of whom nothing is left to do, and of whom that is not noted yet."""
        return [each for each in self._all() if each.effect.is_nothing and each.job.state is not JobState.MINED]

    def is_done(self) -> bool:
        """Tell whether nothing is left to do for anybody."""
        return all(each.effect.is_nothing for each in self._all())

    def sign(
        self,
        connection: InstitutionConnection,
        member: Member,
        transaction: TransactionId,
        now: int,
        *,
        report: str,
        total: int,
    ) -> None:
        """Note that a transaction was signed for one.

        Raises:
            ConflictError: Another worker has the leader.
            LostMemberError: Somebody else moved another one on.
        """
        try:
            job = member.job
            if job.state is JobState.RECEIVED:
                job = move_job(connection, job, JobState.VALIDATED, now=now, report=report, total=total)
            elif job.state is JobState.SIGNED:
                # One of several; or what was signed before is settled: it was mined, refused or replaced.
                job = move_job(connection, job, JobState.SENT, now=now)
            next_at = None if member is self.leader else now + _ALONG_SECONDS
            member.job = move_job(
                connection,
                job,
                JobState.SIGNED,
                now=now,
                next_at=next_at,
                transaction_ref=transaction,
                done=max((job.total or 0) - member.effect.count, 0),
                failure=None,
            )
        except ConflictError as error:
            if member is self.leader:
                raise
            raise LostMemberError from error

    def note_sent(self, connection: InstitutionConnection, now: int) -> None:
        """Note that everything is sent.

        Raises:
            ConflictError: Another worker has the leader.
        """
        for member in tuple(self._all()):
            if member.job.state is JobState.SIGNED:
                self.try_to_move(connection, member, JobState.SENT, now)

    def try_to_move(
        self, connection: InstitutionConnection, member: Member, state: JobState, now: int, **values: Any
    ) -> bool:
        """Move one on, and tell whether it was; a member that somebody else has is left to him.

        Raises:
            ConflictError: Another worker has the leader.
        """
        try:
            member.job = move_job(connection, member.job, state, now=now, **values)
        except ConflictError:
            if member is self.leader:
                raise
            self.members.remove(member)
            return False
        return True

    def _all(self) -> Iterator[Member]:
        yield self.leader
        yield from self.members


def gather(store: Store, leader: Member, targets_of: TargetsOf, *, now: int) -> Group | None:
    """Find the waiting jobs that may go along with one.

    Args:
        store: The institution's.
        leader: Claimed.
        targets_of: Gives what a job is about.
        now: Unix seconds.

    Returns:
        The group; None: an earlier job does the contrary to some of the same credentials, and has to come first.
    """
    asked = leader.request
    with store.reading() as connection:
        unmined = [(job, StatusRequest.parse(job.request)) for job in unmined_status_jobs(connection)]
    contrary = [Member(job, targets_of(job)) for job, request in unmined if request.kind is _CONTRARY.get(asked.kind)]
    if _has_to_wait(leader, contrary):
        return None
    members: list[Member] = []
    for job, request in unmined:
        is_alike = (request.kind, request.reason) == (asked.kind, asked.reason)
        if job.id != leader.job.id and is_alike and _is_free(job, now) and len(members) < MOST_MEMBERS:
            try:
                member = Member(job, targets_of(job))
            except CredanchorError:
                continue  # its own turn tells what is wrong with it
            if not _has_to_wait(member, contrary):
                members.append(member)
    return Group(leader, members)


def _is_free(job: JobRecord, now: int) -> bool:
    is_claimed = job.leased_until is not None and job.leased_until > now
    return job.next_at <= now and not is_claimed


def _has_to_wait(member: Member, contrary: Sequence[Member]) -> bool:
    return any(each.job.id < member.job.id and _overlap(each.targets, member.targets) for each in contrary)


def _overlap(some: Sequence[StatusTarget], others: Sequence[StatusTarget]) -> bool:
    bits: dict[tuple[int, int], int] = {}
    for target in some:
        for key, mask in _masks(target.words):
            bits[key] = bits.get(key, 0) | mask
    return any(bits.get(key, 0) & mask for target in others for key, mask in _masks(target.words))


def _masks(words: Words) -> Iterator[tuple[tuple[int, int], int]]:
    return (((status_list, word), mask) for status_list, each in words.items() for word, mask in each.items())
