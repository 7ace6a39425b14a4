"""API keys of the institution that asks: listed, made, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from registry.api.answers import cursor_of, numbers_of
from registry.api.auth import Admin
from registry.api.documents import AUTHENTICATED, problems
from registry.api.problems import CONFLICT, MALFORMED, NOT_FOUND, TOO_LARGE
from registry.api.routes.batches import BatchCursor, Limit
from registry.api.schemas.api_keys import ApiKey, ApiKeys, MadeApiKey, NewApiKey, RevokedApiKey
from registry.api.schemas.base import Document
from registry.api.strict import StrictRoute
from registry.api.writes import MADE_HEADERS, WRITE_HEADERS, IdempotencyKey, answer_write
from registry.services.hosting import make_key, revoke_key
from registry.store.api_keys import Scope, get_api_key, list_api_keys
from registry.store.connection import InstitutionConnection

router = APIRouter(prefix="/v1/api-keys", tags=["API keys"], route_class=StrictRoute)

_Prefix = Annotated[str, Path(pattern="^[0-9a-f]{16}$", examples=["0f3c5a0f9b11aa02"])]


@router.get("", summary="List API keys", responses=problems(*AUTHENTICATED))
def list_all(caller: Admin, limit: Limit = 50, cursor: BatchCursor = None) -> ApiKeys:
    """The institution's, the oldest first, also those that are revoked or have expired; never their secrets."""
    after = 0 if cursor is None else numbers_of(cursor)[0]
    with caller.store.reading() as connection:
        found = list_api_keys(connection.plain, caller.institution, after=after, limit=limit + 1)
    following = cursor_of(found[limit - 1].number) if len(found) > limit else None
    return ApiKeys(keys=[ApiKey.of(each) for each in found[:limit]], next=following)


@router.post(
    "",
    summary="Make an API key",
    status_code=201,
    response_model=MadeApiKey,
    responses={
        201: {"description": "It is made; its secret is in this answer and nowhere else", "headers": MADE_HEADERS},
        **problems(*AUTHENTICATED, MALFORMED, CONFLICT, TOO_LARGE),
    },
)
def make(caller: Admin, request: Request, asked: NewApiKey, idempotency_key: IdempotencyKey = None) -> Response:
    """For the institution that asks, with any scopes; it expires no later than the key that asks.

    The same request with the same `Idempotency-Key` is answered without the secret.
    """
    now, latest = caller.service.now(), caller.access.key.expires_at
    expires_at = latest if asked.expires_at is None else min(asked.expires_at, latest or asked.expires_at)

    def do(connection: InstitutionConnection) -> MadeApiKey:
        key, text = make_key(
            connection.plain,
            caller.institution,
            set(map(Scope, asked.scopes)),
            label=asked.label,
            expires_at=expires_at,
            actor=caller.actor,
            now=now,
        )
        return MadeApiKey(key=ApiKey.of(key), secret=text)

    return answer_write(
        caller,
        request,
        idempotency_key,
        asked,
        do,
        status=201,
        kept=_without_secret,
        location=lambda answer: f"/v1/api-keys/{answer['key']['prefix']}",
    )


@router.get("/{prefix}", summary="Show an API key", responses=problems(*AUTHENTICATED, NOT_FOUND))
def show(caller: Admin, prefix: _Prefix) -> ApiKey:
    """What is known of it; never its secret."""
    with caller.store.reading() as connection:
        return ApiKey.of(get_api_key(connection.plain, caller.institution, prefix))


@router.post(
    "/{prefix}/revoke",
    summary="Revoke an API key",
    response_model=RevokedApiKey,
    responses={
        200: {"description": "It opens nothing any more, a second from now at the latest", "headers": WRITE_HEADERS},
        **problems(*AUTHENTICATED, NOT_FOUND, CONFLICT),
    },
)
def revoke(caller: Admin, request: Request, prefix: _Prefix, idempotency_key: IdempotencyKey = None) -> Response:
    """For ever; twice does no more than once. Keys that it made stay: look for them in the list.

    A key may revoke itself, also as the last one with the scope admin; the answer says so.
    """
    now = caller.service.now()

    def do(connection: InstitutionConnection) -> RevokedApiKey:
        plain, own = connection.plain, caller.institution
        key = get_api_key(plain, own, prefix)
        if key.revoked_at is None:
            key = revoke_key(plain, own, prefix, actor=caller.actor, now=now)
        return RevokedApiKey(
            key=ApiKey.of(key),
            is_own=key.prefix == caller.access.key.prefix,
            admin_keys_left=sum(
                Scope.ADMIN in each.scopes and each.is_in_force(now) for each in list_api_keys(plain, own)
            ),
        )

    return answer_write(caller, request, idempotency_key, None, do)


def _without_secret(made: Document) -> Document:
    return made.model_copy(update={"secret": None})
