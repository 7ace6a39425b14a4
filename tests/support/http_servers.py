"""Servers of tests, each in a thread of its own for as long as a context lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

Answer = Callable[[str, Mapping[str, str]], tuple[int, bytes]]
"""From a path and headers to a status and a body."""


@contextmanager
def running(server: HTTPServer) -> Iterator[str]:
    """Run a server; give its address."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """Answer all that is asked for, one after the other; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path, dict(self.headers.items()))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            del words

    with running(HTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address
