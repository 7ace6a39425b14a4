"""Filling in on all cores: processes that are given partitions and give rows and leaves back.

They are started anew rather than forked, for threads of this process may hold locks, such as that of a key being
unlocked; and without this process's main module, whose imports they do not need. They end when their input does, so
also when this process is killed; a terminal's Ctrl-C does not reach them.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import IO, Any, Final, cast

from registry.errors import StoreError
from registry.services.credentials import CredentialFrame
from registry.services.filling import FilledPartition, Filler
from registry.services.spool import Partition

HELPERS_FROM: Final = 20_000
"""Fewer credentials are done before other processes have started."""

_COMMAND: Final = (sys.executable, "-P", "-m", "registry.services.filling_helper")
_WAITING_FOR_EACH: Final = 2
"""Partitions that are sent out before their turn, for each helper."""


class Helpers:
    """One helper for each core, filling in for one frame; to be closed.

    Args:
        frame: What the batch's credentials have in common.
    """

    def __init__(self, frame: CredentialFrame) -> None:
        self._helpers: Final = [_Helper(frame) for _ in range(os.cpu_count() or 1)]
        self._idle: Final[SimpleQueue[_Helper]] = SimpleQueue()
        for helper in self._helpers:
            self._idle.put(helper)
        # A thread for each, which waits for it.
        self._threads: Final = ThreadPoolExecutor(len(self._helpers))

    def __enter__(self) -> Helpers:
        return self

    def __exit__(self, *_error: object) -> None:
        for helper in self._helpers:
            helper.end()
        self._threads.shutdown(cancel_futures=True)

    def fill(self, partitions: Iterable[Partition], first_position: int) -> Iterator[FilledPartition]:
        """Fill partitions in order, no more of them at a time than are soon wanted.

        Raises:
            StoreError: A helper died.
        """
        waiting: deque[Future[FilledPartition]] = deque()
        start = 0
        for partition in partitions:
            waiting.append(self._threads.submit(self._call, partition, start, first_position))
            start += partition.size
            if len(waiting) == len(self._helpers) * (1 + _WAITING_FOR_EACH):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _call(self, partition: Partition, start: int, first_position: int) -> FilledPartition:
        helper = self._idle.get()
        try:
            return helper.fill(partition, start, first_position)
        finally:
            self._idle.put(helper)


def fill_all(
    frame: CredentialFrame,
    partitions: Iterable[Partition],
    count: int,
    first_position: int,
    helpers: Helpers | None = None,
) -> Iterator[FilledPartition]:
    """Fill a batch's partitions, one after the other or, if there are many credentials, on all cores.

    Args:
        frame: What the credentials have in common.
        partitions: All of them, in order.
        count: Recipients in all.
        first_position: The batch's first status position, list * LIST_SIZE + index.
        helpers: Started already, for the same frame.

    Raises:
        StoreError: A helper died.
    """
    if helpers is None and (count < HELPERS_FROM or os.cpu_count() == 1):
        filler, start = Filler(frame), 0
        for partition in partitions:
            yield filler.fill(partition, start, first_position)
            start += partition.size
        return
    with Helpers(frame) if helpers is None else nullcontext(helpers) as crew:
        yield from crew.fill(partitions, first_position)


def start_helpers(frame: CredentialFrame, roster_bytes: int) -> AbstractContextManager[Helpers | None]:
    """Start helpers while a roster is read, if it is large enough that they will be wanted.

    Args:
        frame: What the credentials will have in common.
        roster_bytes: Size of the roster's file.
    """
    return Helpers(frame) if roster_bytes >= HELPERS_FROM * _BYTES_A_ROW and os.cpu_count() != 1 else nullcontext()


_BYTES_A_ROW: Final = 30
"""Of a roster with names and e-mails; compressed, as spreadsheets are, it has fewer: then they start later."""


class _Helper:
    """One process."""

    def __init__(self, frame: CredentialFrame) -> None:
        self._process: Final = subprocess.Popen(  # noqa: S603 - this program's own module
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        # Both are there, for both are piped.
        self._tasks: Final = cast(IO[bytes], self._process.stdin)
        self._answers: Final = cast(IO[bytes], self._process.stdout)
        self._send(frame)

    def fill(self, partition: Partition, start: int, first_position: int) -> FilledPartition:
        self._send((partition, start, first_position))
        try:
            answer = pickle.load(self._answers)  # noqa: S301 - from this program's own module
        except (EOFError, pickle.UnpicklingError) as error:
            raise _died() from error
        if isinstance(answer, Exception):
            raise answer
        filled: FilledPartition = answer
        return filled

    def end(self) -> None:
        """End it; what it is at is not wanted any more."""
        self._process.kill()
        self._process.communicate()

    def _send(self, message: Any) -> None:
        try:
            pickle.dump(message, self._tasks, protocol=pickle.HIGHEST_PROTOCOL)
            self._tasks.flush()
        except BrokenPipeError as error:
            raise _died() from error


def _died() -> StoreError:
    return StoreError(
        "a process that helps with issuing was ended; nothing was kept",
        advice="Perhaps the machine is short of memory. Try again.",
    )
