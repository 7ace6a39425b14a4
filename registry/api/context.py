"""What routes work with: the service, and what the API adds to it; put into the app once, taken out by a dependency."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from anchor.activity import Timeline
from registry.api.access_log import AccessLog
from registry.api.limits import RateLimiter, client_of
from registry.api.metrics import Metrics
from registry.api.page_status import PageStatus
from registry.api.pool import Pool
from registry.api.problems import TOO_MANY_REQUESTS, ProblemError
from registry.api.streams import Streams
from registry.api_wiring import ApiService
from registry.web.ledger_plots import Kept

_WAITING_FOR_PLOTS: Final = 32
"""Requests; the last of them waits ten seconds."""
NO_CLIENT: Final = "unknown"
"""Stands for the address where the server knows none, as behind a UNIX socket."""


@dataclass(slots=True)
class Downloads:
    """Archives that are being made."""

    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What one app's routes share."""

    service: ApiService
    metrics: Metrics
    log: AccessLog
    pool: Pool
    """For what asks nodes, which may dawdle: the threads of everything else stay free."""
    page_status: PageStatus
    anonymous: RateLimiter
    """By address."""
    by_key: RateLimiter
    """By API key."""
    streams: Streams
    archives: Downloads = field(default_factory=Downloads)
    timelines: Kept[Timeline] = field(default_factory=Kept)
    """The explorer's, and plots of them."""
    plots: Kept[bytes] = field(default_factory=Kept)
    drawing: Pool = field(default_factory=lambda: Pool(1, places=_WAITING_FOR_PLOTS))
    """For plots, each of which takes a good part of a second of a processor."""
    downloads: Counter[str] = field(default_factory=Counter)
    """Of the registry's history, by who takes them."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin something that no answer waits for; it raises nothing."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End: what was begun is finished, then connections are given up."""
        await self.streams.wait_closed()
        await asyncio.gather(*self._tasks)
        self.pool.close()
        self.drawing.close()
        self.service.close()


def make_context(service: ApiService) -> Context:
    """Put together what one app's routes share."""
    options = service.options
    pool = Pool(options.node_threads)
    return Context(
        service=service,
        metrics=Metrics(),
        log=AccessLog(),
        pool=pool,
        page_status=PageStatus(service.page_verdicts, pool, service.now),
        anonymous=RateLimiter(options.anonymous_per_minute, time.monotonic),
        by_key=RateLimiter(options.key_per_minute, time.monotonic),
        streams=Streams(service.store, service.now, most=options.max_streams, most_per_key=options.max_streams_per_key),
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
