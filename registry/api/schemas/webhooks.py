"""Webhooks, and what they were told."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field

from registry.api.schemas.base import Asked, Document, Page, Seconds
from registry.services.happenings import Event
from registry.store.deliveries import DeliveryRecord
from registry.store.webhooks import WebhookRecord

_ID = "0b7d4c9e-5f0c-4c31-9d24-1a7be95f0c1a"

DeliveryStateName = Literal["pending", "delivered", "failed"]


class NewWebhook(Asked):
    """What something wants to be told, and where."""

    address: str = Field(
        min_length=1,
        max_length=2000,
        description="`https://`, ASCII, without user name, password or `#`; reachable from the public Internet.",
        examples=["https://lms.college.example/hooks/credanchor"],
    )
    events: list[Event] = Field(min_length=1, max_length=len(Event), examples=[["batch.final", "job.failed"]])


class Webhook(Document):
    """Where something is told, and of what. Its secret is apart: `/v1/webhooks/{webhook}/secret`."""

    id: str = Field(examples=[_ID])
    address: str = Field(examples=["https://lms.college.example/hooks/credanchor"])
    events: list[Event]
    created_at: Seconds
    rotated_at: int | None = Field(description="When it got the secret that it has; null: it has its first.")
    disabled_at: int | None = Field(description="Since when it is told nothing; null: it is told.", examples=[None])
    disabled_why: str | None = Field(description="Why the service disabled it; null: it did not.", examples=[None])

    @classmethod
    def of(cls, record: WebhookRecord) -> Webhook:
        """Show a webhook."""
        return cls(
            id=str(record.public_id),
            address=record.address,
            events=[each for each in Event if each.value in record.events],
            created_at=record.created_at,
            rotated_at=record.rotated_at,
            disabled_at=record.disabled_at,
            disabled_why=record.disabled_why,
        )


class Webhooks(Document):
    """All of an institution's, the oldest first."""

    webhooks: list[Webhook]


class WebhookSecret(Document):
    """What messages are signed with."""

    secret: str = Field(
        pattern=r"^whsec_[A-Za-z0-9+/]{43}=$",
        description="As Standard Webhooks writes it.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="],
    )


class Delivery(Document):
    """One message to a webhook, and what became of it."""

    id: str = Field(examples=[_ID], description="The header `webhook-id` of the message.")
    event: str = Field(examples=["batch.final"])
    state: DeliveryStateName = Field(description="Pending: it is sent as soon as it is due; failed: it is given up.")
    attempts: int = Field(description="How many there were.")
    next_at: int | None = Field(description="When it is sent the next time; null: it is not.", examples=[None])
    last_status: int | None = Field(description="HTTP status of the last answer; null: there was none.")
    last_error: str | None = Field(description="Why the last attempt did not succeed.", examples=[None])
    created_at: Seconds
    delivered_at: int | None
    message: dict[str, Any] = Field(
        description="What is sent.",
        examples=[{"type": "batch.final", "timestamp": "2026-11-28T21:00:00Z", "data": {"job": _ID}}],
    )

    @classmethod
    def of(cls, record: DeliveryRecord) -> Delivery:
        """Show a message."""
        state: DeliveryStateName = record.state.value
        return cls(
            id=str(record.public_id),
            event=record.event,
            state=state,
            attempts=record.attempts,
            next_at=record.next_at if state == "pending" else None,
            last_status=record.last_status,
            last_error=record.last_error,
            created_at=record.created_at,
            delivered_at=record.delivered_at,
            message=json.loads(record.payload),
        )


class Deliveries(Page):
    """Messages to a webhook, the newest first."""

    deliveries: list[Delivery]
