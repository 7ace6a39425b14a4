"""How often somebody may ask: a bucket of requests for each client, which fills again evenly."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

MAX_CLIENTS: Final = 50_000
"""Kept in memory; beyond that the one who has not asked for the longest time is forgotten."""
_IPV6_NETWORK_BITS: Final = 64
"""One household or server has this many addresses to itself: they count as one."""


class RateLimiter:
    """Lets each client make so many requests a minute, a whole minute's worth of them at once.

    Not for several threads: asked in the event loop only.

    Args:
        per_minute: How many; 0: any number.
        clock: Seconds, never going back.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._capacity: Final = float(per_minute)
        self._clock: Final = clock
        self._left: Final[OrderedDict[str, tuple[float, float]]] = OrderedDict()
        """By client: how many requests were left, and when."""

    def seconds_to_wait(self, client: str) -> int:
        """Count a request, and give 0; or, when it is one too many, in how many seconds there is room for it."""
        if not self._capacity:
            return 0
        now, a_second = self._clock(), self._capacity / 60
        left, since = self._left.pop(client, (self._capacity, now))
        left = min(self._capacity, left + (now - since) * a_second)
        allowed = left >= 1
        self._left[client] = left - 1 if allowed else left, now
        if len(self._left) > MAX_CLIENTS:
            self._left.popitem(last=False)
        return 0 if allowed else math.ceil((1 - left) / a_second)


def client_of(host: str) -> str:
    """Name the client behind an address, as far as addresses tell."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{int(address) >> _IPV6_NETWORK_BITS:x}/{_IPV6_NETWORK_BITS}"
    return host
