"""JSON-RPC over HTTP to one node: bounded in time and size, every foreign exception translated once, here.

Upholds: a read is repeated when the node was merely busy; a write is sent once, and when its answer is lost nobody is
told that it failed (`OutcomeUnknownError`). A node's address is shown without what may be secret in it.

Leaves to others: what an answer means (`anchor.ledger.answers`), and whether to believe it (`anchor.state_proof`).
"""

from __future__ import annotations

import re
import time
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.exceptions import NewConnectionError
from web3 import HTTPProvider
from web3.types import RPCEndpoint, RPCResponse

from anchor.errors import LedgerUnavailableError, MalformedError, NodeRefusedError, OutcomeUnknownError
from anchor.model import parse_hex

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
"""For one request, its answer included. A proof of 1,000 slots takes a node under a second."""

MAX_ANSWER_BYTES: Final = 64 * 2**20
"""A proof of 1,000 slots has about 5 MB in hex; the largest answers are those with events."""

_READ_ATTEMPTS: Final = 3
_FIRST_PAUSE_SECONDS: Final = 0.05
"""Before the second attempt; doubled before the third. A node that restarts needs longer, and people do not wait."""

_MAX_DEPTH: Final = 32
"""Of an answer's JSON; the deepest asked for, a receipt's topics, are at 5. Not left to Python: importing web3 sets its
recursion limit so high (py_ecc does) that deep JSON overflows the stack and ends the process."""
_STRING_OR_BRACKET: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)

_BUSY_STATUS: Final = frozenset({429, 502, 503, 504})
_ADVICE_BY_STATUS: Final = {
    401: "check the access key in the node's address",
    403: "check the access key in the node's address, and what it is allowed to do",
    404: "check the path in the node's address",
    429: "the node limits how often it may be asked: wait, or use another node",
}
_PIECE_BYTES: Final = 65_536
_TEXT_SHOWN: Final = 300
"""Characters of a node's own words that are repeated to people."""


class _BusyError(LedgerUnavailableError):
    """Asking again at once may help."""


class _NeverSentError(_BusyError):
    """No connection came about, so the node cannot have got the request."""


class RpcNode:
    """One node, asked over one pool of connections; may be shared by threads.

    Args:
        url: `http://` or `https://` address of the node; a name and password in it, or a key in its path or query, are
            used and never shown.
        timeout_seconds: Longest time for one request, its answer included.
        max_answer_bytes: Longest answer read.

    Raises:
        MalformedError: The address is not one.
    """

    def __init__(
        self, url: str, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS, max_answer_bytes: int = MAX_ANSWER_BYTES
    ) -> None:
        self.name: Final = node_name(url)
        self._is_local: Final = _is_loopback(url)
        self._provider: Final = _Provider(url, timeout_seconds, max_answer_bytes, is_local=self._is_local)

    def read(self, method: str, params: list[object]) -> Any:
        """Ask for something that changes nothing, up to three times when the node is busy; give the `result`.

        Raises:
            NodeRefusedError: The node answered with an error.
            LedgerUnavailableError: It gave no usable answer.
        """
        for attempt in range(_READ_ATTEMPTS - 1):
            try:
                return self._ask(method, params)
            except _BusyError:
                time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
        return self._ask(method, params)

    def write(self, method: str, params: list[object]) -> Any:
        """Ask once for something that changes the ledger; give the `result`.

        Raises:
            NodeRefusedError: The node answered with an error.
            LedgerUnavailableError: The request was not sent.
            OutcomeUnknownError: It may have been; no usable answer came.
        """
        try:
            return self._ask(method, params)
        except (_NeverSentError, NodeRefusedError):
            raise
        except LedgerUnavailableError as error:
            raise OutcomeUnknownError(
                f"{error}; the transaction may have been accepted all the same",
                advice="look on the ledger whether it was (reconcile) before sending anything else",
            ) from error

    def close(self) -> None:
        """Give up idle connections."""
        self._provider.session.close()

    def _ask(self, method: str, params: list[object]) -> Any:
        try:
            answer: object = self._provider.make_request(RPCEndpoint(method), params)
        except LedgerUnavailableError:
            raise
        except _StatusError as error:
            failed = _BusyError if error.status in _BUSY_STATUS else LedgerUnavailableError
            advice = _ADVICE_BY_STATUS.get(error.status, "try again later, or use another node")
            raise failed(
                f"the node {self.name} answered {method} with HTTP status {error.status}", advice=advice
            ) from error
        # Requests' exceptions are OSErrors; urllib3's come bare while a body is read.
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise self._translated(error) from error
        except ValueError as error:
            raise LedgerUnavailableError(
                f"the node {self.name} answered {method} with something that is not JSON",
                advice="check that the address is that of an Ethereum node",
            ) from error
        return self._result(method, answer)

    def _result(self, method: str, answer: object) -> Any:
        if not isinstance(answer, dict):
            raise LedgerUnavailableError(f"the node {self.name} answered {method} with no JSON-RPC object")
        failure = answer.get("error")
        if failure is not None:
            text = failure.get("message") if isinstance(failure, dict) else None
            text = _printable(text) if isinstance(text, str) else "no reason given"
            data = _revert_data(failure.get("data")) if isinstance(failure, dict) else b""
            raise NodeRefusedError(f"the node {self.name} refused {method}: {text}", text=text, data=data)
        if "result" not in answer:
            raise LedgerUnavailableError(f"the node {self.name} answered {method} without a result")
        return answer["result"]

    def _translated(self, error: Exception) -> LedgerUnavailableError:
        start = "; start the local testnet with `credanchor dev up`" if self._is_local else ""
        advice = f"check that the node runs and that its address is right{start}"
        if isinstance(error, requests.exceptions.SSLError):
            return LedgerUnavailableError(
                f"the connection to the node {self.name} is not secure", advice="check the node's certificate"
            )
        if _never_connected(error):
            return _NeverSentError(f"the node {self.name} cannot be reached", advice=advice)
        if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
            return LedgerUnavailableError(f"the node {self.name} did not answer in time", advice=advice)
        return _BusyError(f"the connection to the node {self.name} broke", advice=advice)


class _StatusError(Exception):
    """The node answered with an HTTP status other than 200, and no JSON-RPC error. Never leaves this module."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status: Final = status


class _Provider(HTTPProvider):
    """web3's HTTP provider, with a bound on time and size, without redirects, cookies, or logging of the address."""

    def __init__(self, url: str, timeout_seconds: float, max_answer_bytes: int, *, is_local: bool) -> None:
        self.session: Final = requests.Session()
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # A proxy set for the outside world must not come between us and this machine.
        self.session.trust_env = not is_local
        super().__init__(url, session=self.session)
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._max_answer_bytes = max_answer_bytes

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Post one request; raise `_StatusError` for an HTTP status other than 200."""
        deadline = time.monotonic() + self._timeout_seconds
        with self.session.post(
            self._url,
            data=self.encode_rpc_request(method, params),
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
            timeout=self._timeout_seconds,
            allow_redirects=False,
            stream=True,
        ) as response:
            body = self._read_body(response, deadline)
        _check_depth(body)
        if response.status_code == 200:
            return self.decode_rpc_response(body)
        try:
            answer: Any = self.decode_rpc_response(body)
        except ValueError:
            answer = None
        # Some nodes give a JSON-RPC error with a status of 400; whatever else the body says is no answer.
        failure = answer.get("error") if isinstance(answer, dict) and response.status_code not in _BUSY_STATUS else None
        if not isinstance(failure, dict):
            raise _StatusError(response.status_code)
        return RPCResponse(jsonrpc="2.0", error=failure)  # type: ignore[typeddict-item]  # judged by _result

    def _read_body(self, response: requests.Response, deadline: float) -> bytes:
        """Read the body piece by piece, so that neither a flood nor a trickle goes on for ever."""
        pieces, length = [], 0
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=False):
            pieces.append(piece)
            length += len(piece)
            if length > self._max_answer_bytes:
                raise LedgerUnavailableError(
                    f"the node {node_name(self._url)} sent more than {self._max_answer_bytes} bytes"
                )
            if time.monotonic() > deadline:
                raise requests.Timeout
        return b"".join(pieces)


def node_name(url: str) -> str:
    """Name a node for messages and verdicts: its address without name, password, path and query, which may be secret.

    Raises:
        MalformedError: It is no `http://` or `https://` address with a host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise MalformedError("the node's address is malformed") from error
    if parts.scheme not in {"http", "https"} or not host or not url.isprintable() or " " in url:
        raise MalformedError(
            "the node's address must start with http:// or https:// and name a host, such as http://127.0.0.1:8545"
        )
    host = f"[{host}]" if ":" in host else host
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{rest}"


def _check_depth(body: bytes) -> None:
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth > _MAX_DEPTH:
                raise ValueError("JSON nested too deeply")
        elif first in b"]}":
            depth -= 1


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _never_connected(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    # Requests wraps urllib3's MaxRetryError, whose reason says how far it came.
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else error
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)


def _revert_data(value: object) -> bytes:
    """Find the revert data in an error's `data`: hex, hex after "Reverted" (Nethermind), or one object further down."""
    if isinstance(value, dict):
        value = value.get("data")
    if not isinstance(value, str):
        return b""
    try:
        return parse_hex(value.removeprefix("Reverted "))
    except MalformedError:
        return b""


def _printable(text: str) -> str:
    """Make a node's words safe to repeat: one line, no control characters, not endless."""
    return "".join(char if char.isprintable() else " " for char in text[:_TEXT_SHOWN]).strip()
