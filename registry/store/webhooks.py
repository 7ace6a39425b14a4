"""Webhooks: where an institution's systems want to be told, and of what. The messages: `registry.store.deliveries`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from registry.errors import NotFoundError
from registry.store.connection import InstitutionConnection
from registry.store.deliveries import DeliveryState, add_delivery
from registry.store.service_tables import deliveries, webhooks

_DISABLED: Final = "the webhook was disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord:
    """Where something wants to be told, and of what."""

    public_id: UUID
    address: str
    """May hold a secret: never to be logged."""
    events: frozenset[str]
    generation: int
    """Of its secret, which is derived from this, its id, and a key outside the database."""
    rotated_at: int | None
    """When it got the secret that it has."""
    created_at: int
    disabled_at: int | None
    disabled_why: str | None


def add_webhook(
    connection: InstitutionConnection, *, address: str, events: Collection[str], created_at: int
) -> WebhookRecord:
    """Keep a new webhook."""
    row = insert(webhooks).values(
        institution_ref=connection.institution,
        public_id=uuid4().bytes,
        address=address,
        events=" ".join(sorted(set(events))),
        generation=0,
        created_at=created_at,
    )
    return _webhook(connection.execute(row.returning(*webhooks.c)).one())


def list_webhooks(connection: InstitutionConnection) -> tuple[WebhookRecord, ...]:
    """List the institution's webhooks, the oldest first."""
    statement = select(webhooks).where(webhooks.c.institution_ref == connection.institution).order_by(webhooks.c.id)
    return tuple(map(_webhook, connection.execute(statement)))


def get_webhook(connection: InstitutionConnection, webhook: UUID) -> WebhookRecord:
    """Look up a webhook.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    row = connection.execute(select(webhooks).where(*_own(connection, webhook))).one_or_none()
    if row is None:
        raise _unknown(webhook)
    return _webhook(row)


def disable_webhook(
    connection: InstitutionConnection, webhook: UUID, *, now: int, why: str | None = None
) -> WebhookRecord:
    """Tell a webhook nothing more; what is under way to it is given up.

    Args:
        connection: From `Store.writing`.
        webhook: Its id.
        now: Unix seconds.
        why: In words for the institution; None: somebody wanted it so.

    Raises:
        NotFoundError: The institution has no such webhook, or it is disabled already.
    """
    row = update(webhooks).where(*_own(connection, webhook), webhooks.c.disabled_at.is_(None))
    found = connection.execute(row.values(disabled_at=now, disabled_why=why).returning(*webhooks.c)).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no webhook {webhook}, or it is disabled")
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.institution_ref == connection.institution,
            deliveries.c.webhook_ref == found.id,
            deliveries.c.state == DeliveryState.PENDING.value,
        )
        .values(state=DeliveryState.FAILED.value, last_error=_DISABLED)
    )
    return _webhook(found)


def enable_webhook(connection: InstitutionConnection, webhook: UUID) -> WebhookRecord:
    """Tell a webhook again what happens from now on.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    return _change(connection, webhook, disabled_at=None, disabled_why=None)


def rotate_secret(connection: InstitutionConnection, webhook: UUID, *, now: int) -> WebhookRecord:
    """Give a webhook another secret.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    return _change(connection, webhook, generation=webhooks.c.generation + 1, rotated_at=now)


def remove_webhook(connection: InstitutionConnection, webhook: UUID) -> None:
    """Remove a webhook, with all that is known of what it was told.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    # Whoever tells it something at this moment holds a lock on it: first that, then what is seen under it.
    number = connection.execute(select(webhooks.c.id).where(*_own(connection, webhook)).with_for_update()).scalar()
    if number is None:
        raise _unknown(webhook)
    own = (deliveries.c.institution_ref == connection.institution, deliveries.c.webhook_ref == number)
    connection.execute(delete(deliveries).where(*own))
    connection.execute(delete(webhooks).where(*_own(connection, webhook)))


def announce(connection: InstitutionConnection, event: str, payload: bytes, *, now: int) -> int:
    """Keep a message for every webhook that wants to be told of an event; give how many those are.

    Args:
        connection: From `Store.writing`, of the transaction in which it happens.
        event: Its name, such as `batch.anchored`.
        payload: JSON, ids only.
        now: Unix seconds.
    """
    statement = (
        select(webhooks.c.id, webhooks.c.events)
        .where(webhooks.c.institution_ref == connection.institution, webhooks.c.disabled_at.is_(None))
        .with_for_update(read=True, key_share=True)
    )
    numbers = [row.id for row in connection.execute(statement) if event in row.events.split()]
    for number in numbers:
        add_delivery(connection, number, event, payload, now=now)
    return len(numbers)


def _own(connection: InstitutionConnection, webhook: UUID) -> tuple[ColumnElement[bool], ...]:
    return webhooks.c.institution_ref == connection.institution, webhooks.c.public_id == webhook.bytes


def _change(connection: InstitutionConnection, webhook: UUID, **values: Any) -> WebhookRecord:
    row = update(webhooks).where(*_own(connection, webhook)).values(**values).returning(*webhooks.c)
    found = connection.execute(row).one_or_none()
    if found is None:
        raise _unknown(webhook)
    return _webhook(found)


def _unknown(webhook: UUID) -> NotFoundError:
    return NotFoundError(f"there is no webhook {webhook}")


def _webhook(row: Row[*tuple[Any, ...]]) -> WebhookRecord:
    return WebhookRecord(
        public_id=UUID(bytes=row.public_id),
        address=row.address,
        events=frozenset(row.events.split()),
        generation=row.generation,
        rotated_at=row.rotated_at,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        disabled_why=row.disabled_why,
    )
