"""Answers that are remembered for a while, so that whoever asks often keeps neither nodes nor threads busy."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class Remembered(ABC, Generic[T]):
    """May be asked by several threads.

    One asks at a time; meanwhile the others get the last answer: what dawdles is not to keep a thread for each who
    wants to know.

    Args:
        first: The answer before there is one.
        seconds: How long an answer is as good as a new one.
        clock: Seconds, never going back.
    """

    def __init__(self, first: T, seconds: float, clock: Callable[[], float]) -> None:
        self._last = first
        self._seconds: Final = seconds
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._since = -math.inf

    def get(self) -> T:
        """Give the last answer, or a new one if that is old."""
        if self._lock.acquire(blocking=False):
            try:
                if self._clock() - self._since > self._seconds:
                    self._last = self._ask_now()
                    self._since = self._clock()
            finally:
                self._lock.release()
        return self._last

    @abstractmethod
    def _ask_now(self) -> T:
        """Find out."""
