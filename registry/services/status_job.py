"""A status change's job, from what was named to what is final on the ledger. Killed at any point, it goes on.

    received   what was named is looked up, and how it stands is proven    → validated
    validated  what is not done yet is signed and sent, list by list       → signed, in the transaction that keeps it
    signed     the last one is sent                                        → sent
    sent       mined, and how it stands is proven anew                     → mined, with the block that proves it; or
                                                                             signed once more, if something is missing
    mined      the block that proves it is final                           → final

A block whose state shows the change proves it final as soon as that block is final: no old state has to be asked for. A
block that a reorganisation took away proves nothing: it is looked again, and what is lost is sent again.

Waiting jobs for the same action and reason go along with the oldest (`registry.services.status_group`).

Upholds: what the ledger says already is not sent again, and ends well; a suspension and a reinstatement of the same
credential come about in the order in which they were asked for; each job ends by what is proven of its own credentials.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from anchor.canonical import JsonObject
from anchor.errors import NoEvidenceError, NotAnchoredError, RevertedError
from anchor.evidence import LedgerState
from anchor.model import Hash32, hash32, to_hex
from registry.errors import BusyError
from registry.services.happenings import Event, tell
from registry.services.standing import Standing
from registry.services.status import StatusService
from registry.services.status_group import Group, LostMemberError, Member, gather
from registry.services.status_plan import StatusPlanner, Step, effect_of
from registry.services.status_request import StatusRequest, passed_over, passed_over_count, read_named, targets_of
from registry.services.targets import StatusTarget, TargetFinder
from registry.services.work import ACTOR, FINAL_SECONDS
from registry.store.audit_log import append_entry
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import JobRecord, JobState, drop_content, move_job, release_job
from registry.store.records import TransactionId, TransactionState
from registry.store.status_jobs import link_transaction, transactions_of_job
from registry.store.transactions import settle_transaction

AGAIN_SECONDS: Final = 5
"""How soon it is looked again, where something else has to come first."""
_TOLD: Final = 100
"""So many credentials at most are named where a change is told of."""
_DONE_SINCE: Final = frozenset({"NothingChanges", "BatchAlreadyRevoked"})
"""The contract's words for what somebody else did since it was proven."""


class StatusJob:
    """Carries out changes of status of one institution.

    Args:
        store: The institution's.
        status: Gives what sends, its key unlocked.
        finder: Knows whose credentials they must be.
        planner: Of the issuer; its view says which block is final as the operator's policy has it.
    """

    def __init__(
        self, store: Store, status: Callable[[], StatusService], finder: TargetFinder, planner: StatusPlanner
    ) -> None:
        self._store: Final = store
        self._status: Final = status
        self._finder: Final = finder
        self._planner: Final = planner

    def advance(self, job: JobRecord, *, now: int) -> JobRecord:
        """Do what is to be done next, and give the job as it is then; given back, if it has to wait.

        Args:
            job: Claimed.
            now: Unix seconds.

        Raises:
            ConflictError: The job was cancelled, or claimed by another worker.
            CredanchorError: What is in the way; nothing is half done.
        """
        match job.state:
            case JobState.RECEIVED | JobState.VALIDATED | JobState.SIGNED | JobState.SENT:
                return self._carry_out(job, now)
            case JobState.MINED:
                return self._finish(job, now)
            case _:
                raise ValueError(f"nobody works on a job that is {job.state.value}")

    def _carry_out(self, job: JobRecord, now: int) -> JobRecord:
        service = self._status()
        # Whatever waits of the account may be about the same words: nothing is added before its fate is known.
        is_settled = service.settle_what_can_be()
        group = gather(self._store, Member(job, self._targets(job)), self._targets, now=now)
        if group is None:
            # An earlier job does the contrary to some of the same credentials: it comes first.
            return self._wait(job, now, AGAIN_SECONDS)
        mined_at = 0
        while True:
            standing = self._planner.prove(group.targets(), group.request.kind)
            if standing.state.block.number < mined_at:
                # The node that answered has not seen yet what another one had mined.
                return self._wait(group.leader.job, now, AGAIN_SECONDS)
            group.judge(standing)
            self._note_validated(group.leader, now)
            if group.leader.effect.is_nothing and not mined_at:
                group.leave_what_is_to_be_sent()  # there is nothing to go along with
            self._note_shown(group, standing, now)
            if group.is_done():
                return group.leader.job
            if not is_settled:
                return self._wait(group.leader.job, now, AGAIN_SECONDS)
            before = group.leader.job
            try:
                blocks = self._send(service, group, now)
            except LostMemberError:
                # Cancelled, or taken by another worker: nothing was kept or sent. Alone it cannot happen again.
                group.leader.job = before
                group.members.clear()
            else:
                if not blocks:
                    return self._wait(group.leader.job, now, AGAIN_SECONDS)
                mined_at = max(blocks)

    def _send(self, service: StatusService, group: Group, now: int) -> list[int]:
        """Send all transactions, then wait for each; give the blocks. None: somebody else did the same since."""
        sent: list[tuple[Step, TransactionId]] = []
        for step in self._planner.steps(group.effects(), group.request.kind, group.request.reason):
            try:
                transaction = service.send(step, partial(self._keep_signed, group, step, now), now=now)
            except RevertedError as error:
                if error.name in _DONE_SINCE:
                    return []
                raise
            except BusyError:
                if not sent:
                    raise
                break  # a key that only signs does it once at a time: the rest follows when this is mined
            sent.append((step, transaction))
        with self._store.writing() as connection:
            group.note_sent(connection, now)
        blocks = []
        for step, transaction in sent:
            receipt = service.settle(transaction)
            self._planner.check(step, receipt)
            blocks.append(receipt.block_number)
        return blocks

    def _keep_signed(
        self, group: Group, step: Step, now: int, connection: InstitutionConnection, transaction: TransactionId
    ) -> None:
        for member in group.having_part_in(step):
            group.sign(connection, member, transaction, now, report=_report_text(member), total=member.effect.count)
            link_transaction(connection, member.job, transaction)

    def _note_validated(self, member: Member, now: int) -> None:
        if member.job.state is JobState.RECEIVED:
            with self._store.writing() as connection:
                member.job = move_job(
                    connection,
                    member.job,
                    JobState.VALIDATED,
                    now=now,
                    report=_report_text(member),
                    total=member.effect.count,
                    failure=None,
                )

    def _note_shown(self, group: Group, standing: Standing, now: int) -> None:
        """Note of whom the ledger shows all, and at which block."""
        with self._store.writing() as connection:
            for member in group.shown():
                moved = group.try_to_move(
                    connection,
                    member,
                    JobState.MINED,
                    now,
                    done=member.job.total,
                    failure=None,
                    report=_with_block(member.job, standing.state),
                )
                if moved and member.job.total:
                    tell(connection, Event.STATUS_CHANGED, _subject(connection, member.job), now=now)

    def _finish(self, job: JobRecord, now: int) -> JobRecord:
        number, block_hash = _block_of(job)
        state = self._planner.view.state([])
        if self._planner.view.has_block(number, block_hash):
            return self._end(job, now) if _is_final(state, number) else self._wait(job, now, FINAL_SECONDS)
        # A reorganisation: what was shown may be lost.
        asked, targets = StatusRequest.parse(job.request), self._targets(job)
        standing = self._planner.prove(targets, asked.kind)
        if _is_shown(targets, asked, standing):
            return self._wait(job, now, 0, report=_with_block(job, standing.state))
        return self._look_for(job, now)

    def _look_for(self, job: JobRecord, now: int) -> JobRecord:
        """Find out what became of a change that the newest block does not show, though an earlier one did."""
        service = self._status()
        with self._store.reading() as connection:
            mined = [each for each in transactions_of_job(connection, job.id) if each.state is TransactionState.MINED]
        blocks = [service.block_of(each) for each in mined]
        lost = [each for each, block in zip(mined, blocks, strict=True) if block is None]
        if mined and not lost:
            # It came about, on this chain too, and was changed again since: doing it once more would undo that.
            final = _final_number(self._planner.view.state([]))
            is_final = final is not None and all(block is not None and block <= final for block in blocks)
            return self._end(job, now) if is_final else self._wait(job, now, FINAL_SECONDS)
        with self._store.writing() as connection:
            for each in lost:
                settle_transaction(connection, each.id, TransactionState.SENT)
            return move_job(connection, job, JobState.SENT if lost else JobState.VALIDATED, now=now)

    def _end(self, job: JobRecord, now: int) -> JobRecord:
        action = f"status.{StatusRequest.parse(job.request).kind.value}"
        with self._store.writing() as connection:
            append_entry(connection, at=now, actor=ACTOR, action=action, subject=f"job {job.public_id}")
            if job.total:
                tell(connection, Event.STATUS_FINAL, _subject(connection, job), now=now)
            ended = move_job(connection, job, JobState.FINAL, now=now, failure=None)
            drop_content(connection, ended)
            return ended

    def _wait(self, job: JobRecord, now: int, seconds: int, **values: Any) -> JobRecord:
        with self._store.writing() as connection:
            return release_job(connection, job, now=now, next_at=now + seconds, **values)

    def _targets(self, job: JobRecord) -> list[StatusTarget]:
        with self._store.reading() as connection:
            uuids = read_named(connection, job)
        return targets_of(self._store, self._finder, uuids, StatusRequest.parse(job.request).roots)


def _subject(connection: InstitutionConnection, job: JobRecord) -> JsonObject:
    """Say what is told of a change: ids only."""
    asked = StatusRequest.parse(job.request)
    return {
        "job": str(job.public_id),
        "action": asked.kind.value,
        "count": job.total,
        "batches": [to_hex(root) for root in asked.roots],
        "credentials": [uuid.urn for uuid in read_named(connection, job)[:_TOLD]],
        "transactions": [to_hex(each.hash) for each in transactions_of_job(connection, job.id)],
    }


def _report_text(member: Member) -> str:
    count = passed_over_count(member.effect, member.request.unknown)
    return json.dumps({"passedOverCount": count, "passedOver": passed_over(member.effect)})


def _with_block(job: JobRecord, state: LedgerState) -> str:
    report: dict[str, Any] = {} if job.report is None else json.loads(job.report)
    block = {"number": state.block.number, "hash": to_hex(state.block.hash)}
    return json.dumps({**report, "provenAt": block})


def _block_of(job: JobRecord) -> tuple[int, Hash32]:
    block = json.loads(job.report or "{}")["provenAt"]
    return block["number"], hash32(bytes.fromhex(block["hash"][2:]))


def _final_number(state: LedgerState) -> int | None:
    try:
        return state.final_block().number
    except NoEvidenceError:
        return None


def _is_final(state: LedgerState, number: int) -> bool:
    final = _final_number(state)
    return final is not None and number <= final


def _is_shown(targets: Sequence[StatusTarget], asked: StatusRequest, standing: Standing) -> bool:
    try:
        return effect_of(targets, asked.kind, standing).is_nothing
    except NotAnchoredError:
        return False  # the reorganisation took the batch, too
