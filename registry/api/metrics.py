"""What the service counts, in Prometheus' text format; nothing in it is about a person, and nothing about one client.

Counted since the process was started, by method, route and status: routes are templates, such as
`/v1/credentials/{id}`, never addresses.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from anchor.model import Address, to_hex

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of durations, in seconds."""


class Metrics:
    """Counters of one process; may be used by several threads."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._requests: Final[defaultdict[tuple[str, str, int], int]] = defaultdict(int)
        self._buckets: Final[defaultdict[tuple[str, str], list[int]]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._seconds: Final[defaultdict[tuple[str, str], float]] = defaultdict(float)
        self._verdicts: Final[defaultdict[str, int]] = defaultdict(int)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._buckets[method, route][bisect_left(BUCKETS, seconds)] += 1
            self._seconds[method, route] += seconds

    def count_verdict(self, outcome: str) -> None:
        """Count a credential that was verified."""
        with self._lock:
            self._verdicts[outcome] += 1

    def text(self) -> str:
        """Write all of it."""
        with self._lock:
            return "\n".join([*self._request_lines(), *self._duration_lines(), *self._verdict_lines(), ""])

    def _request_lines(self) -> Iterator[str]:
        yield "# HELP credanchor_http_requests_total Requests that were answered."
        yield "# TYPE credanchor_http_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            yield f'credanchor_http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'

    def _duration_lines(self) -> Iterator[str]:
        name = "credanchor_http_request_seconds"
        yield f"# HELP {name} Time from a request to the end of its answer."
        yield f"# TYPE {name} histogram"
        for (method, route), counts in sorted(self._buckets.items()):
            labels, total = f'method="{method}",route="{route}"', 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                total += count
                yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
            yield f"{name}_sum{{{labels}}} {self._seconds[method, route]:.6f}"
            yield f"{name}_count{{{labels}}} {total}"

    def _verdict_lines(self) -> Iterator[str]:
        yield "# HELP credanchor_verdicts_total Credentials that were verified."
        yield "# TYPE credanchor_verdicts_total counter"
        for outcome, count in sorted(self._verdicts.items()):
            yield f'credanchor_verdicts_total{{outcome="{outcome}"}} {count}'


def balances_text(balances: Mapping[Address, int]) -> str:
    """Write what accounts have left, in wei by address."""
    name = "credanchor_account_balance_wei"
    head = f"# HELP {name} What accounts that send transactions have left.\n# TYPE {name} gauge\n"
    return head + "".join(f'{name}{{account="{to_hex(account)}"}} {wei}\n' for account, wei in balances.items())


def history_text(proven_block: int | None, *, is_behind: bool) -> str:
    """Write how far the registry's history is read and proven.

    Args:
        proven_block: Up to which block; None: nothing is proven yet.
        is_behind: Whether something is in the way of a newer one.
    """
    name = "credanchor_ledger_behind"
    text = f"# HELP {name} Whether something is in the way of reading and proving the registry's history.\n"
    text += f"# TYPE {name} gauge\n{name} {int(is_behind)}\n"
    if proven_block is None:
        return text
    name = "credanchor_ledger_block"
    text += f"# HELP {name} Block up to which the registry's history is read and proven.\n"
    return f"{text}# TYPE {name} gauge\n{name} {proven_block}\n"
