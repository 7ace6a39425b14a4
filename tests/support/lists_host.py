"""`https://lists.example`, on this machine: a real TLS server, its certificate, and a name that leads there."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_servers import running

NAME = "lists.example"
CERTIFICATE = Path(__file__).with_name("tls") / f"{NAME}.pem"
_KEY = CERTIFICATE.with_suffix(".key")


@dataclass(kw_only=True)
class ListsHost:
    port: int
    documents: dict[str, bytes] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"https://{NAME}:{self.port}{path}"


@contextmanager
def lists_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ListsHost]:
    """Serve documents by path; whatever is not there is 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = host.documents.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *words: Any) -> None:
            del words

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, _KEY)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    host = ListsHost(port=server.server_port)
    real = socket.getaddrinfo

    def resolve(name: Any, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if name == NAME else name, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    monkeypatch.setenv("NO_PROXY", NAME)
    with running(server):
        yield host
