"""A node that may lie: an HTTP server before a real one, which changes what it likes of each answer.

The chain behind it does not change any more, so what the real node once said is kept and said again: thousands of cases
take seconds. Requests one by one and in batches (JSON-RPC 2.0, section 6) are taken alike.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

Json = dict[str, Any]


class Fault(Enum):
    """What a node may do instead of answering."""

    SLOW = "no answer for long"
    ABSENT = "nobody listens"
    BUSY = "HTTP 429"
    BROKEN = "HTTP 500, 502, 503 or 504"
    FORBIDDEN = "HTTP 401, 403 or 404"
    DROPPED = "the connection is cut before the answer"
    CUT = "the connection is cut within the answer"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a lie makes true that comes from whatever vouches for the block, and so cannot be seen."""

    truths: frozenset[tuple[str, str]]
    """Outcomes and reasons that follow from it."""
    block: int | None = None
    """Number of the block that the verdict must then name."""


def _same(_method: str, _params: list[Any], result: Any) -> Any:
    return result


@dataclass(frozen=True, kw_only=True)
class Lie:
    """How one node answers."""

    result: Callable[[str, list[Any], Any], Any] = _same
    """Method, parameters and true result -> result."""
    ask: Callable[[str, list[Any]], list[Any]] = lambda _method, params: params
    """Method and parameters -> what the real node is asked instead."""
    response: Callable[[str, Json], Any] = lambda _method, response: response
    """Method and JSON-RPC response -> what takes its place."""
    body: Callable[[bytes], bytes] = lambda data: data
    """The whole answer -> the bytes sent."""
    fault: Fault | None = None
    status: int = 200
    methods: frozenset[str] | None = None
    """Methods at which the fault happens; None: all."""
    touches: frozenset[str] | None = None
    """Facts that it is about; None: all."""
    told: Told | None = None
    real: RealNode | None = None
    """Whom it asks itself; None: the real node."""


HONEST: Final = Lie(touches=frozenset())


class RealNode:
    """What the real node says, each question asked once."""

    def __init__(self, url: str) -> None:
        self._address: Final = urlsplit(url)
        self._lock: Final = threading.Lock()
        self._kept: dict[str, str] = {}

    def response(self, method: str, params: Sequence[Any]) -> Json:
        """Give its response, without id."""
        question = json.dumps([method, params])
        with self._lock:
            text = self._kept.get(question)
            if text is None:
                text = self._kept[question] = self._fetch(method, params)
        response: Json = json.loads(text)
        return response

    def __call__(self, method: str, *params: Any) -> Any:
        """Give the result of what it must answer."""
        return self.response(method, params)["result"]

    def _fetch(self, method: str, params: Sequence[Any]) -> str:
        connection = http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=30)
        try:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        del answer["id"]
        return json.dumps(answer)


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # clients hang up on what is spoiled, as they should
            super().handle_error(request, client_address)


class LyingNode:
    """One such node."""

    def __init__(self, real: RealNode) -> None:
        self.real: Final = real
        self.lie = HONEST
        self.errors: list[BaseException] = []
        """What went wrong in a lie itself: a mistake of the test."""
        self.release = threading.Event()
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                node.handle(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        lie, asked = self.lie, json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        if lie.fault is not None and (lie.methods is None or any(call["method"] in lie.methods for call in calls)):
            self._misbehave(request, lie)
            return
        try:
            answers = [self._answer(lie, call) for call in calls]
            answer = lie.body(json.dumps(answers if isinstance(asked, list) else answers[0]).encode())
        except BaseException as error:
            self.errors.append(error)
            raise
        _send(request, lie.status, answer)

    def _answer(self, lie: Lie, call: Json) -> Any:
        method, params = call["method"], call["params"]
        response = (lie.real or self.real).response(method, lie.ask(method, params))
        if "result" in response:
            response["result"] = lie.result(method, params, response["result"])
        return lie.response(method, {"id": call["id"], **response})

    def _misbehave(self, request: BaseHTTPRequestHandler, lie: Lie) -> None:
        match lie.fault:
            case Fault.SLOW:
                self.release.wait(10)
                _drop(request)
            case Fault.DROPPED:
                _drop(request)
            case Fault.CUT:
                _head(request, 200, 1000)
                request.wfile.write(b'{"jsonrpc":"2.0","id":')
                request.wfile.flush()
                _drop(request)
            case _:
                _send(request, lie.status, b"no")


def _head(request: BaseHTTPRequestHandler, status: int, length: int) -> None:
    request.send_response_only(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(length))
    request.end_headers()


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    _head(request, status, len(body))
    with suppress(ConnectionError):  # the client hangs up on what is too long, as it should
        request.wfile.write(body)
        request.wfile.flush()


def _drop(request: BaseHTTPRequestHandler) -> None:
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.close_connection = True
    request.connection.close()
