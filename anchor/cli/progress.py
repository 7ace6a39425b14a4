"""A progress bar on the terminal, for work that takes more than a second."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

from anchor.cli.output import error_console

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE_SECONDS: Final = 1.0

T = TypeVar("T")


class PatientProgress:
    """Shows how far the work is, once it has taken a second; a context, so that Ctrl-C leaves the terminal clean.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._is_shown: Final = error_console.is_terminal and not quiet
        self._since: Final = time.monotonic()
        self._bars: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def track(self, things: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        """Go through things, and show how many are done.

        Args:
            things: What is worked on.
            what: What is being done, for people.
            total: How many there are, where that is known.
        """
        task = None
        for done, thing in enumerate(things, start=1):
            yield thing
            bars = self._shown()
            if bars is None:
                continue
            if task is None:
                task = bars.add_task(what, total=total)
            bars.update(task, completed=done)
        if task is not None and self._bars is not None:
            self._bars.remove_task(task)

    def _shown(self) -> Progress | None:
        if self._bars is None and self._is_shown and time.monotonic() - self._since > PATIENCE_SECONDS:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bars = Progress(*columns, console=error_console, transient=True)
            self._bars.start()
        return self._bars
