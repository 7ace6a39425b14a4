"""A real HTTP server that takes messages, as an institution's system would; it answers as a test wants."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, Final

from tests.support.http_servers import running

WAIT_SECONDS: Final = 60
"""After so long, what a test waits for does not come any more."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """One message."""

    path: str
    headers: Message
    body: bytes

    @property
    def id(self) -> str:
        return str(self.headers["webhook-id"])


Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and headers; of their names, _ stands for -."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return answer


@dataclass(kw_only=True)
class Receiver:
    """One that listens."""

    port: int
    scheme: str = "http"
    host: str = "127.0.0.1"
    answer: Answer = field(default_factory=lambda: status(204))
    came: Queue[Received] = field(default_factory=Queue)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/hook?token=secret"

    def next(self) -> Received:
        """Wait for a message."""
        return self.came.get(timeout=WAIT_SECONDS)


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Listen on any free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.came.put(Received(path=self.path, headers=self.headers, body=body))
            receiver.answer(self)

        def log_message(self, *words: Any) -> None:
            del words

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """The other side went away, as some tests want it to."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver = Receiver(port=server.server_port, scheme="http" if context is None else "https")
    with running(server):
        yield receiver
