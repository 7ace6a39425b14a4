"""Sends one message to one address, by HTTP/1.1: no proxy, no redirect, no cookie, and little is read of the answer.

Upholds: every network address of the name is judged, and the connection goes to one of those, under the name that TLS
checks; it is over after so many seconds, however slowly the other side speaks; neither the address nor the answer is in
what is told of it.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from registry.services.webhook_address import REFUSED, Target, is_public

MAX_ANSWER_BYTES: Final = 1 << 14
"""More of an answer than this is not read: only its first line and headers are wanted."""
_CONNECT_SECONDS: Final = 5.0
_ADDRESSES_TRIED: Final = 3

_UNREACHABLE: Final = "no connection could be made"
_NO_TLS: Final = "no TLS connection could be made; perhaps its certificate is not valid for this name"
_TOO_SLOW: Final = "it did not answer in time"
_NO_ANSWER: Final = "what it answered is no HTTP answer, or the connection broke off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt."""

    status: int | None = None
    """HTTP; None: there was no answer."""
    error: str | None = None
    """Why it did not arrive, for the institution; None: it did."""
    retry_after: str | None = None
    """The header of that name."""


class Courier:
    """May be used by several threads.

    Args:
        seconds: How long an attempt may take, once the name is found.
        is_anything_allowed: Whether private networks may be sent to as well.
        context: For TLS; default: as the machine trusts.
    """

    def __init__(self, *, seconds: float, is_anything_allowed: bool, context: ssl.SSLContext | None = None) -> None:
        self._seconds: Final = seconds
        self._is_anything_allowed: Final = is_anything_allowed
        self._context: Final = context or ssl.create_default_context()

    def post(self, target: Target, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send a message, once."""
        deadline = time.monotonic() + self._seconds
        found = self._find(target)
        if not found:
            return Outcome(error=REFUSED)
        try:
            with self._connect(target, found, deadline) as connection:
                return self._ask(connection, target, body, headers, deadline)
        except TimeoutError:
            return Outcome(error=_TOO_SLOW)
        except ssl.SSLError:
            return Outcome(error=_NO_TLS)
        except http.client.HTTPException:
            return Outcome(error=_NO_ANSWER)
        except OSError:
            return Outcome(error=_UNREACHABLE)

    def _find(self, target: Target) -> list[tuple[socket.AddressFamily, Any]]:
        """Find what a name leads to; nothing, if any of it is refused."""
        try:
            answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        found: list[tuple[socket.AddressFamily, Any]] = [(family, address) for family, _, _, _, address in answers]
        if self._is_anything_allowed or all(is_public(str(address[0])) for _, address in found):
            return found
        return []

    def _connect(
        self, target: Target, found: list[tuple[socket.AddressFamily, Any]], deadline: float
    ) -> socket.socket | ssl.SSLSocket:
        error: OSError = TimeoutError()
        for family, address in found[:_ADDRESSES_TRIED]:
            plain = socket.socket(family, socket.SOCK_STREAM)
            try:
                plain.settimeout(min(_CONNECT_SECONDS, _left(deadline)))
                # What was judged, not the name: that might lead elsewhere by now.
                plain.connect(address)
                plain.settimeout(_left(deadline))
                return self._context.wrap_socket(plain, server_hostname=target.host) if target.is_tls else plain
            except OSError as failed:
                plain.close()
                error = failed
        raise error

    def _ask(
        self,
        connection: socket.socket | ssl.SSLSocket,
        target: Target,
        body: bytes,
        headers: Mapping[str, str],
        deadline: float,
    ) -> Outcome:
        asking = http.client.HTTPConnection(target.host, target.port)
        asking.sock = _Timed(connection, deadline)
        asking.request("POST", target.path, body, {"Host": target.authority, "Connection": "close", **headers})
        status, given = _status_of(asking)
        if 200 <= status < 300:
            return Outcome(status=status)
        # A redirect, too: where it leads to was never judged.
        return Outcome(status=status, error=f"it answered {status}", retry_after=given)


def _status_of(asking: http.client.HTTPConnection) -> tuple[int, str | None]:
    answer = asking.getresponse()
    return answer.status, answer.getheader("Retry-After")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Timed:
    """A connection, as `http.client` uses one, over at a time: a socket's own limit counts anew with each byte."""

    def __init__(self, connection: socket.socket | ssl.SSLSocket, deadline: float) -> None:
        self._connection: Final = connection
        self._deadline: Final = deadline

    def sendall(self, content: bytes) -> None:
        self._connection.settimeout(_left(self._deadline))
        self._connection.sendall(content)

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return io.BufferedReader(_Answer(self._connection, self._deadline))

    def close(self) -> None:
        self._connection.close()


class _Answer(io.RawIOBase):
    """What comes back, up to a limit."""

    def __init__(self, connection: socket.socket | ssl.SSLSocket, deadline: float) -> None:
        self._connection: Final = connection
        self._deadline: Final = deadline
        self._room = MAX_ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._room:
            raise http.client.HTTPException
        self._connection.settimeout(_left(self._deadline))
        count = self._connection.recv_into(buffer, min(len(buffer), self._room))
        self._room -= count
        return count
