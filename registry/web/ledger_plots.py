"""The explorer's plots, and the numbers that stand beside each: drawn once for a state of history, and then kept.

Nothing is drawn that was not asked for, and only so many are kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from anchor.activity import HOUR, Tally, Timeline, timeline_of
from anchor.cli.audit_words import scope_name, short
from anchor.cli.plots import KeyBar, activity_plot, keys_plot, period_label
from anchor.cli.wording import wording_of
from registry.services.explorer import views
from registry.services.explorer.views import IssuerView, LedgerView

T = TypeVar("T")

MAX_KEPT: Final = 128
"""Of a kind; a plot is some 30 kB."""
MAX_KEYS: Final = 24
"""Drawn of one issuer: those added last."""

KINDS: Final = ("batchAnchored", "credentialsRevoked", "credentialsSuspended", "credentialsReinstated")
"""What is drawn and counted over time, in this order. Of a batch revoked as a whole, no size is kept with the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What a plot over time shows, as a table."""

    unit: str
    """hour, day, month or year."""
    kinds: tuple[str, ...]
    """Those that occur, in the order of `KINDS`."""
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    """Name of each period in which something happened, and its numbers."""
    first: str
    """Name of the first period."""
    last: str


def state_of(ledger: LedgerView, issuer: IssuerView | None) -> str:
    """Name all that plots of a registry or of one issuer depend on: the history, and how far time goes."""
    history = ledger.tag if issuer is None else issuer.head.hex()[:32]
    return f"{history}-{ledger.last_at}"


def timeline(tallies: Iterable[views.Tally], until: int) -> Timeline:
    """Sum up what happened by periods.

    Args:
        tallies: Of a registry or an issuer.
        until: The last second shown.
    """
    counted = (
        Tally(each.issuer_id, each.kind, each.reason, each.day // HOUR, each.events, each.credentials)
        for each in tallies
        if each.kind in KINDS
    )
    return timeline_of(counted, until, is_by_day=True)


def numbers_of(shown: Timeline) -> Numbers:
    """Write a timeline as a table; periods in which nothing happened are left out."""
    kinds = tuple(kind for kind in KINDS if any(shown.credentials.get(kind, ())))
    names = [period_label(shown.unit, start) for start in shown.starts]
    columns = zip(*(shown.credentials[kind] for kind in kinds), strict=True)
    rows = tuple((name, column) for name, column in zip(names, columns, strict=bool(kinds)) if any(column))
    return Numbers(unit=shown.unit, kinds=kinds, rows=rows, first=names[0], last=names[-1])


def draw_activity(shown: Timeline, language: str) -> bytes:
    """Draw what happened over time, as an SVG file."""
    wording = wording_of(language)
    return activity_plot(shown, wording.say, wording.number)


def draw_keys(issuer: IssuerView, until: int, language: str) -> bytes:
    """Draw the periods of an issuer's keys, as an SVG file.

    Args:
        issuer: With one key at least.
        until: The last second shown.
        language: A code of `LANGUAGES`.
    """
    bars = []
    for each in issuer.keys[-MAX_KEYS:]:
        key = each.key
        starts = min(key.valid_from, until)
        ends = min(key.valid_until or until, until)
        bars.append(
            KeyBar(
                label=short(each.address),
                scope=scope_name(key.scope),
                starts=starts,
                ends=max(starts, ends),
                compromised_at=key.compromised_at or None,
            )
        )
    return keys_plot(bars, wording_of(language).say)


class Kept(Generic[T]):
    """What takes long to make, the last ones asked for; may be used by several threads.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._most: Final = most
        self._kept: Final[OrderedDict[Hashable, T]] = OrderedDict()
        self._lock: Final = threading.Lock()

    def find(self, name: Hashable) -> T | None:
        """Give one if it is kept.

        Args:
            name: All that it depends on.
        """
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def get(self, name: Hashable, make: Callable[[], T]) -> T:
        """Give one, made if it is not kept.

        Args:
            name: All that it depends on.
            make: Makes it; of two that come at once, both do.
        """
        found = self.find(name)
        if found is None:
            found = make()
            with self._lock:
                self._kept[name] = found
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found
