"""What every request goes through, first and last: its id, limits on body and time, safe headers, log and metrics.

Upholds: whatever happens within, the client gets an answer of ours; a log line has neither address nor query of a
request, only the template of its route, for both may tell of a person; of an error that nobody foresaw, the log has
its kind and the places in the code, not its words.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api.access_log import AccessLog
from registry.api.metrics import Metrics
from registry.api.problems import BUSY, INTERNAL, MEDIA_TYPE, TOO_LARGE, Problem, ProblemError
from registry.services.error_log import log_error

REQUEST_ID_HEADER: Final = "X-Request-Id"
NO_ROUTE: Final = "none"
"""Stands for the route of requests that lead nowhere."""

_REQUEST_ID_NAME: Final = REQUEST_ID_HEADER.lower().encode()
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CSP: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For all that is no page; pages set their own."""
_SAFE_HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Answers may be about people; what may be kept says so itself.
    "Cache-Control": "no-store",
}


class Gate:
    """ASGI middleware.

    Args:
        app: What is within.
        public_url: The service's address, for problems.
        metrics: Counts each request.
        log: Is written a line on each.
        body_limits: Longest bodies in bytes, by how the path begins; the longest beginning that fits counts, the empty
            one fits all.
        request_seconds: Longest time until an answer begins.
        hsts_seconds: How long browsers shall insist on HTTPS; 0: it is not said.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        public_url: str,
        metrics: Metrics,
        log: AccessLog,
        body_limits: Mapping[str, int],
        request_seconds: float,
        hsts_seconds: int,
    ) -> None:
        self._app: Final = app
        self._public_url: Final = public_url
        self._metrics: Final = metrics
        self._log: Final = log
        self._body_limits: Final = sorted(body_limits.items(), key=lambda each: len(each[0]), reverse=True)
        self._seconds: Final = request_seconds
        headers = dict(_SAFE_HEADERS)
        if hsts_seconds:
            headers["Strict-Transport-Security"] = f"max-age={hsts_seconds}; includeSubDomains"
        # As they go out: names in small letters.
        self._headers: Final = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope)
        request_id = given.get(REQUEST_ID_HEADER, "")
        if _REQUEST_ID.fullmatch(request_id) is None:
            request_id = secrets.token_hex(8)
        passage = _Passage(request_id, self._headers, send)
        scope.setdefault("state", {})["request_id"] = request_id
        limit = next(bound for beginning, bound in self._body_limits if scope["path"].startswith(beginning))
        try:
            async with asyncio.timeout(self._seconds) as passage.timer:
                _check_length(given, limit)
                await self._app(scope, _Body(receive, limit), passage.send)
        except ProblemError as error:
            await self._answer(scope, passage, error.problem)
        except TimeoutError:
            await self._answer(scope, passage, Problem(kind=BUSY, headers={"Retry-After": "30"}))
        except Exception as error:  # noqa: BLE001 - no verdict comes of it: an error nobody foresaw is told as such
            log_error(error, requestId=request_id)
            await self._answer(scope, passage, Problem(kind=INTERNAL))
        finally:
            self._note(scope, passage)

    async def _answer(self, scope: Scope, passage: _Passage, problem: Problem) -> None:
        # Once an answer has begun it can only be broken off, which the client sees.
        passage.timer = None
        if not passage.status:
            body = json.dumps(problem.content(self._public_url, passage.request_id)).encode()
            headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **problem.headers}
            raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            await passage.send({"type": "http.response.start", "status": problem.kind.status, "headers": raw})
            await passage.send(
                {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body, "more_body": False}
            )

    def _note(self, scope: Scope, passage: _Passage) -> None:
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        seconds = time.perf_counter() - passage.since
        # Methods that nobody has heard of would let a client make up as many counters as it likes.
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.count_request(method, route, passage.status, seconds)
        self._log.note(
            request_id=passage.request_id,
            method=method,
            route=route,
            status=passage.status,
            size=passage.bytes,
            seconds=seconds,
            institution=scope["state"].get("institution"),
        )


_LENGTH_DIGITS: Final = 18
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Passage:
    """One request's way out."""

    def __init__(self, request_id: str, headers: Sequence[tuple[bytes, bytes]], send: Send) -> None:
        self.request_id: Final = request_id
        self.since: Final = time.perf_counter()
        self.status = 0
        """0: no answer has begun."""
        self.bytes = 0
        self.timer: asyncio.Timeout | None = None
        self._headers: Final = headers
        self._send: Final = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.timer is not None:
                # What is streamed takes as long as the client takes.
                self.timer.reschedule(None)
            given = message.get("headers", ())
            names = {name for name, _ in given}
            ours = (each for each in self._headers if each[0] not in names)
            message["headers"] = [*given, *ours, (_REQUEST_ID_NAME, self.request_id.encode())]
        elif message["type"] == "http.response.body":
            self.bytes += len(message.get("body", b""))
        await self._send(message)


class _Body:
    """A request's body, up to its limit."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive: Final = receive
        self._limit: Final = limit
        self._taken = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._limit:
                raise _too_large(self._limit)
        return message


def _check_length(headers: Headers, limit: int) -> None:
    stated = headers.get("content-length", "").lstrip("0")
    # So many digits are too many before they are read as a number.
    if len(stated) > _LENGTH_DIGITS or (stated.isascii() and stated.isdigit() and int(stated) > limit):
        raise _too_large(limit)


def _too_large(limit: int) -> ProblemError:
    return ProblemError(TOO_LARGE, f"a body may have {limit:,} bytes here")
