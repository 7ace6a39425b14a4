"""The status on learners' pages: asked for once however many look at the same time, and never waited for too long.

A page is shown without its status rather than not at all: then it is unknown, and the page says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from fastapi.concurrency import run_in_threadpool

from anchor.credential import Credential
from anchor.errors import CredanchorError
from anchor.model import Verdict
from registry.api.pool import Pool
from registry.errors import BusyError
from registry.services.error_log import log_error
from registry.services.page_verdicts import EvidenceKey, PageVerdicts, key_of
from registry.web.status import UNKNOWN, StatusView, status_of

PATIENCE_SECONDS: Final = 5.0
"""For how long a page waits for nodes; what they prove later is there for the next look."""


class PageStatus:
    """Asked in the event loop only.

    Args:
        verdicts: Judges.
        pool: In which nodes are asked.
        now: The clock, Unix seconds.
        patience_seconds: How long to wait for an answer.
    """

    def __init__(
        self,
        verdicts: PageVerdicts,
        pool: Pool,
        now: Callable[[], int],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._verdicts: Final = verdicts
        self._pool: Final = pool
        self._now: Final = now
        self._patience: Final = patience_seconds
        self._asking: Final[dict[EvidenceKey, asyncio.Task[Verdict]]] = {}

    async def of(self, credential: Credential, request_id: str) -> StatusView:
        """Tell what to say of a credential's status.

        Args:
            credential: The credential.
            request_id: For the log, where something is in the way.
        """
        try:
            return status_of(await self._verdict(credential))
        except (BusyError, TimeoutError):
            return UNKNOWN
        except CredanchorError as error:
            log_error(error, requestId=request_id)
            return UNKNOWN

    async def _verdict(self, credential: Credential) -> Verdict | None:
        recalled = await self._recall(credential)
        if recalled is not None:
            return recalled
        key = key_of(credential)
        asking = self._asking.get(key)
        is_first = asking is None
        if asking is None:
            ask = partial(self._verdicts.ask, credential, now=self._now())
            asking = self._asking[key] = asyncio.create_task(self._pool.run(ask))
            asking.add_done_callback(partial(self._end, key))
        # Whoever came first gives up waiting, perhaps, but the nodes' answer is still good for the others.
        async with asyncio.timeout(self._patience):
            verdict = await asyncio.shield(asking)
        # What was asked for another credential of the batch is evidence for this one.
        return verdict if is_first else await self._recall(credential)

    async def _recall(self, credential: Credential) -> Verdict | None:
        return await run_in_threadpool(partial(self._verdicts.recall, credential, now=self._now()))

    def _end(self, key: EvidenceKey, asked: asyncio.Task[Verdict]) -> None:
        self._asking.pop(key, None)
        if not asked.cancelled():
            asked.exception()  # told to those who waited; if nobody does any more, it is nobody's
