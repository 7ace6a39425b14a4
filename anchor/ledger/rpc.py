"""JSON-RPC over HTTP to one node: bounded in time and size, every foreign exception translated once, here.

Upholds: a read is repeated when the node was merely busy; a write is sent once, and when its answer is lost nobody is
told that it failed (`OutcomeUnknownError`). A node's address is shown without what may be secret in it.

Leaves to others: what an answer means (`anchor.ledger.answers`), and whether to believe it (`anchor.state_proof`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import orjson
import requests
import urllib3
from urllib3.exceptions import NewConnectionError

from anchor.errors import (
    AnswerTooLargeError,
    LedgerUnavailableError,
    MalformedError,
    NodeRefusedError,
    OutcomeUnknownError,
)
from anchor.ledger.endpoints import is_loopback, node_name
from anchor.ledger.sessions import open_session
from anchor.model import parse_hex

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
"""For one request, its answer included. A proof of 1,000 slots takes a node under a second."""

MAX_ANSWER_BYTES: Final = 64 * 2**20
"""A proof of 1,000 slots has about 5 MB in hex; the largest answers are those with events."""

MAX_CALLS_PER_BATCH: Final = 100
"""Calls in one request. go-ethereum takes 1,000, providers that sell access 100 and more."""

_READ_ATTEMPTS: Final = 3
_FIRST_PAUSE_SECONDS: Final = 0.05
"""Before the second attempt; doubled before the third. A node that restarts needs longer, and people do not wait."""
_LONGEST_PAUSE_SECONDS: Final = 2.0
"""A node that wants us to wait longer (`Retry-After`) counts as one that does not answer."""

_BUSY_STATUS: Final = frozenset({429, 502, 503, 504})
_DENIED_STATUS: Final = frozenset({401, 403, 404})
"""The address or the access key is wrong: single requests would fare no better than many in one."""
_ADVICE_BY_STATUS: Final = {
    401: "check the access key in the node's address",
    403: "check the access key in the node's address, and what it is allowed to do",
    404: "check the path in the node's address",
    429: "the node limits how often it may be asked: wait, or use another node",
}
_TOO_MUCH_CODES: Final = frozenset({-32003, -32005})
"""go-ethereum's "response too large" and "batch too large", and the providers' "limit exceeded": ask for less."""
_PIECE_BYTES: Final = 65_536
_TEXT_SHOWN: Final = 300
"""Characters of a node's own words that are repeated to people."""

Request = tuple[str, list[object]]
"""Method and parameters."""

T = TypeVar("T")


class _BusyError(LedgerUnavailableError):
    """Asking again may help, at once or after as long as the node says."""

    def __init__(self, message: str, *, advice: str = "", retry_after_seconds: float = 0.0) -> None:
        super().__init__(message, advice=advice)
        self.retry_after_seconds: Final = retry_after_seconds


class _NeverSentError(_BusyError):
    """No connection came about, so the node cannot have got the request."""


class _NoBatchesError(Exception):
    """The node answered many calls in one request as if it knew no such thing. Never leaves this module."""


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
        self._url: Final = url
        self._timeout_seconds: Final = timeout_seconds
        self._max_answer_bytes: Final = max_answer_bytes
        self._is_local: Final = is_loopback(url)
        self._session: Final = open_session(url)
        self._takes_batches = True

    def read(self, method: str, params: list[object]) -> Any:
        """Ask for something that changes nothing, up to three times when the node is busy; give the `result`.

        Raises:
            NodeRefusedError: The node answered with an error.
            LedgerUnavailableError: It gave no usable answer.
        """
        return _patiently(lambda: self._ask(method, params))

    def read_many(self, calls: Sequence[Request]) -> list[Any]:
        """Ask for several things that change nothing, in one request where the node takes that; give each `result`.

        Answers are told apart by their ids alone: a node may give them in any order. What it leaves out, gives twice or
        says is too much at once is asked for again by itself.

        Returns:
            For each call, in order, its result, or the `LedgerUnavailableError` that came instead: a `NodeRefusedError`
            where the node answered it with an error. Nothing that the node does is raised.
        """
        if len(calls) > 1 and self._takes_batches:
            try:
                return [
                    answer
                    for start in range(0, len(calls), MAX_CALLS_PER_BATCH)
                    for answer in self._read_batch(calls[start : start + MAX_CALLS_PER_BATCH])
                ]
            except _NoBatchesError:
                self._takes_batches = False
        return self._read_singly(calls)

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
        self._session.close()

    def _ask(self, method: str, params: list[object]) -> Any:
        try:
            return self._result(method, self._exchange(method, _request(1, method, params)))
        except _StatusError as error:
            raise self._refused_by_status(method, error) from error

    def _read_batch(self, calls: Sequence[Request]) -> list[Any]:
        what = f"{len(calls)} calls at once"
        requested = [_request(number, *call) for number, call in enumerate(calls, 1)]

        def ask() -> object:
            try:
                return self._exchange(what, requested)
            except _StatusError as error:
                if error.status in _BUSY_STATUS | _DENIED_STATUS:
                    raise self._refused_by_status(what, error) from error
                raise _NoBatchesError from error

        try:
            answers = _patiently(ask)
        except LedgerUnavailableError as error:
            return [error] * len(calls)
        if not isinstance(answers, list):
            raise _NoBatchesError
        by_id: dict[int, object] = {}
        doubled = set()
        for answer in answers:
            number = answer.get("id") if isinstance(answer, dict) else None
            if type(number) is int:
                doubled |= {number} & by_id.keys()
                by_id[number] = answer
        if not by_id.keys() & range(1, len(calls) + 1):
            raise _NoBatchesError
        # By itself: what was not answered, or not clearly, and what was too much together with the others.
        again = [
            number
            for number in range(1, len(calls) + 1)
            if number not in by_id or number in doubled or _says_too_much(by_id[number])
        ]
        alone = dict(zip(again, self._read_singly([calls[number - 1] for number in again]), strict=True))
        return [
            alone[number] if number in alone else _or_error(partial(self._result, method, by_id[number]))
            for number, (method, _) in enumerate(calls, 1)
        ]

    def _read_singly(self, calls: Sequence[Request]) -> list[Any]:
        answers: list[Any] = []
        for method, params in calls:
            answers.append(_or_error(partial(self.read, method, params)))
            if isinstance(answers[-1], LedgerUnavailableError) and not isinstance(answers[-1], NodeRefusedError):
                # It does not answer any more: each further call would only cost time.
                return answers + [answers[-1]] * (len(calls) - len(answers))
        return answers

    def _exchange(self, what: str, content: object) -> object:
        """Post one request, of one call or several; give what the answer's JSON says."""
        try:
            return self._post(orjson.dumps(content))
        except LedgerUnavailableError:
            raise
        # Requests' exceptions are OSErrors; urllib3's come bare while a body is read.
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise self._translated(error) from error
        except ValueError as error:
            raise LedgerUnavailableError(
                f"the node {self.name} answered {what} with something that is not JSON",
                advice="check that the address is that of an Ethereum node",
            ) from error

    def _post(self, body: bytes) -> object:
        deadline = time.monotonic() + self._timeout_seconds
        with self._session.post(
            self._url,
            data=body,
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
            timeout=self._timeout_seconds,
            allow_redirects=False,
            stream=True,
        ) as response:
            body = self._read_body(response, deadline)
            status, retry_after = response.status_code, response.headers.get("Retry-After", "")
        if status == 200:
            # orjson bounds the depth itself.
            return orjson.loads(body)
        try:
            answer = orjson.loads(body)
        except ValueError:
            answer = None
        # Some nodes give a JSON-RPC error with a status of 400; whatever else the body says is no answer.
        failure = answer.get("error") if isinstance(answer, dict) and status not in _BUSY_STATUS else None
        if not isinstance(failure, dict):
            raise _StatusError(status, retry_after)
        return {"error": failure}

    def _read_body(self, response: requests.Response, deadline: float) -> bytes:
        """Read the body piece by piece, so that neither a flood nor a trickle goes on for ever."""
        pieces, length = [], 0
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=False):
            pieces.append(piece)
            length += len(piece)
            if length > self._max_answer_bytes:
                raise AnswerTooLargeError(f"the node {self.name} sent more than {self._max_answer_bytes} bytes")
            if time.monotonic() > deadline:
                raise requests.Timeout
        return b"".join(pieces)

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

    def _refused_by_status(self, what: str, error: _StatusError) -> LedgerUnavailableError:
        message = f"the node {self.name} answered {what} with HTTP status {error.status}"
        advice = _ADVICE_BY_STATUS.get(error.status, "try again later, or use another node")
        if error.status in _BUSY_STATUS and error.retry_after_seconds <= _LONGEST_PAUSE_SECONDS:
            return _BusyError(message, advice=advice, retry_after_seconds=error.retry_after_seconds)
        return LedgerUnavailableError(message, advice=advice)

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
            return AnswerTooLargeError(f"the node {self.name} did not answer in time", advice=advice)
        return _BusyError(f"the connection to the node {self.name} broke", advice=advice)


class _StatusError(Exception):
    """The node answered with an HTTP status other than 200, and no JSON-RPC error. Never leaves this module."""

    def __init__(self, status: int, retry_after: str) -> None:
        super().__init__(status)
        self.status: Final = status
        # Seconds; the other form, a date, is for longer than we wait.
        self.retry_after_seconds: Final = float(retry_after) if retry_after.isdecimal() else 0.0


def _request(number: int, method: str, params: list[object]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _patiently(ask: Callable[[], T]) -> T:
    """Ask up to three times while the node is busy."""
    for attempt in range(_READ_ATTEMPTS - 1):
        try:
            return ask()
        except _BusyError as error:
            time.sleep(max(_FIRST_PAUSE_SECONDS * 2**attempt, error.retry_after_seconds))
    return ask()


def _or_error(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except LedgerUnavailableError as error:
        return error


def _says_too_much(answer: object) -> bool:
    failure = answer.get("error") if isinstance(answer, dict) else None
    code = failure.get("code") if isinstance(failure, dict) else None
    return isinstance(code, int) and code in _TOO_MUCH_CODES


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
