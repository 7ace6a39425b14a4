"""Where messages to webhooks may go: institutions give addresses, the operator's own network is not for them to reach.

An address is judged twice: its form when it is given, and every network address that its name leads to when something
is sent. The connection then goes to one that was judged: a name that leads elsewhere a moment later gains nothing.

Upholds: of an address that is refused nobody learns why, nor whether anything is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from anchor.errors import MalformedError

REFUSED: Final = "it is not an address that messages are sent to"
"""Of every address that is refused, and of every name that leads nowhere: the same words."""

_MAX_CHARACTERS: Final = 2000
_HTTPS_PORT: Final = 443
_FIRST_FREE_PORT: Final = 1024
"""Below, besides HTTPS, are services that are not for web hooks, such as mail and shells."""
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]{{2,45}}\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>/[!-~]*)?"
)
_NUMBER: Final = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)")
"""A last label like this makes some resolvers read the whole as an IPv4 address: `127.1`, `0x7f000001`."""

_UNICAST: Final = ip_network("2000::/3")
"""All IPv6 addresses that are given out to anybody at all."""
_NOT_FOR_US: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "192.0.0.0/24",  # of protocols; at one cloud, its metadata
            "192.88.99.0/24",  # relays from 6to4
            "240.0.0.0/4",  # reserved
            "168.63.129.16/32",  # at Azure, the host of each machine: public by its number only
            # These lead to IPv4 addresses, which may be anybody's:
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "2001::/23",  # of protocols, Teredo among them
            "2002::/16",  # 6to4
            # For documents. Python 3.11 does not know the second.
            "2001:db8::/32",
            "3fff::/20",
        ),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to send: an address in its parts."""

    is_tls: bool
    host: str
    """A name, or a network address without brackets."""
    port: int
    path: str
    """With what follows the question mark."""

    @property
    def authority(self) -> str:
        """Host and port, as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (_HTTPS_PORT if self.is_tls else 80) else f"{host}:{self.port}"


def parse_target(text: str, *, is_anything_allowed: bool) -> Target:
    """Read an address that an institution gave.

    Args:
        text: The address.
        is_anything_allowed: Whether HTTP without TLS, any port and any network will do: for trying things out.

    Raises:
        MalformedError: It is none that messages are sent to; the words do not repeat it.
    """
    found = _ADDRESS.fullmatch(text) if len(text) <= _MAX_CHARACTERS else None
    if found is None or "#" in text:
        raise MalformedError(
            "the address cannot be read",
            advice="It is like https://lms.college.example/hooks/credanchor: up to 2000 ASCII characters, no user "
            "name or password, nothing behind #; a name in other letters in its form `xn--…`.",
        )
    host, is_tls = found["host"].strip("[]"), found["scheme"] == "https"
    port = int(found["port"] or (_HTTPS_PORT if is_tls else 80))
    if not is_anything_allowed and not is_tls:
        raise MalformedError("the address does not begin with https://", advice="Messages are sent with TLS only.")
    if port >= 1 << 16 or not (is_anything_allowed or port == _HTTPS_PORT or port >= _FIRST_FREE_PORT):
        raise MalformedError("the address has a port that is not for this", advice="Use 443, or one from 1024 on.")
    try:
        is_refused = not is_public(str(ip_address(host)))
    except ValueError:
        is_refused = ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None
    if is_refused and not is_anything_allowed:
        raise MalformedError(REFUSED, advice="Give one that can be reached from everywhere.")
    return Target(is_tls=is_tls, host=host, port=port, path=found["path"] or "/")


def is_public(text: str) -> bool:
    """Tell whether a network address is one of the public Internet, and of nothing else.

    Args:
        text: IPv4 or IPv6, as `socket.getaddrinfo` gives it.
    """
    address = ip_address(text)
    if any(address in each for each in _NOT_FOR_US if each.version == address.version):
        return False
    if isinstance(address, IPv6Address) and (address.scope_id is not None or address not in _UNICAST):
        return False
    # `is_global` alone would let multicast through, and, as Python 3.11 has it, much of what is listed above.
    return address.is_global and not address.is_multicast
