"""Webhooks and what they were told: kept in the transaction in which something happens, sent by a worker afterwards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NewType
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, update

from registry.errors import ConflictError, NotFoundError
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.service_tables import deliveries, webhooks

DeliveryId = NewType("DeliveryId", int)


class DeliveryState(Enum):
    """What became of a message."""

    PENDING = "pending"
    """To be sent, at once or again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after the last attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord:
    """Where something wants to be told, and of what."""

    public_id: UUID
    """Its secret is derived from this and a key outside the database."""
    address: str
    events: frozenset[str]
    created_at: int
    disabled_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One message to one webhook."""

    id: DeliveryId
    institution: InstitutionId
    public_id: UUID
    webhook: UUID
    address: str
    event: str
    payload: bytes
    state: DeliveryState
    attempts: int
    next_at: int
    last_status: int | None
    last_error: str | None
    created_at: int
    delivered_at: int | None


def add_webhook(
    connection: InstitutionConnection, *, address: str, events: Collection[str], created_at: int
) -> WebhookRecord:
    """Keep a new webhook."""
    row = insert(webhooks).values(
        institution_ref=connection.institution,
        public_id=uuid4().bytes,
        address=address,
        events=" ".join(sorted(set(events))),
        created_at=created_at,
    )
    return _webhook(connection.execute(row.returning(*webhooks.c)).one())


def list_webhooks(connection: InstitutionConnection) -> tuple[WebhookRecord, ...]:
    """List the institution's webhooks, the oldest first."""
    statement = select(webhooks).where(webhooks.c.institution_ref == connection.institution).order_by(webhooks.c.id)
    return tuple(map(_webhook, connection.execute(statement)))


def disable_webhook(connection: InstitutionConnection, webhook: UUID, *, now: int) -> None:
    """Tell a webhook nothing more; what is under way to it is given up.

    Raises:
        NotFoundError: The institution has no such webhook, or it is disabled already.
    """
    row = (
        update(webhooks)
        .where(
            webhooks.c.institution_ref == connection.institution,
            webhooks.c.public_id == webhook.bytes,
            webhooks.c.disabled_at.is_(None),
        )
        .values(disabled_at=now)
        .returning(webhooks.c.id)
    )
    number = connection.execute(row).scalar()
    if number is None:
        raise NotFoundError(f"there is no webhook {webhook}, or it is disabled")
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.institution_ref == connection.institution,
            deliveries.c.webhook_ref == number,
            deliveries.c.state == DeliveryState.PENDING.value,
        )
        .values(state=DeliveryState.FAILED.value, last_error="the webhook was disabled")
    )


def announce(connection: InstitutionConnection, event: str, payload: bytes, *, now: int) -> int:
    """Keep a message for every webhook that wants to be told of an event; give how many those are.

    Args:
        connection: From `Store.writing`, of the transaction in which it happens.
        event: Its name, such as `batch.anchored`.
        payload: JSON, ids only.
        now: Unix seconds.
    """
    statement = select(webhooks.c.id, webhooks.c.events).where(
        webhooks.c.institution_ref == connection.institution, webhooks.c.disabled_at.is_(None)
    )
    rows = [
        {
            "institution_ref": connection.institution,
            "public_id": uuid4().bytes,
            "webhook_ref": row.id,
            "event": event,
            "payload": payload,
            "state": DeliveryState.PENDING.value,
            "attempts": 0,
            "next_at": now,
            "created_at": now,
        }
        for row in connection.execute(statement)
        if event in row.events.split()
    ]
    if rows:
        connection.execute(insert(deliveries), rows)
    return len(rows)


def list_deliveries(
    connection: InstitutionConnection, webhook: UUID, *, before: int | None = None, limit: int = 100
) -> tuple[DeliveryRecord, ...]:
    """List what a webhook was told, the newest first, from the one before a number on."""
    statement = _SELECT_DELIVERY.where(
        deliveries.c.institution_ref == connection.institution, webhooks.c.public_id == webhook.bytes
    )
    if before is not None:
        statement = statement.where(deliveries.c.id < before)
    return tuple(map(_delivery, connection.execute(statement.order_by(deliveries.c.id.desc()).limit(limit))))


def redeliver(connection: InstitutionConnection, delivery: UUID, *, now: int) -> None:
    """Have a message sent again, whatever became of it, with all its attempts.

    Raises:
        NotFoundError: The institution has no such message.
        ConflictError: It is being sent at this moment, or its webhook is disabled.
    """
    own = (deliveries.c.institution_ref == connection.institution, deliveries.c.public_id == delivery.bytes)
    enabled = select(webhooks.c.id).where(
        webhooks.c.institution_ref == connection.institution, webhooks.c.disabled_at.is_(None)
    )
    row = update(deliveries).where(*own, deliveries.c.webhook_ref.in_(enabled), _is_free(now))
    values = {"state": DeliveryState.PENDING.value, "attempts": 0, "next_at": now}
    if connection.execute(row.values(values)).rowcount == 1:
        return
    if connection.execute(select(deliveries.c.id).where(*own)).first() is None:
        raise NotFoundError(f"there is no delivery {delivery}")
    raise ConflictError(f"delivery {delivery} is being sent at this moment, or its webhook is disabled")


def claim_deliveries(
    connection: Connection, worker: str, *, now: int, lease_seconds: int, limit: int
) -> tuple[DeliveryRecord, ...]:
    """Take messages to send, of all institutions; nobody else takes them before the lease ends.

    Args:
        connection: From `Store.operator_writing`, of a transaction that ends before anything is sent.
        worker: Unique name of this process.
        now: Unix seconds.
        lease_seconds: Longer than sending takes.
        limit: How many at most.
    """
    due = (
        select(deliveries.c.id)
        .where(
            deliveries.c.state == DeliveryState.PENDING.value,
            deliveries.c.next_at <= now,
            deliveries.c.webhook_ref.in_(select(webhooks.c.id).where(webhooks.c.disabled_at.is_(None))),
            _is_free(now),
        )
        .order_by(deliveries.c.next_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    numbers = list(connection.execute(due).scalars())
    row = update(deliveries).where(deliveries.c.id.in_(numbers))
    connection.execute(row.values(leased_by=worker, leased_until=now + lease_seconds))
    return tuple(map(_delivery, connection.execute(_SELECT_DELIVERY.where(deliveries.c.id.in_(numbers)))))


def settle_delivery(
    connection: Connection,
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
        connection: From `Store.operator_writing`.
        delivery: As claimed.
        worker: Who claimed it.
        now: Unix seconds.
        status: HTTP status of the answer; None: there was none.
        error: Why it did not arrive; None: it did.
        again_at: When to try again; None: it arrived, or is given up.

    Raises:
        ConflictError: The lease ended, and somebody else took it.
    """
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
        deliveries.c.institution_ref == delivery.institution,
        deliveries.c.id == delivery.id,
        deliveries.c.leased_by == worker,
    )
    if connection.execute(row.values(values)).rowcount != 1:
        raise ConflictError(f"delivery {delivery.public_id} was taken up by another process")


def _is_free(now: int) -> ColumnElement[bool]:
    return or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now)


_SELECT_DELIVERY: Final = select(deliveries, webhooks.c.public_id.label("webhook"), webhooks.c.address).join(
    webhooks,
    and_(webhooks.c.id == deliveries.c.webhook_ref, webhooks.c.institution_ref == deliveries.c.institution_ref),
)


def _webhook(row: Row[*tuple[Any, ...]]) -> WebhookRecord:
    return WebhookRecord(
        public_id=UUID(bytes=row.public_id),
        address=row.address,
        events=frozenset(row.events.split()),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _delivery(row: Row[*tuple[Any, ...]]) -> DeliveryRecord:
    return DeliveryRecord(
        id=DeliveryId(row.id),
        institution=InstitutionId(row.institution_ref),
        public_id=UUID(bytes=row.public_id),
        webhook=UUID(bytes=row.webhook),
        address=row.address,
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
