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
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from io import BufferedIOBase
from socketserver import StreamRequestHandler, ThreadingTCPServer
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
    ELSEWHERE = "HTTP 301, 302, 307 or 308, to another node"
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
    response: Callable[[str, list[Any], Json], Any] = lambda _method, _params, response: response
    """Method, parameters and JSON-RPC response -> what takes its place."""
    body: Callable[[bytes], bytes] = lambda data: data
    """The whole answer -> the bytes sent."""
    fault: Fault | None = None
    status: int = 200
    location: str = ""
    """Where it sends those who ask, with a status that says so."""
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
        self.url: Final = url
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


class _QuietServer(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

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

        class Handler(StreamRequestHandler):
            disable_nagle_algorithm = True
            wbufsize = -1

            def handle(self) -> None:
                while (body := _read_request(self.rfile)) is not None and node.answer(self, body):
                    pass

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: StreamRequestHandler, body: bytes) -> bool:
        """Answer one HTTP request; tell whether the connection lasts."""
        lie, asked = self.lie, json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        if lie.fault is not None and (lie.methods is None or any(call["method"] in lie.methods for call in calls)):
            return self._misbehave(request, lie)
        try:
            answers = [self.respond(lie, call) for call in calls]
            answer = lie.body(json.dumps(answers if isinstance(asked, list) else answers[0]).encode())
        except BaseException as error:
            self.errors.append(error)
            raise
        return _send(request, lie.status, answer)

    def respond(self, lie: Lie, call: Json) -> Any:
        """Give what takes the place of a response."""
        method, params = call["method"], call["params"]
        response = (lie.real or self.real).response(method, lie.ask(method, params))
        if "result" in response:
            response["result"] = lie.result(method, params, response["result"])
        return lie.response(method, params, {"id": call["id"], **response})

    def _misbehave(self, request: StreamRequestHandler, lie: Lie) -> bool:
        match lie.fault:
            case Fault.SLOW:
                self.release.wait(10)
                return _drop(request)
            case Fault.DROPPED:
                return _drop(request)
            case Fault.CUT:
                request.wfile.write(_head(200, 1000) + b'{"jsonrpc":"2.0","id":')
                request.wfile.flush()
                return _drop(request)
            case _:
                return _send(request, lie.status, b"no", lie.location)


def _read_request(stream: BufferedIOBase) -> bytes | None:
    """Read the body of one request; None if no more come. `http.server` would take half the time of these tests."""
    length = None
    while (line := stream.readline(65_536)) not in {b"", b"\r\n"}:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return None if length is None else stream.read(length)


def _head(status: int, length: int, location: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Content-Type: application/json"]
    lines += [f"Content-Length: {length}", *([f"Location: {location}"] if location else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _send(request: StreamRequestHandler, status: int, body: bytes, location: str = "") -> bool:
    try:
        request.wfile.write(_head(status, len(body), location) + body)
        request.wfile.flush()
    except ConnectionError:  # the client hangs up on what is too long, as it should
        return False
    return True


def _drop(request: StreamRequestHandler) -> bool:
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
    return False
