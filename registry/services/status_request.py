"""Changes of status as those ask for them who may: what is named is looked up, tried out, or given to the workers.

Upholds: a request that names something that the institution has not, or that is not anchored, does nothing, unless it
says that such things are to be passed over; what is wrong is told by its place in the request.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final, Self
from uuid import UUID

from anchor.ledger.client import LedgerClient
from anchor.model import Address, Hash32, hash32, to_hex
from anchor.status import StatusReason
from registry.errors import NotFoundError, Problem, TargetsError, UnknownTargetsError
from registry.services.costs import Cost, preview_cost
from registry.services.jobs import QueueLimits, SeenJob, check_room
from registry.services.status_plan import Effect, StatusPlanner
from registry.services.targets import StatusTarget, TargetFinder, checked
from registry.store.audit_log import append_entry
from registry.store.batches import get_batch
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import JobKind, JobRecord, add_content, create_job, finish_content, read_content
from registry.store.pages import batch_of_root
from registry.store.records import BatchRecord, BatchState, StatusKind
from registry.store.status_jobs import get_credentials

MAX_LISTED: Final = 1000
"""Of problems, and of what is passed over: the rest is counted only."""
_UUID_BYTES: Final = 16
_PART_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """What is asked for. The credentials themselves are the job's content: 16 bytes each."""

    kind: StatusKind
    reason: StatusReason
    roots: tuple[Hash32, ...]
    """Of whole batches."""
    count: int
    """Credentials that are named one by one."""
    unknown: int = 0
    """What was named, and is passed over because the institution has it not, or not anchored."""

    def to_text(self) -> str:
        """Write it as the job keeps it."""
        roots = [to_hex(root) for root in self.roots]
        said = {"action": self.kind.value, "reason": self.reason.value, "batches": roots}
        return json.dumps({**said, "credentials": self.count, "unknown": self.unknown})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it as the job keeps it."""
        said = json.loads(text)
        return cls(
            kind=StatusKind(said["action"]),
            reason=StatusReason(said["reason"]),
            roots=tuple(hash32(bytes.fromhex(root[2:])) for root in said["batches"]),
            count=said["credentials"],
            unknown=said["unknown"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a request names and the institution has, each once, in the order in which it was named."""

    uuids: tuple[UUID, ...]
    roots: tuple[Hash32, ...]
    problems: tuple[Problem, ...]
    """What it names besides, which is passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a change would come to."""

    effect: Effect
    cost: Cost
    unknown: int


def find_named(
    store: Store, finder: TargetFinder, uuids: Sequence[UUID], roots: Sequence[Hash32], *, passes_over: bool
) -> Named:
    """Look up what a request names.

    Args:
        store: The institution's.
        finder: Knows whose credentials they must be.
        uuids: Of credentials.
        roots: Of whole batches.
        passes_over: What it has not, or not anchored, is passed over, as long as something is left.

    Raises:
        UnknownTargetsError: The institution has not all of it.
        TargetsError: Not all of it is anchored, or nothing is left.
    """
    problems: list[Problem] = []
    is_unknown = False
    with store.reading() as connection:
        get = lru_cache(maxsize=None)(partial(get_batch, connection))
        records = get_credentials(connection, tuple(dict.fromkeys(uuids)))

        def judge(where: str, batch: BatchRecord | None, what: str) -> bool:
            nonlocal is_unknown
            if batch is None:
                is_unknown = True
                problems.append(Problem(where=where, reason=f"the institution has no such {what}"))
            elif not finder.is_ours(batch):
                reason = "belongs to another issuer or registry than the institution's details name"
                problems.append(Problem(where=where, reason=reason))
            elif batch.state is not BatchState.ANCHORED:
                problems.append(Problem(where=where, reason="is not anchored yet, so that it has no status"))
            else:
                return True
            return False

        good = [
            uuid
            for place, uuid in enumerate(uuids)
            if judge(f"body.credentials.{place}", get(records[uuid].batch) if uuid in records else None, "credential")
        ]
        whole = [
            root
            for place, root in enumerate(roots)
            if judge(f"body.batches.{place}", _batch_or_none(connection, root), "batch")
        ]
    named = Named(uuids=tuple(dict.fromkeys(good)), roots=tuple(dict.fromkeys(whole)), problems=tuple(problems))
    if (problems and not passes_over) or not (named.uuids or named.roots):
        kind = UnknownTargetsError if is_unknown else TargetsError
        raise kind(
            f"{len(problems):,} of those named cannot be changed; nothing was done",
            named.problems[:MAX_LISTED],
            advice="Leave out those that `problems` lists, or say passOver.",
        )
    return named


def targets_of(
    store: Store, finder: TargetFinder, uuids: Sequence[UUID], roots: Sequence[Hash32]
) -> list[StatusTarget]:
    """Take what was named as targets, after checking that it is what was sealed.

    Raises:
        StoreError: It is not: the database was altered.
    """
    with store.reading() as connection:
        get = lru_cache(maxsize=None)(partial(get_batch, connection))
        records = get_credentials(connection, uuids)
        singles = checked(connection, ((records[uuid], get(records[uuid].batch)) for uuid in uuids))
        whole = [batch_of_root(connection, root) for root in roots]
    batches = [replace(finder.of_batch(batch.id), name=to_hex(batch.root)) for batch in whole]
    return [*batches, *singles]


def preview(
    planner: StatusPlanner,
    client: LedgerClient,
    sender: Address,
    targets: Sequence[StatusTarget],
    request: StatusRequest,
    *,
    extra_gas: int = 0,
) -> Preview:
    """Tell what a change would come to, and cost, as the newest block has it; needs no key.

    Args:
        planner: Of the issuer.
        client: The node.
        sender: The STATUS key's account.
        targets: What the request names.
        request: What is asked for.
        extra_gas: What each transaction takes more, as when another account sends it.

    Raises:
        NotAnchoredError: A batch is not on the ledger.
        RevertedError: The contract would refuse it.
        LedgerUnavailableError: The node did not say.
    """
    plan = planner.plan(targets, request.kind, request.reason)
    cost = preview_cost(client, sender, [step.call for step in plan.steps], extra_gas=extra_gas)
    return Preview(effect=plan.effect, cost=cost, unknown=request.unknown)


def take_in(
    connection: InstitutionConnection,
    request: StatusRequest,
    uuids: Sequence[UUID],
    *,
    actor: str,
    limits: QueueLimits,
    now: int,
) -> SeenJob:
    """Give a change to the workers.

    Args:
        connection: From `Store.writing`.
        request: What is asked for.
        uuids: The credentials.
        actor: Who does it, for the audit log.
        limits: How much may wait.
        now: Unix seconds.

    Raises:
        QueueFullError: It does.
    """
    check_room(connection, limits)
    job = create_job(connection, JobKind.STATUS, request.to_text(), now=now)
    content = b"".join(uuid.bytes for uuid in uuids)
    for number, start in enumerate(range(0, len(content), _PART_BYTES)):
        add_content(connection, job, number, content[start : start + _PART_BYTES])
    job = finish_content(connection, job, now=now)
    append_entry(connection, at=now, actor=actor, action=f"status.{request.kind.value}", subject=f"job {job.public_id}")
    return SeenJob(job=job, root=None, transaction=None)


def read_named(connection: InstitutionConnection, job: JobRecord) -> tuple[UUID, ...]:
    """Read which credentials a job is about; none once it has ended."""
    content = b"".join(read_content(connection, job))
    return tuple(UUID(bytes=content[start : start + _UUID_BYTES]) for start in range(0, len(content), _UUID_BYTES))


def passed_over(effect: Effect) -> list[dict[str, str]]:
    """List what is passed over, and why; the first of it."""
    return [{"target": target.name, "reason": why} for target, why in effect.refused[:MAX_LISTED]]


def passed_over_count(effect: Effect, unknown: int) -> int:
    """Count what is passed over.

    Args:
        effect: Of the request.
        unknown: What was passed over when it was taken in.
    """
    whole = sum(target.size for target, _ in effect.refused if target.is_whole_batch)
    singles = sum(not target.is_whole_batch for target, _ in effect.refused)
    return whole + singles + effect.passed_over_count + unknown


def _batch_or_none(connection: InstitutionConnection, root: Hash32) -> BatchRecord | None:
    try:
        return batch_of_root(connection, root)
    except NotFoundError:
        return None
