"""A node that misbehaves: a proxy before a real one, which counts what it is asked and may spoil it."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Fault(Enum):
    DROP_BEFORE = "the request never reaches the node"
    DROP_AFTER = "the node acts, its answer is lost"
    HANG_AFTER = "the node acts, its answer does not come"
    TRICKLE = "the answer comes a byte at a time"
    GARBAGE = "the answer is not JSON"
    TRUNCATED = "the answer is cut short"
    ERROR_500_BEFORE = "HTTP 500 instead of asking the node"
    ERROR_500_AFTER = "the node acts, then HTTP 500"
    BUSY = "HTTP 429"
    ENDLESS = "an answer without end"
    DEEP = "JSON nested without end"
    NULL = "the result is null"
    NO_OBJECT = "JSON, but no object"
    NO_RESULT = "neither result nor error"
    WRONG_TYPE = "the result is of another type"


Rule = Callable[[str, int], Fault | None]
"""Method, and how often it was called before -> what goes wrong."""


def _no_fault(_method: str, _count: int) -> Fault | None:
    return None


def _unchanged(_method: str, result: Any) -> Any:
    return result


def _unrefused(_method: str, _params: Any) -> str | None:
    return None


def answering(result: Any) -> Callable[[str, Any], Any]:
    """Change every answer to this one."""
    return lambda _method, _result: result


def refusing(message: str, method: str = "") -> Callable[[str, Any], str | None]:
    """Refuse one method, or all."""
    return lambda asked, _params: message if method in {"", asked} else None


def when(method: str, fault: Fault, *, times: int = 1000) -> Rule:
    """Spoil the first so many calls of a method."""
    return lambda asked, count: fault if asked == method and count < times else None


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # clients hang up on what is spoiled, as they should
            super().handle_error(request, client_address)


class FaultProxy:
    def __init__(self, target: str) -> None:
        self.calls: list[str] = []
        self.rule: Rule = _no_fault
        self.change: Callable[[str, Any], Any] = _unchanged
        self.refuse: Callable[[str, Any], str | None] = _unrefused
        """Method and parameters -> the message of a JSON-RPC error, or None."""
        self.status = 200
        self.release = threading.Event()
        self._target = urlsplit(target)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                proxy.handle(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def count(self, method: str) -> int:
        return self.calls.count(method)

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        method = json.loads(body)["method"]
        fault = self.rule(method, self.count(method))
        self.calls.append(method)
        if fault is Fault.DROP_BEFORE:
            self._drop(request)
            return
        answer = b"" if fault is Fault.ERROR_500_BEFORE else self._ask(body, method)
        match fault:
            case Fault.DROP_AFTER:
                self._drop(request)
            case Fault.HANG_AFTER:
                self.release.wait(10)
                self._drop(request)
            case Fault.TRICKLE:
                self._head(request, 200, len(answer))
                with suppress(ConnectionError):
                    for byte in answer:
                        if self.release.wait(0.02):
                            break
                        request.wfile.write(bytes([byte]))
            case Fault.ENDLESS:
                self._head(request, 200, 10**12)
                with suppress(ConnectionError):  # the client hangs up, as it should
                    while not self.release.is_set():
                        request.wfile.write(b" " * 65536)
            case Fault.TRUNCATED:
                self._head(request, 200, len(answer))
                request.wfile.write(answer[: len(answer) // 2])
                self._drop(request)
            case Fault.GARBAGE:
                self._send(request, 200, b"<html>\xff welcome to the hotel network</html>")
            case Fault.DEEP:
                self._send(request, 200, b"[" * 200_000)
            case Fault.NULL:
                self._send(request, 200, b'{"jsonrpc":"2.0","id":1,"result":null}')
            case Fault.NO_OBJECT:
                self._send(request, 200, b"[]")
            case Fault.NO_RESULT:
                self._send(request, 200, b"{}")
            case Fault.WRONG_TYPE:
                self._send(request, 200, b'{"jsonrpc":"2.0","id":1,"result":[{"key":[]},7]}')
            case Fault.ERROR_500_BEFORE | Fault.ERROR_500_AFTER:
                self._send(request, 500, b"oops")
            case Fault.BUSY:
                self._send(request, 429, b"slow down")
            case None:
                self._send(request, self.status, answer)

    def _ask(self, body: bytes, method: str) -> bytes:
        refusal = self.refuse(method, json.loads(body)["params"])
        if refusal is not None:
            return json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": refusal}}).encode()
        connection = http.client.HTTPConnection(str(self._target.hostname), self._target.port, timeout=10)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "result" in answer:
            answer["result"] = self.change(method, answer["result"])
        return json.dumps(answer).encode()

    def _head(self, request: BaseHTTPRequestHandler, status: int, length: int) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(length))
        request.end_headers()

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        self._head(request, status, len(body))
        request.wfile.write(body)

    def _drop(self, request: BaseHTTPRequestHandler) -> None:
        request.wfile.flush()
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.close_connection = True
        request.connection.close()
