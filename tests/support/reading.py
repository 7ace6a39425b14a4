"""Has a service read its registry's history, as its worker does."""

from __future__ import annotations

import threading

from registry.api_wiring import ApiService


class Rounds(threading.Event):
    """Is set when somebody begins to wait for it: whoever works until then works one round, or so many."""

    def __init__(self, count: int = 1) -> None:
        super().__init__()
        self._left = count

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        self._left -= 1
        if self._left <= 0:
            self.set()
        return self.is_set()


def read_history(service: ApiService) -> None:
    """Read, prove and show what there is now; then it is anybody's turn."""
    service.history_sync(service.registry).run(Rounds())
