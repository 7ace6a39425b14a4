"""Has a service read its registry's history, as its worker does."""

from __future__ import annotations

import threading

from registry.api_wiring import ApiService


class OnceRound(threading.Event):
    """Is set when somebody begins to wait for it: whoever works until then works one round."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        self.set()
        return True


def read_history(service: ApiService) -> None:
    """Read, prove and show what there is now; then it is anybody's turn."""
    service.history_sync(service.registry).run(OnceRound())
