"""What routes work with: the service, and what the API adds to it; put into the app once, taken out by a dependency."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from registry.api.limits import RateLimiter, client_of
from registry.api.metrics import Metrics
from registry.api.pool import Pool
from registry.api.problems import TOO_MANY_REQUESTS, ProblemError
from registry.service import Service

NO_CLIENT: Final = "unknown"
"""Stands for the address where the server knows none, as behind a UNIX socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What one app's routes share."""

    service: Service
    metrics: Metrics
    pool: Pool
    anonymous: RateLimiter
    """By address."""
    by_key: RateLimiter
    """By API key."""


def make_context(service: Service) -> Context:
    """Put together what one app's routes share."""
    options = service.options
    return Context(
        service=service,
        metrics=Metrics(),
        pool=Pool(options.verify_threads),
        anonymous=RateLimiter(options.anonymous_per_minute, time.monotonic),
        by_key=RateLimiter(options.key_per_minute, time.monotonic),
    )


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


ContextDep = Annotated[Context, Depends(_context)]


def count(limiter: RateLimiter, client: str) -> None:
    """Count a request of a client.

    Raises:
        ProblemError: It is one too many.
    """
    wait = limiter.seconds_to_wait(client)
    if wait:
        raise ProblemError(TOO_MANY_REQUESTS, headers={"Retry-After": str(wait)})


def address_of(request: Request) -> str:
    """Name the client by its address."""
    return NO_CLIENT if request.client is None else client_of(request.client.host)


async def limited_by_address(request: Request, context: ContextDep) -> None:
    """Count a request that comes without a key.

    Raises:
        ProblemError: It is one too many.
    """
    count(context.anonymous, address_of(request))
