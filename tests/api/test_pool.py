"""Threads for slow work: bounded, whatever clients do."""

import asyncio
import threading

import pytest

from registry.api.pool import Pool
from registry.errors import BusyError


def test_there_are_so_many_places_and_no_more() -> None:
    async def story() -> None:
        pool, gate = Pool(1), threading.Event()
        first, second = (asyncio.ensure_future(pool.run(gate.wait)) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await pool.run(gate.wait)
        # Whoever gives up waiting does not make room: the thread works on.
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        with pytest.raises(BusyError):
            await pool.run(gate.wait)
        gate.set()
        assert await second
        assert await pool.run(lambda: 7) == 7
        pool.close()

    asyncio.run(story())
