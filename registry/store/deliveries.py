"""What webhooks are told: messages, kept in the transaction in which something happens, sent by a worker afterwards.

Workers claim messages, each for a while, and the institutions share them out: none has more than so many under way.
PostgreSQL passes over what another worker is claiming at this moment (`SKIP LOCKED`); in SQLite one claims after the
other. What a worker that died had claimed is sent again by another one, so a message may come twice, under one id.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NewType
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, or_, select, update

from registry.errors import ConflictError, NotFoundError
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.service_tables import deliveries, webhooks
from registry.store.tables import institutions

DeliveryId = NewType("DeliveryId", int)

_REMOVED_AT_ONCE: Final = 1000


class DeliveryState(Enum):
    """What became of a message."""

    PENDING = "pending"
    """To be sent, at once or again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after the last attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One message to one webhook."""

    id: DeliveryId
    institution: InstitutionId
    public_id: UUID
    webhook: UUID
    address: str
    generation: int
    """Of the webhook's secret."""
    rotated_at: int | None
    event: str
    payload: bytes
    state: DeliveryState
    attempts: int
    next_at: int
    last_status: int | None
    last_error: str | None
    created_at: int
    delivered_at: int | None


def add_delivery(
    connection: InstitutionConnection, webhook_number: int, event: str, payload: bytes, *, now: int
) -> UUID:
    """Keep a message to a webhook; give its id.

    Args:
        connection: From `Store.writing`.
        webhook_number: The webhook's row.
        event: What happened.
        payload: JSON, ids only.
        now: Unix seconds.
    """
    public_id = uuid4()
    row = insert(deliveries).values(
        institution_ref=connection.institution,
        public_id=public_id.bytes,
        webhook_ref=webhook_number,
        event=event,
        payload=payload,
        state=DeliveryState.PENDING.value,
        attempts=0,
        next_at=now,
        created_at=now,
    )
    connection.execute(row)
    return public_id


def send_one(
    connection: InstitutionConnection, webhook: UUID, event: str, payload: bytes, *, now: int
) -> DeliveryRecord:
    """Keep a message to one webhook, whether or not it wants to be told of such events.

    Raises:
        NotFoundError: The institution has no such webhook.
        ConflictError: It is disabled.
    """
    own = (webhooks.c.institution_ref == connection.institution, webhooks.c.public_id == webhook.bytes)
    row = connection.execute(select(webhooks.c.id, webhooks.c.disabled_at).where(*own)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no webhook {webhook}")
    if row.disabled_at is not None:
        raise ConflictError(f"webhook {webhook} is disabled", advice="Enable it first.")
    return get_delivery(connection, webhook, add_delivery(connection, row.id, event, payload, now=now))


def get_delivery(connection: InstitutionConnection, webhook: UUID, delivery: UUID) -> DeliveryRecord:
    """Look up a message to a webhook.

    Raises:
        NotFoundError: The institution has no such message to this webhook.
    """
    own = (
        deliveries.c.institution_ref == connection.institution,
        deliveries.c.public_id == delivery.bytes,
        webhooks.c.public_id == webhook.bytes,
    )
    row = connection.execute(_SELECT.where(*own)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no delivery {delivery}")
    return _record(row)


def list_deliveries(
    connection: InstitutionConnection,
    webhook: UUID,
    *,
    state: DeliveryState | None = None,
    before: int | None = None,
    limit: int = 100,
) -> tuple[DeliveryRecord, ...]:
    """List what a webhook was told, the newest first, from the one before a number on."""
    statement = _SELECT.where(
        deliveries.c.institution_ref == connection.institution, webhooks.c.public_id == webhook.bytes
    )
    if state is not None:
        statement = statement.where(deliveries.c.state == state.value)
    if before is not None:
        statement = statement.where(deliveries.c.id < before)
    return tuple(map(_record, connection.execute(statement.order_by(deliveries.c.id.desc()).limit(limit))))


def redeliver(connection: InstitutionConnection, webhook: UUID, delivery: UUID, *, now: int) -> DeliveryRecord:
    """Have a message sent again, whatever became of it, with all its attempts.

    Raises:
        NotFoundError: The institution has no such message to this webhook.
        ConflictError: It is being sent at this moment, or its webhook is disabled.
    """
    enabled = select(webhooks.c.id).where(
        webhooks.c.institution_ref == connection.institution,
        webhooks.c.public_id == webhook.bytes,
        webhooks.c.disabled_at.is_(None),
    )
    row = update(deliveries).where(
        deliveries.c.institution_ref == connection.institution,
        deliveries.c.public_id == delivery.bytes,
        deliveries.c.webhook_ref.in_(enabled),
        _is_free(now),
    )
    values = {"state": DeliveryState.PENDING.value, "attempts": 0, "next_at": now, "delivered_at": None}
    is_done = connection.execute(row.values(values)).rowcount == 1
    record = get_delivery(connection, webhook, delivery)
    if not is_done:
        raise ConflictError(f"delivery {delivery} is being sent at this moment, or its webhook is disabled")
    return record


def are_deliveries_due(connection: Connection, *, now: int) -> bool:
    """Tell whether there may be messages to send: cheaper than claiming, for which SQLite lets nobody else write."""
    due = select(deliveries.c.id).where(*_due(now)).limit(1)
    return connection.execute(due).first() is not None


def claim_deliveries(
    connection: Connection, worker: str, *, now: int, lease_seconds: int, limit: int, per_institution: int
) -> tuple[DeliveryRecord, ...]:
    """Take messages to send; nobody else takes them before the lease ends.

    Institutions that have fewer under way go first.

    Args:
        connection: From `Store.operator_writing`, of a transaction that ends before anything is sent.
        worker: Unique name of this process.
        now: Unix seconds.
        lease_seconds: Longer than sending takes.
        limit: How many at most.
        per_institution: How many of one institution may be under way, whoever sends them.
    """
    under_way = (
        select(deliveries.c.institution_ref, func.count().label("count"))
        .where(deliveries.c.state == DeliveryState.PENDING.value, deliveries.c.leased_until > now)
        .group_by(deliveries.c.institution_ref)
        .subquery()
    )
    place = func.row_number().over(
        partition_by=deliveries.c.institution_ref, order_by=(deliveries.c.next_at, deliveries.c.id)
    )
    queue = select(deliveries.c.id, deliveries.c.institution_ref, place.label("place")).where(*_due(now)).subquery()
    turn = queue.c.place + func.coalesce(under_way.c.count, 0)
    due = (
        select(deliveries.c.id)
        .join(queue, queue.c.id == deliveries.c.id)
        .outerjoin(under_way, under_way.c.institution_ref == queue.c.institution_ref)
        # Once more what is due: another worker may have taken it since.
        .where(turn <= per_institution, *_due(now))
        .order_by(turn, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    numbers = list(connection.execute(due).scalars())
    row = update(deliveries).where(deliveries.c.id.in_(numbers))
    connection.execute(row.values(leased_by=worker, leased_until=now + lease_seconds))
    return tuple(map(_record, connection.execute(_SELECT.where(deliveries.c.id.in_(numbers)))))


def settle_delivery(
    connection: InstitutionConnection,
    delivery: DeliveryRecord,
    worker: str,
    *,
    now: int,
    status: int | None,
    error: str | None,
    again_at: int | None,
) -> None:
    """Note how an attempt ended, and give the message back.

    Args:
        connection: From `Store.writing`.
        delivery: As claimed.
        worker: Who claimed it.
        now: Unix seconds.
        status: HTTP status of the answer; None: there was none.
        error: Why it did not arrive; None: it did.
        again_at: When to try again; None: it arrived, or is given up. A webhook that was disabled is not tried again.

    Raises:
        ConflictError: The lease ended, and somebody else took it; or its webhook was removed.
    """
    own = (webhooks.c.institution_ref == connection.institution, webhooks.c.public_id == delivery.webhook.bytes)
    # Locked, as by whoever disables or removes it: first the webhook, then its messages.
    disabled_at = select(webhooks.c.disabled_at).where(*own).with_for_update(key_share=True)
    if connection.execute(disabled_at).scalar() is not None:
        again_at = None
    if error is None:
        state = DeliveryState.DELIVERED
    else:
        state = DeliveryState.FAILED if again_at is None else DeliveryState.PENDING
    values = {
        "state": state.value,
        "attempts": deliveries.c.attempts + 1,
        "next_at": deliveries.c.next_at if again_at is None else again_at,
        "leased_by": None,
        "leased_until": None,
        "last_status": status,
        "last_error": error,
        "delivered_at": now if state is DeliveryState.DELIVERED else None,
    }
    row = update(deliveries).where(
        deliveries.c.institution_ref == connection.institution,
        deliveries.c.id == delivery.id,
        deliveries.c.leased_by == worker,
    )
    if connection.execute(row.values(values)).rowcount != 1:
        raise ConflictError(f"delivery {delivery.public_id} was taken up by another process")


def has_anything_arrived(connection: InstitutionConnection, webhook: UUID, *, since: int) -> bool:
    """Tell whether a webhook took any message since a time."""
    arrived = _SELECT.where(
        deliveries.c.institution_ref == connection.institution,
        webhooks.c.public_id == webhook.bytes,
        deliveries.c.delivered_at >= since,
    )
    return connection.execute(arrived.limit(1)).first() is not None


def remove_old_deliveries(connection: Connection, *, before: int) -> int:
    """Remove messages, of all institutions, that were kept before a time and have come to an end; or that nobody sends.

    Args:
        connection: From `Store.operator_writing`.
        before: Unix seconds.

    Returns:
        How many, up to a thousand; 0: there are no more.
    """
    old = (
        select(deliveries.c.id)
        .where(
            deliveries.c.created_at < before,
            # Due so long ago, it is of an institution that was closed.
            or_(deliveries.c.state != DeliveryState.PENDING.value, deliveries.c.next_at < before),
        )
        .limit(_REMOVED_AT_ONCE)
    )
    numbers = list(connection.execute(old).scalars())
    return connection.execute(delete(deliveries).where(deliveries.c.id.in_(numbers))).rowcount


def _due(now: int) -> tuple[ColumnElement[bool], ...]:
    is_enabled = exists().where(
        webhooks.c.id == deliveries.c.webhook_ref,
        webhooks.c.disabled_at.is_(None),
        institutions.c.id == webhooks.c.institution_ref,
        institutions.c.closed_at.is_(None),
    )
    return (
        deliveries.c.state == DeliveryState.PENDING.value,
        deliveries.c.next_at <= now,
        _is_free(now),
        is_enabled,
    )


def _is_free(now: int) -> ColumnElement[bool]:
    return or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now)


_SELECT: Final = select(
    deliveries,
    webhooks.c.public_id.label("webhook"),
    webhooks.c.address,
    webhooks.c.generation,
    webhooks.c.rotated_at,
).join(
    webhooks,
    and_(webhooks.c.id == deliveries.c.webhook_ref, webhooks.c.institution_ref == deliveries.c.institution_ref),
)


def _record(row: Row[*tuple[Any, ...]]) -> DeliveryRecord:
    return DeliveryRecord(
        id=DeliveryId(row.id),
        institution=InstitutionId(row.institution_ref),
        public_id=UUID(bytes=row.public_id),
        webhook=UUID(bytes=row.webhook),
        address=row.address,
        generation=row.generation,
        rotated_at=row.rotated_at,
        event=row.event,
        payload=row.payload,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        next_at=row.next_at,
        last_status=row.last_status,
        last_error=row.last_error,
        created_at=row.created_at,
        delivered_at=row.delivered_at,
    )
