"""A host of documents, as an institution or a learner's page would be one; it remembers how it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Self


@dataclass
class DocumentHost:
    """Serves bytes by path on this machine; used as a context."""

    documents: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    """Of paths that are answered with another status than 200."""
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """More headers, by path."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Paths and headers of the requests that came."""
    silent: set[str] = field(default_factory=set)
    """Paths that are answered only when the host ends."""

    def __post_init__(self) -> None:
        host = self
        self._over = Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append((self.path, dict(self.headers.items())))
                if self.path in host.silent:
                    host._over.wait(60)
                body = host.documents.get(self.path)
                self.send_response(host.statuses.get(self.path, 404 if body is None else 200))
                for name, value in host.headers.get(self.path, {}).items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body or b"")
                except OSError:  # who asked has seen enough
                    self.close_connection = True

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name it has there
                del format

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"
