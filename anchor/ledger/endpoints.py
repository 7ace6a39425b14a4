"""Addresses of nodes: what one is called before people, and whether two of them lead to the same machine.

Pure, and quick to import: the command line checks a policy's nodes before it asks any.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from anchor.errors import MalformedError, PolicyFormatError

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_THIS_MACHINE: Final = "localhost"


class Endpoint(NamedTuple):
    """Where an address leads, in one spelling."""

    host: str
    port: int


def node_name(url: str) -> str:
    """Name a node for messages and verdicts: its address without name, password, path and query, which may be secret.

    Raises:
        MalformedError: It is no `http://` or `https://` address with a host.
    """
    scheme, host, port, rest = _parts_of(url)
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}{'' if port is None else f':{port}'}{'/…' if rest else ''}"


def endpoint_of(url: str) -> Endpoint:
    """Tell the host and port that an address leads to, however it is spelt.

    Letters' case, a final dot, a default port, name and password, path and query make no difference, nor do the names
    of this machine. Two names of one machine elsewhere cannot be told from two machines.

    Raises:
        MalformedError: It is no `http://` or `https://` address with a host.
    """
    scheme, host, port, _ = _parts_of(url)
    host = host.rstrip(".")
    if is_this_machine(host):
        host = _THIS_MACHINE
    else:
        try:
            host = ip_address(host).compressed
        except ValueError:
            host = _in_ascii(host)
    return Endpoint(host=host, port=_DEFAULT_PORTS[scheme] if port is None else port)


def require_distinct(endpoints: Iterable[Endpoint]) -> None:
    """Check that no two of the nodes that must agree are the same: it would be counted twice.

    Raises:
        PolicyFormatError: Two of them are.
    """
    seen: set[Endpoint] = set()
    for endpoint in endpoints:
        if endpoint in seen:
            raise PolicyFormatError(
                f"two of the nodes are {endpoint.host}:{endpoint.port}, which can agree with itself only",
                advice="Name nodes of different operators, each once.",
            )
        seen.add(endpoint)


def is_loopback(url: str) -> bool:
    """Tell whether an address leads to this machine itself.

    Not with a dot after the host: what such a name leads to is a name server's word on some systems.
    """
    return is_this_machine(urlsplit(url).hostname or "")


def is_this_machine(host: str) -> bool:
    """Tell whether a host, in lower case and without brackets, is this machine itself (RFC 6761 §6.3)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == _THIS_MACHINE or host.endswith(f".{_THIS_MACHINE}")


def _parts_of(url: str) -> tuple[str, str, int | None, bool]:
    """Take an address apart: scheme, host in lower case, port, and whether there is more that may be secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise MalformedError("the node's address is malformed") from error
    if parts.scheme not in _DEFAULT_PORTS or not host or not url.isprintable() or " " in url:
        raise MalformedError(
            "the node's address must start with http:// or https:// and name a host, such as http://127.0.0.1:8545"
        )
    return parts.scheme, host, port, bool(parts.path.strip("/") or parts.query)


def _in_ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host
