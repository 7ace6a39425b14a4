"""Streams of events: one watcher a process looks at the jobs for all who watch.

So watching costs no thread and no connection to the database. A slow client misses what is overtaken: of each job it is
told the newest, never all that was in between.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from typing import Final

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from registry.api.problems import TOO_MANY_REQUESTS, ProblemError
from registry.errors import BusyError
from registry.services.error_log import log_error
from registry.store.api_keys import still_valid
from registry.store.connection import InstitutionId
from registry.store.engine import Store
from registry.store.job_progress import JobProgress, watched_progress
from registry.store.jobs import JobId

LOOK_SECONDS: Final = 1.0
"""How often the watcher looks."""
HEARTBEAT_SECONDS: Final = 15.0
"""After so long without an event a comment is sent: proxies shall see that the connection is alive."""
RETRY_MILLISECONDS: Final = 3000
"""When a client shall come again that was cut off."""
RECENT_SECONDS: Final = 3600
"""How long jobs that have ended are looked at: what ends them may have begun to be written that long before."""
_LAST_WORDS_SECONDS: Final = 5.0
"""How long a client may take to read what it is still to be told when its stream ends."""

Write = Callable[[JobProgress], tuple[str, str]]
"""Gives an event's id and data."""


class Stream:
    """What one client watches. Used in the event loop only.

    Args:
        key: Prefix of its API key.
        institution: Whose jobs.
        job: The one that is watched; None: all of them.
        seconds: How long it goes on at most.
        write: Writes an event.
    """

    def __init__(
        self, key: str, institution: InstitutionId, job: JobId | None, *, seconds: float, write: Write
    ) -> None:
        self.key: Final = key
        self.institution: Final = institution
        self.job: Final = job
        self._write: Final = write
        self._end: Final = time.monotonic() + seconds
        self._told: Final[dict[JobId, int]] = {}
        """Revisions."""
        self._unfinished: Final[set[JobId]] = set()
        self._waiting: Final[dict[JobId, JobProgress]] = {}
        self._is_over = False
        self._something: Final = asyncio.Event()
        self.timer: asyncio.Timeout | None = None

    @property
    def numbers(self) -> Collection[JobId]:
        """Jobs to be looked at in any case: those that had not ended when the client was last told of them."""
        return self._unfinished if self.job is None else (self.job,)

    def know(self, progress: JobProgress) -> None:
        """Take it that the client knows this already."""
        self._told[progress.id] = progress.revision
        (self._unfinished.discard if progress.has_ended else self._unfinished.add)(progress.id)

    def offer(self, seen: Collection[JobProgress]) -> None:
        """Take in how jobs stand; those that are not this client's, or that it knows, are passed over."""
        own = [each for each in seen if each.institution == self.institution and self.job in {None, each.id}]
        for each in own:
            if each.revision > self._told.get(each.id, 0):
                self.know(each)
                self._waiting[each.id] = each
                self._something.set()

    def forget(self, current: Collection[JobId]) -> None:
        """Forget jobs that are not looked at any more, because they ended long ago."""
        for number in self._told.keys() - set(current):
            del self._told[number]

    def end(self) -> None:
        """End it as soon as the client has what it is to be told."""
        self._is_over = True
        self._something.set()
        if self.timer is not None:
            self.timer.reschedule(asyncio.get_running_loop().time() + _LAST_WORDS_SECONDS)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give what is sent, as it comes."""
        yield format_sse_event(comment="events of jobs", retry=RETRY_MILLISECONDS)
        while True:
            for number in list(self._waiting):
                progress = self._waiting.pop(number)
                identity, data = self._write(progress)
                yield format_sse_event(event="job", id=identity, data_str=data)
                if self.job is not None and progress.has_ended:
                    return
            left = self._end - time.monotonic()
            if self._waiting:
                continue
            if self._is_over or left <= 0:
                return
            self._something.clear()
            try:
                async with asyncio.timeout(min(left, HEARTBEAT_SECONDS)):
                    await self._something.wait()
            except TimeoutError:
                yield format_sse_event(comment="")


class StreamResponse(EventSourceResponse):
    """Answers with a stream, and gives its place back in any case."""

    def __init__(self, streams: Streams, stream: Stream) -> None:
        # Proxies shall pass on each event, not wait for more.
        super().__init__(stream.pieces(), headers={"X-Accel-Buffering": "no"})
        self._streams: Final = streams
        self._stream: Final = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it until it ends, or the client has gone."""
        try:
            # One who has stopped reading is cut off some time after the end.
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as self._stream.timer:
                    await super().__call__(scope, receive, send)
        finally:
            self._streams.close(self._stream)


class Streams:
    """All streams of a process. Used in the event loop only.

    Args:
        store: The database.
        clock: Unix seconds.
        most: How many there may be.
        most_per_key: How many with one API key.
    """

    def __init__(self, store: Store, clock: Callable[[], int], *, most: int, most_per_key: int) -> None:
        self._store: Final = store
        self._clock: Final = clock
        self._most: Final = most
        self._most_per_key: Final = most_per_key
        self._open: Final[set[Stream]] = set()
        self._by_key: Final[Counter[str]] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    def open(self, stream: Stream) -> StreamResponse:
        """Take a stream in.

        Raises:
            ProblemError: There are as many with its key as there may be.
            BusyError: There are as many as there may be, or the service ends.
        """
        if self._by_key[stream.key] >= self._most_per_key:
            detail = f"{self._most_per_key} streams are open with this API key"
            raise ProblemError(TOO_MANY_REQUESTS, detail, headers={"Retry-After": "30"})
        if self._is_over or len(self._open) >= self._most:
            raise BusyError("as many streams as can be are open")
        self._open.add(stream)
        self._by_key[stream.key] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        return StreamResponse(self, stream)

    def close(self, stream: Stream) -> None:
        """Give a stream's place back."""
        self._open.discard(stream)
        self._by_key[stream.key] -= 1
        if not self._by_key[stream.key]:
            del self._by_key[stream.key]

    def end(self) -> None:
        """End all streams, and take no more in."""
        self._is_over = True
        for stream in self._open:
            stream.end()

    async def wait_closed(self) -> None:
        """Wait until nothing is looked at any more."""
        self.end()
        if self._task is not None:
            await self._task

    async def _watch(self) -> None:
        while self._open and not self._is_over:
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - no verdict comes of it: the next look may do better
                log_error(error, watcher="jobs")
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        streams = list(self._open)
        whole = {each.institution for each in streams if each.job is None}
        numbers = {number for each in streams for number in each.numbers}
        keys = {each.key for each in streams}
        seen, valid = await run_in_threadpool(self._read, whole, numbers, keys)
        current = [each.id for each in seen]
        for stream in streams:
            if stream.key in valid:
                stream.offer(seen)
                stream.forget(current)
            else:
                stream.end()

    def _read(
        self, institutions: Collection[InstitutionId], numbers: Collection[JobId], keys: Collection[str]
    ) -> tuple[tuple[JobProgress, ...], frozenset[str]]:
        now = self._clock()
        with self._store.operator_reading() as connection:
            valid = still_valid(connection, keys, now=now)
            return watched_progress(connection, institutions, numbers, since=now - RECENT_SECONDS), valid
