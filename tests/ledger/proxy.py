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


def _as_it_is(_method: str, _params: list[Any], result: Any) -> Any:
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


_OF_ONE_CALL = frozenset({Fault.NULL, Fault.NO_OBJECT, Fault.NO_RESULT, Fault.WRONG_TYPE})
"""Faults of one call among several in a request; all others spoil the whole request."""


class FaultProxy:
    """Stands before a node. A request may hold several calls; rules, changes and refusals are for each of them."""

    def __init__(self, target: str) -> None:
        self.calls: list[str] = []
        self.requests = 0
        self.replies = 0
        self.asked_with: dict[str, str] = {}
        """Headers of the last request."""
        self.after_reply: Callable[[], object] = lambda: None
        self.batches: Callable[[list[Any]], Any] | None = lambda answers: answers
        """What becomes of the answers to several calls in one request; None: refused with HTTP 400."""
        self.headers: dict[str, str] = {}
        """Sent with every answer."""
        self.rule: Rule = _no_fault
        self.change: Callable[[str, Any], Any] = _unchanged
        self.answer: Callable[[str, list[Any], Any], Any] = _as_it_is
        """Method, parameters and result -> result; after `change`."""
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

            def do_OPTIONS(self) -> None:
                # Asked by browsers, before a page may ask (CORS).
                self.send_response(204)
                for name, value in proxy.headers.items():
                    self.send_header(name, value)
                self.end_headers()

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
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        faults: list[Fault | None] = []
        for call in calls:
            faults.append(self.rule(call["method"], self.count(call["method"])))
            self.calls.append(call["method"])
        self.requests += 1
        self.asked_with = dict(request.headers.items())
        if isinstance(asked, list) and self.batches is None:
            self._send(request, 400, b"no batches here")
            return
        whole = next((fault for fault in faults if fault not in _OF_ONE_CALL | {None}), None)
        if whole is Fault.DROP_BEFORE:
            self._drop(request)
            return
        answers = [] if whole is Fault.ERROR_500_BEFORE else self._ask(calls)
        answers = [_spoiled(answer, fault) for answer, fault in zip(answers, faults, strict=False)]
        content = (self.batches or list)(answers) if isinstance(asked, list) else next(iter(answers), None)
        self._reply(request, whole, json.dumps(content).encode())
        self.replies += 1
        self.after_reply()

    def _reply(self, request: BaseHTTPRequestHandler, fault: Fault | None, answer: bytes) -> None:
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
            case Fault.ERROR_500_BEFORE | Fault.ERROR_500_AFTER:
                self._send(request, 500, b"oops")
            case Fault.BUSY:
                self._send(request, 429, b"slow down")
            case _:
                self._send(request, self.status, answer)

    def _ask(self, calls: list[Any]) -> list[Any]:
        """Let the node answer those calls that are not refused."""
        refusals = [self.refuse(call["method"], call["params"]) for call in calls]
        passed = [call for call, refusal in zip(calls, refusals, strict=True) if refusal is None]
        found = {answer["id"]: answer for answer in self._forward(passed)} if passed else {}
        answers = []
        for call, refusal in zip(calls, refusals, strict=True):
            if refusal is not None:
                error = {"code": -32000, "message": refusal}
                answers.append({"jsonrpc": "2.0", "id": call["id"], "error": error})
                continue
            answer = found[call["id"]]
            if "result" in answer:
                changed = self.change(call["method"], answer["result"])
                answer["result"] = self.answer(call["method"], call["params"], changed)
            answers.append(answer)
        return answers

    def _forward(self, calls: list[Any]) -> list[Any]:
        connection = http.client.HTTPConnection(str(self._target.hostname), self._target.port, timeout=10)
        try:
            connection.request("POST", "/", json.dumps(calls), {"Content-Type": "application/json"})
            answers: list[Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answers

    def _head(self, request: BaseHTTPRequestHandler, status: int, length: int) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(length))
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.end_headers()

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        self._head(request, status, len(body))
        request.wfile.write(body)

    def _drop(self, request: BaseHTTPRequestHandler) -> None:
        request.wfile.flush()
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.close_connection = True
        request.connection.close()


def _spoiled(answer: Any, fault: Fault | None) -> Any:
    start = {"jsonrpc": "2.0", "id": answer["id"]}
    match fault:
        case Fault.NULL:
            return {**start, "result": None}
        case Fault.NO_OBJECT:
            return []
        case Fault.NO_RESULT:
            return start
        case Fault.WRONG_TYPE:
            return {**start, "result": [{"key": []}, 7]}
        case _:
            return answer
