"""Webhooks: told of what happens to an institution's batches and credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from anchor.webhook_signature import secret_text
from registry.api.answers import cursor_of, numbers_of
from registry.api.auth import Admin, Caller
from registry.api.documents import AUTHENTICATED, problems
from registry.api.problems import CONFLICT, MALFORMED, NOT_FOUND, TOO_LARGE, Kind
from registry.api.routes.batches import BatchCursor, Limit
from registry.api.schemas.base import Document
from registry.api.schemas.webhooks import (
    Deliveries,
    Delivery,
    DeliveryStateName,
    NewWebhook,
    Webhook,
    Webhooks,
    WebhookSecret,
)
from registry.api.strict import StrictRoute
from registry.api.writes import WRITE_HEADERS, IdempotencyKey, answer_write
from registry.services import webhooks as service
from registry.store.deliveries import DeliveryState, get_delivery
from registry.store.webhooks import get_webhook, list_webhooks

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=StrictRoute)

_EXAMPLE: Final = "0b7d4c9e-5f0c-4c31-9d24-1a7be95f0c1a"
WebhookParam = Annotated[UUID, Path(description="The webhook's id.", examples=[_EXAMPLE])]
DeliveryParam = Annotated[UUID, Path(description="The message's id.", examples=[_EXAMPLE])]


def _written(status: int, description: str, *kinds: Kind) -> dict[int | str, dict[str, Any]]:
    said: dict[int | str, dict[str, Any]] = {status: {"description": description, "headers": WRITE_HEADERS}}
    return {**said, **problems(*AUTHENTICATED, CONFLICT, *kinds)}


def _write(
    caller: Caller,
    request: Request,
    key: str | None,
    do: Callable[[service.Webhooks], Document],
    *,
    asked: Document | None = None,
    status: int = 200,
) -> Response:
    now = caller.service.now()
    return answer_write(
        caller,
        request,
        key,
        asked,
        lambda connection: do(service.Webhooks(connection, actor=caller.actor, now=now)),
        status=status,
    )


@router.post(
    "",
    summary="Add a webhook",
    status_code=201,
    response_model=Webhook,
    responses=_written(201, "It is told of what happens from now on", MALFORMED, TOO_LARGE),
)
def add(caller: Admin, request: Request, asked: NewWebhook, idempotency_key: IdempotencyKey = None) -> Response:
    """Messages are signed (Standard Webhooks); docs/api/webhooks.md of the source says how a receiver checks them."""
    is_anything_allowed = caller.service.allows_any_webhook
    return _write(
        caller,
        request,
        idempotency_key,
        lambda own: Webhook.of(own.add(asked.address, asked.events, is_anything_allowed=is_anything_allowed)),
        asked=asked,
        status=201,
    )


@router.get("", summary="List webhooks", responses=problems(*AUTHENTICATED))
def list_all(caller: Admin) -> Webhooks:
    """The oldest first; one that failed for days is disabled, and says so."""
    with caller.store.reading() as connection:
        return Webhooks(webhooks=[Webhook.of(each) for each in list_webhooks(connection)])


@router.get("/{webhook}", summary="Show a webhook", responses=problems(*AUTHENTICATED, NOT_FOUND))
def show(caller: Admin, webhook: WebhookParam) -> Webhook:
    """Without its secret."""
    with caller.store.reading() as connection:
        return Webhook.of(get_webhook(connection, webhook))


@router.delete(
    "/{webhook}",
    summary="Remove a webhook",
    response_model=Webhook,
    responses=_written(200, "It is gone, with the list of what it was told; this is how it was", NOT_FOUND),
)
def remove(caller: Admin, request: Request, webhook: WebhookParam, idempotency_key: IdempotencyKey = None) -> Response:
    """What is on its way may still arrive."""
    return _write(caller, request, idempotency_key, lambda own: Webhook.of(own.remove(webhook)))


@router.post(
    "/{webhook}/disable",
    summary="Disable a webhook",
    response_model=Webhook,
    responses=_written(200, "It is told nothing more", NOT_FOUND),
)
def disable(caller: Admin, request: Request, webhook: WebhookParam, idempotency_key: IdempotencyKey = None) -> Response:
    """What was not delivered yet is given up. Doing it again changes nothing."""
    return _write(caller, request, idempotency_key, lambda own: Webhook.of(own.disable(webhook)))


@router.post(
    "/{webhook}/enable",
    summary="Enable a webhook",
    response_model=Webhook,
    responses=_written(200, "It is told of what happens from now on", NOT_FOUND),
)
def enable(caller: Admin, request: Request, webhook: WebhookParam, idempotency_key: IdempotencyKey = None) -> Response:
    """What happened meanwhile is not told; what was given up can be sent again, message by message."""
    return _write(caller, request, idempotency_key, lambda own: Webhook.of(own.enable(webhook)))


@router.get(
    "/{webhook}/secret",
    summary="Show a webhook's secret",
    responses=problems(*AUTHENTICATED, NOT_FOUND),
)
def secret(caller: Admin, webhook: WebhookParam) -> WebhookSecret:
    """The receiver is to be given it; whoever knows it can send messages that look like the service's."""
    with caller.store.reading() as connection:
        found = get_webhook(connection, webhook)
    return WebhookSecret(secret=secret_text(caller.service.secrets.webhook_secret(webhook, found.generation)))


@router.post(
    "/{webhook}/rotate-secret",
    summary="Renew a webhook's secret",
    response_model=Webhook,
    responses=_written(200, "It has another secret, which has to be asked for", NOT_FOUND),
)
def rotate(caller: Admin, request: Request, webhook: WebhookParam, idempotency_key: IdempotencyKey = None) -> Response:
    """For a day messages are signed with the old one as well."""
    return _write(caller, request, idempotency_key, lambda own: Webhook.of(own.rotate(webhook)))


@router.post(
    "/{webhook}/ping",
    summary="Try a webhook out",
    status_code=202,
    response_model=Delivery,
    responses=_written(202, "A message of the event `ping` is sent; this is how it stands", NOT_FOUND),
)
def ping(caller: Admin, request: Request, webhook: WebhookParam, idempotency_key: IdempotencyKey = None) -> Response:
    """It is signed, sent, and tried again, as all messages are."""
    return _write(caller, request, idempotency_key, lambda own: Delivery.of(own.ping(webhook)), status=202)


@router.get(
    "/{webhook}/deliveries",
    summary="List messages to a webhook",
    responses=problems(*AUTHENTICATED, NOT_FOUND),
)
def deliveries(
    caller: Admin,
    webhook: WebhookParam,
    limit: Limit = 50,
    cursor: BatchCursor = None,
    state: Annotated[DeliveryStateName | None, Query(description="Only those in this state.")] = None,
) -> Deliveries:
    """The newest first, with what became of each; for a month, or as long as the operator keeps them."""
    before = None if cursor is None else numbers_of(cursor)[0]
    wanted = None if state is None else DeliveryState(state)
    with caller.store.reading() as connection:
        found, has_more = service.page_of_deliveries(connection, webhook, state=wanted, before=before, limit=limit)
    return Deliveries(
        deliveries=[Delivery.of(each) for each in found], next=cursor_of(found[-1].id) if has_more else None
    )


@router.get(
    "/{webhook}/deliveries/{delivery}",
    summary="Show a message to a webhook",
    responses=problems(*AUTHENTICATED, NOT_FOUND),
)
def delivery(caller: Admin, webhook: WebhookParam, delivery: DeliveryParam) -> Delivery:
    """What is sent, and what became of it."""
    with caller.store.reading() as connection:
        return Delivery.of(get_delivery(connection, webhook, delivery))


@router.post(
    "/{webhook}/deliveries/{delivery}/redeliver",
    summary="Send a message again",
    status_code=202,
    response_model=Delivery,
    responses=_written(202, "It is sent again, with all its attempts; this is how it stands", NOT_FOUND),
)
def redeliver(
    caller: Admin,
    request: Request,
    webhook: WebhookParam,
    delivery: DeliveryParam,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Whatever became of it; with the same `webhook-id`, so that a receiver which has it knows."""
    return _write(
        caller, request, idempotency_key, lambda own: Delivery.of(own.redeliver(webhook, delivery)), status=202
    )
