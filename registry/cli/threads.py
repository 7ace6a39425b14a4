"""What a command does beside its main work, each in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def beside(parts: Mapping[str, Callable[[threading.Event], None]], *, seconds: float | None) -> Iterator[None]:
    """Run parts beside; when the block ends they are told to end, too.

    Args:
        parts: By name; each goes on until the event that it is given is set.
        seconds: How long all that they are at then may take; after that it is broken off. None: any time.
    """
    stop = threading.Event()
    threads = [threading.Thread(target=part, args=(stop,), name=name, daemon=True) for name, part in parts.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        deadline = None if seconds is None else time.monotonic() + seconds
        for thread in threads:
            thread.join(None if deadline is None else max(0, deadline - time.monotonic()))
