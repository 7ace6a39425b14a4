"""Who asks, and for which institution: every route that touches an institution's data gets it from here.

The institution comes from the API key, never from the address: a route is given that institution's store and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer

from anchor.errors import CredanchorError
from registry.api.context import Context, address_of, count
from registry.api.pool import Pool
from registry.api.problems import FORBIDDEN, UNAUTHENTICATED, ProblemError
from registry.api_wiring import ApiService
from registry.errors import NotPermittedError
from registry.services.access import Access, note_access
from registry.services.error_log import log_error
from registry.store.api_keys import Scope
from registry.store.connection import InstitutionId
from registry.store.engine import Store

T = TypeVar("T")

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An institution that asks."""

    access: Access
    institution: InstitutionId
    store: Store
    """Its own."""
    service: ApiService
    pool: Pool

    @property
    def actor(self) -> str:
        """As the audit log names it."""
        return f"key {self.access.key.prefix}"

    async def ask_ledger(self, ask: Callable[[], T]) -> T:
        """Have nodes asked, in a thread for that.

        Raises:
            BusyError: As many wait for nodes as can.
        """
        return await self.pool.run(ask)

    async def read_quickly(self, read: Callable[[], T]) -> T:
        """Have something read that takes a fraction of a millisecond, and happens very often.

        SQLite is read right here: readers wait for nobody, and handing the work to a thread takes longer than the work.
        PostgreSQL, which is reached by network and may not answer, is asked in a thread.
        """
        return await run_in_threadpool(read) if self.store.is_postgresql else read()


async def _access(request: Request, context: Context) -> Access:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        count(context.anonymous, address_of(request))
        raise ProblemError(UNAUTHENTICATED, headers=_CHALLENGE)
    access = context.service.door.recall(text)
    if access is None:
        access = await _open(request, context, text)
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
        log_error(error, requestId=request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who runs the service asks: opens institutions as such, and none of their data."""

    access: Access
    service: ApiService

    @property
    def actor(self) -> str:
        """As audit logs name it."""
        return f"operator's key {self.access.key.prefix}"


class _KeyWith(HTTPBearer):
    # One dependency, with none beneath: each takes the web framework as long as reading a proof takes us. What it
    # inherits says in the OpenAPI document that a key is needed.

    def __init__(self, *scopes: Scope) -> None:
        super().__init__(scheme_name="apiKey", description="An API key, made by `credanchor api-key new`.")
        self._scopes: Final = scopes

    async def _who(self, request: Request) -> Caller | Operator:
        context: Context = request.app.state.context
        access = await _access(request, context)
        if not any(map(access.has, self._scopes)):
            raise needs_scope(*self._scopes)
        service = context.service
        if access.institution is None:
            return Operator(access=access, service=service)
        return Caller(
            access=access,
            institution=access.institution,
            store=service.store.of(access.institution),
            service=service,
            pool=context.pool,
        )


def needs_scope(*scopes: Scope) -> ProblemError:
    """Say that a key is good for something else."""
    names = " or ".join(scope.value for scope in scopes)
    return ProblemError(FORBIDDEN, f"this needs an API key with the scope {names}")


class CallerWith(_KeyWith):
    """A dependency that gives the institution that asks, if its key has one of some scopes.

    Args:
        scopes: What the key must be good for; one of them does.
    """

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]
        """Give it.

        Raises:
            ProblemError: There is no valid key, it has not the scope, or it is the operator's.
        """
        who = await self._who(request)
        if isinstance(who, Operator):
            raise ProblemError(FORBIDDEN, "this is the operator's API key; an institution's is needed")
        return who


class OperatorWith(_KeyWith):
    """A dependency that lets the operator alone pass, if its key has a scope.

    Args:
        scope: What the key must be good for.
    """

    async def __call__(self, request: Request) -> Operator:  # type: ignore[override]
        """Give the operator.

        Raises:
            ProblemError: There is no valid key, it has not the scope, or it is an institution's.
        """
        who = await self._who(request)
        if isinstance(who, Caller):
            raise ProblemError(FORBIDDEN, "this is an institution's API key; the operator's is needed")
        return who


class AnybodyWith(_KeyWith):
    """A dependency that gives the institution that asks, or the operator, if the key has a scope.

    Args:
        scope: What the key must be good for.
    """

    async def __call__(self, request: Request) -> Caller | Operator:  # type: ignore[override]
        """Give who asks.

        Raises:
            ProblemError: There is no valid key, or it has not the scope.
        """
        return await self._who(request)


Reader = Annotated[Caller, Depends(CallerWith(Scope.READ))]
"""An institution whose key may read."""
Issuing = Annotated[Caller, Depends(CallerWith(Scope.ISSUE))]
"""An institution whose key may issue."""
Changing = Annotated[Caller, Depends(CallerWith(Scope.STATUS))]
"""An institution whose key may change status."""
IssuingOrChanging = Annotated[Caller, Depends(CallerWith(Scope.ISSUE, Scope.STATUS))]
"""An institution whose key may do one of these; the route has to see what of it is asked for."""
Admin = Annotated[Caller, Depends(CallerWith(Scope.ADMIN))]
"""An institution whose key may decide what it issues, and who may use its API."""
