"""Threads for what takes long, such as asking nodes: only so many at once, only so many more waiting.

A thread cannot be stopped: one whose client was told that it took too long works on to its end, and keeps its place
meanwhile. So no number of slow requests makes more threads than there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from registry.errors import BusyError

T = TypeVar("T")


class Pool:
    """Asked in the event loop only.

    Args:
        threads: How many work at once.
        places: How many may be working or waiting; default: as many again as work.
    """

    def __init__(self, threads: int, *, places: int | None = None) -> None:
        self._executor: Final = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="pool")
        self._places: Final = places or 2 * threads
        self._taken = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Have something done in a thread.

        Raises:
            BusyError: There is no place left.
        """
        if self._taken >= self._places:
            raise BusyError("as many requests as can wait are waiting")
        loop = asyncio.get_running_loop()
        self._taken += 1
        try:
            future = self._executor.submit(work)
        except BaseException:
            self._taken -= 1
            raise
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._give_back))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Take nothing more; what waits is not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _give_back(self) -> None:
        self._taken -= 1
