"""Fetch a document by the address that somebody gave: bounded in time and size, and from that host alone.

Upholds: no cookies, no passwords, no redirect to another host; `http://` only on this machine. A list of addresses may
come from somebody else, who must not make this machine ask others within its network: what is fetched for such a list
comes from public addresses only, and that is looked at on the connection itself, so no name can change in between.

Leaves to others: what the document is. Nothing that comes is believed.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from anchor.errors import FetchError
from anchor.ledger.endpoints import is_loopback, is_this_machine
from anchor.ledger.sessions import open_session

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
"""For one document, redirects included."""

_MAX_REDIRECTS: Final = 3
"""On the same host: a name for the newest version, a missing slash. More is a circle, or a maze."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PIECE_BYTES: Final = 65_536
_MAX_ADDRESS_CHARACTERS: Final = 2_000

_ADVICE_BY_STATUS: Final = {
    401: "It wants a password. Ask for the file itself.",
    403: "It is not open to everybody. Ask for the file itself.",
    404: "Check the address.",
    410: "It was taken away. The holder may have the file: it verifies without that host.",
    429: "The host limits how often it may be asked. Try again later.",
}


class NotThereError(FetchError):
    """The host says that there is nothing at this address."""


class _NotPublicError(Exception):
    """A name led into a network that is not public. Never leaves this module."""


def fetch(
    url: str,
    *,
    max_bytes: int,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    public_only: bool = False,
    bearer: str | None = None,
) -> bytes:
    """Fetch one document.

    Args:
        url: `https://` address, or `http://` of this machine.
        max_bytes: Longest document read.
        timeout_seconds: Longest time, redirects included.
        public_only: Connect to public addresses only: for an address that came from somebody else. Behind a proxy,
            which looks names up itself, only addresses in numbers are looked at; the rest is the proxy's.
        bearer: A secret that opens it; it goes to this host alone, as redirects do.

    Returns:
        The document's bytes.

    Raises:
        FetchError: The address is not one that is fetched, or nothing usable came; the advice says what to do.
    """
    deadline = time.monotonic() + timeout_seconds
    check_address(url, public_only=public_only)
    with open_session(url) as session:
        if bearer is not None:
            session.headers["Authorization"] = f"Bearer {bearer}"
        if public_only:
            session.mount("https://", _PublicAdapter())
        for _ in range(_MAX_REDIRECTS + 1):
            answer = _get(session, url, max_bytes, deadline)
            if isinstance(answer, bytes):
                return answer
            url = _followed(url, answer, public_only=public_only)
    raise FetchError(f"{address_name(url)} leads on and on", advice="Open it in a browser, and give where that ends.")


def address_name(url: str) -> str:
    """Name an address for people and reports: without its query, which may be secret."""
    start, question, _ = url.partition("?")
    return f"{start.partition('#')[0]}?…" if question else start.partition("#")[0]


def check_address(url: str, *, public_only: bool = False) -> str:
    """Check that an address is one that is fetched, as far as it says so itself; give the host that will be asked.

    Raises:
        FetchError: It is not; nobody is asked.
    """
    parts = _split(url)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        raise FetchError("an address with a name or password in it is not fetched", advice="Give it without them.")
    if parts.scheme == "http" and not is_loopback(url):
        raise FetchError(
            f"{address_name(url)} is not fetched: without https anybody on the way can read and change it",
            advice="Try the same address with https://.",
        )
    if public_only and _is_inside(host):
        raise _inside(url)
    return host


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, usable = None, False
    if parts is None or not usable or not url.isprintable() or " " in url or len(url) > _MAX_ADDRESS_CHARACTERS:
        raise FetchError("this is not an address", advice="An address starts with https:// and names a host.")
    return parts


def _followed(url: str, location: str, *, public_only: bool) -> str:
    target = urljoin(url, location)
    check_address(target, public_only=public_only)
    here, there = urlsplit(url), urlsplit(target)
    if (here.scheme, here.hostname, here.port) != (there.scheme, there.hostname, there.port):
        raise FetchError(
            f"{address_name(url)} leads to another host, {there.hostname}, which you have not named",
            advice="If you trust it, give that address instead.",
        )
    return target


def _get(session: requests.Session, url: str, max_bytes: int, deadline: float) -> bytes | str:
    """Ask once; give the document, or where else it is said to be."""
    name = address_name(url)
    try:
        with session.get(
            url,
            headers={"Accept": "application/json, */*;q=0.5", "Accept-Encoding": "identity"},
            timeout=max(deadline - time.monotonic(), 0.01),
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code in _REDIRECTS and "Location" in response.headers:
                return str(response.headers["Location"])
            if response.status_code != 200:
                advice = _ADVICE_BY_STATUS.get(response.status_code, "Try again later.")
                kind = NotThereError if response.status_code == 404 else FetchError
                raise kind(f"{name} was answered with HTTP status {response.status_code}", advice=advice)
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise FetchError(f"{name} came compressed, though that was not asked for")
            return _read_body(response, name, max_bytes, deadline)
    except _NotPublicError as error:
        raise _inside(url) from error
    except requests.exceptions.SSLError as error:
        raise FetchError(
            f"the connection to {urlsplit(url).hostname} is not secure: its certificate does not hold"
        ) from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise FetchError(f"{name} did not come in time", advice="Try again later.") from error
    # Requests' exceptions are OSErrors; urllib3's come bare while a body is read; a host name can be no name at all.
    except (OSError, urllib3.exceptions.HTTPError, UnicodeError) as error:
        raise FetchError(
            f"the host {urlsplit(url).hostname} cannot be reached",
            advice="Check the address, and that this machine is online.",
        ) from error


def _read_body(response: requests.Response, name: str, max_bytes: int, deadline: float) -> bytes:
    """Read piece by piece, so that neither a flood nor a trickle goes on for ever."""
    pieces, length = [], 0
    while piece := response.raw.read1(_PIECE_BYTES, decode_content=False):
        pieces.append(piece)
        length += len(piece)
        if length > max_bytes:
            raise FetchError(f"{name} has more than {max_bytes} bytes")
        if time.monotonic() > deadline:
            raise requests.Timeout
    return b"".join(pieces)


class _PublicConnection(HTTPSConnection):
    """A connection that ends, before anything is sent on it, when the other side is not on the public internet."""

    def _new_conn(self) -> Any:
        connection = super()._new_conn()
        if _is_inside(str(connection.getpeername()[0])):
            connection.close()
            raise _NotPublicError
        return connection


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicAdapter(HTTPAdapter):
    """Makes such connections; those to a proxy come from another manager, and are not looked at."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": _PublicPool}


def _inside(url: str) -> FetchError:
    return FetchError(
        f"{address_name(url)} leads to a machine within your network, and a list may come from somebody else",
        advice="If you trust it, give the address itself on the command line.",
    )


def _is_inside(host: str) -> bool:
    """Tell whether a host is not on the public internet, as far as its address in numbers, or `localhost`, says so."""
    try:
        number = ip_address(host.partition("%")[0])
    except ValueError:
        return is_this_machine(host.rstrip("."))
    if isinstance(number, IPv6Address) and number.ipv4_mapped is not None:
        number = number.ipv4_mapped
    return not number.is_global or number.is_multicast
