"""The application behind a real socket, in a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import uvicorn
from fastapi import FastAPI

from registry.api.server import _Server

WAIT_SECONDS = 30


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve on any free port; give the address."""
    addresses: Queue[str] = Queue()
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=WAIT_SECONDS)
    server = _Server(config, addresses.put, app.state.context.streams.end)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield addresses.get(timeout=WAIT_SECONDS)
    finally:
        server.should_exit = True
        thread.join()
