"""The process that asks, over a few connections that stay open: as fast as they go, or at a steady rate.

bench_load.py PORT SECONDS [RATE] < REQUESTS: a JSON array of requests, sent in turn. Prints JSON: requests a second,
and the times in milliseconds within which half and 99 of 100 of them were answered. With a rate, a request's time
begins when it was due, whether or not a connection was free then.
"""

import asyncio
import json
import statistics
import sys
import time
from collections import deque
from itertools import cycle
from typing import cast

CONNECTIONS = 8


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._since = 0.0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to ask."""
        self._transport = cast(asyncio.Transport, transport)
        self._load.free(self)

    def ask(self, request: bytes, since: float) -> None:
        """Send a request whose time began then."""
        self._since, self._answer = since, b""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take a part of the answer; after its end, ask again."""
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            if not head.startswith(b"HTTP/1.1 200"):
                sys.exit(f"the server answered {self._answer[:500]!r}")
            self._load.note(time.perf_counter() - self._since)
            self._load.free(self)


class Load:
    """All of it."""

    def __init__(self, requests: list[bytes], rate: float | None) -> None:
        self._requests = cycle(requests)
        self._is_steady = rate is not None
        self._idle: deque[Connection] = deque()
        self._due: deque[float] = deque()
        self.times: list[float] = []

    def free(self, connection: Connection) -> None:
        """Give a connection its next request, at once or when one is due."""
        if not self._is_steady:
            connection.ask(next(self._requests), time.perf_counter())
        elif self._due:
            connection.ask(next(self._requests), self._due.popleft())
        else:
            self._idle.append(connection)

    def note(self, seconds: float) -> None:
        """Note how long an answer took."""
        self.times.append(seconds)

    async def keep_rate(self, rate: float, seconds: float) -> None:
        """Have so many requests sent a second, evenly."""
        started, sent = time.perf_counter(), 0
        while (now := time.perf_counter()) < started + seconds:
            while started + sent / rate <= now:
                self._due.append(started + sent / rate)
                sent += 1
            while self._due and self._idle:
                self._idle.popleft().ask(next(self._requests), self._due.popleft())
            await asyncio.sleep(0.0005)


async def run(port: int, seconds: float, rate: float | None) -> None:
    load = Load([each.encode() for each in json.load(sys.stdin)], rate)
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
    started = time.perf_counter()
    await (asyncio.sleep(seconds) if rate is None else load.keep_rate(rate, seconds))
    took = time.perf_counter() - started
    hundredths = statistics.quantiles(load.times, n=100)
    content = {
        "perSecond": len(load.times) / took,
        "medianMs": statistics.median(load.times) * 1000,
        "p99Ms": hundredths[-1] * 1000,
    }
    print(json.dumps(content))


asyncio.run(run(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else None))
