"""Who asks, and for which institution: every route that touches an institution's data gets it from here.

The institution comes from the API key, never from the address: a route is given that institution's store and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from anchor.errors import CredanchorError
from registry.api.context import Context, ContextDep, address_of, count
from registry.api.gate import log_error
from registry.api.problems import FORBIDDEN, UNAUTHENTICATED, ProblemError
from registry.errors import NotPermittedError
from registry.service import Service
from registry.services.access import Access, note_access
from registry.store.api_keys import Scope
from registry.store.connection import InstitutionId
from registry.store.engine import Store

_bearer: Final = HTTPBearer(
    auto_error=False, scheme_name="apiKey", description="An API key, made by `credanchor api-key new`."
)
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An institution that asks."""

    access: Access
    institution: InstitutionId
    store: Store
    """Its own."""
    service: Service

    @property
    def now(self) -> int:
        """The time of the request, in Unix seconds."""
        return self.service.now()


async def _access(
    request: Request,
    context: ContextDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Access:
    if credentials is None:
        count(context.anonymous, address_of(request))
        raise ProblemError(UNAUTHENTICATED, headers=_CHALLENGE)
    access = context.service.door.recall(credentials.credentials)
    if access is None:
        access = await _open(request, context, credentials.credentials)
    count(context.by_key, access.key.prefix)
    request.state.institution = access.institution
    return access


async def _open(request: Request, context: Context, text: str) -> Access:
    service = context.service
    now = service.now()
    try:
        access = await run_in_threadpool(service.door.open, text, now=now)
    except NotPermittedError:
        # Trying out keys is no use, but it is work.
        count(context.anonymous, address_of(request))
        raise ProblemError(UNAUTHENTICATED, headers=_CHALLENGE) from None
    if access.is_use_to_be_noted(now):
        context.start(_note(context, access, now, request.state.request_id))
    return access


async def _note(context: Context, access: Access, now: int, request_id: str) -> None:
    # Beside the request: who writes to SQLite may have to wait for others.
    try:
        await run_in_threadpool(note_access, context.service.store, access, now=now)
    except CredanchorError as error:
        log_error(request_id, error)


class CallerWith:
    """A dependency that gives the institution that asks, if its key has a scope.

    Args:
        scope: What the key must be good for.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope: Final = scope

    async def __call__(self, context: ContextDep, access: Annotated[Access, Depends(_access)]) -> Caller:
        """Give it.

        Raises:
            ProblemError: The key has not the scope, or is the operator's.
        """
        if not access.has(self._scope):
            raise ProblemError(FORBIDDEN, f"this needs an API key with the scope {self._scope.value}")
        if access.institution is None:
            raise ProblemError(FORBIDDEN, "this is the operator's API key; an institution's is needed")
        service = context.service
        return Caller(
            access=access,
            institution=access.institution,
            store=service.store.of(access.institution),
            service=service,
        )


Reader = Annotated[Caller, Depends(CallerWith(Scope.READ))]
"""An institution whose key may read."""
