"""Counts what there is of each issuer while a history grows: from the last count on, or anew where that is not enough.

Counting goes through all batches and status words of an issuer, and would be done for each block with events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Any, Final

from anchor.events import (
    BatchAnchored,
    BatchRevoked,
    CredentialsReinstated,
    CredentialsRevoked,
    IssuerEvent,
    KeyCompromised,
    StatusChanged,
    StatusEpochChanged,
)
from anchor.history import History, IssuerHistory
from registry.services.explorer.content import count, read_counts
from registry.services.explorer.views import Counts


@dataclass(slots=True, kw_only=True)
class _Since:
    """What events added to an issuer's counts."""

    is_more_than_added: bool = False
    """Something happened by which batches or bits that were there count otherwise."""
    batches: int = 0
    credentials: int = 0
    revoked: Counter[int] = field(default_factory=Counter)
    """Bits by status epoch."""
    suspended: Counter[int] = field(default_factory=Counter)


class Counting:
    """The counts of all issuers."""

    def __init__(self) -> None:
        self._counts: Final[dict[int, Counts]] = {}
        self._since: Final[dict[int, _Since]] = {}

    def take(self, event: IssuerEvent) -> None:
        """Take the next event."""
        since = self._since.setdefault(event.issuer_id, _Since())
        match event:
            case BatchAnchored():
                since.batches += 1
                since.credentials += event.size
            case StatusChanged():
                bits = sum(mask.bit_count() for mask in event.masks)
                by_epoch = since.revoked if isinstance(event, CredentialsRevoked) else since.suspended
                by_epoch[event.epoch] += -bits if isinstance(event, CredentialsReinstated) else bits
            case BatchRevoked() | KeyCompromised() | StatusEpochChanged():
                since.is_more_than_added = True
            case _:
                pass

    def result(self, history: History, events: Mapping[int, int]) -> dict[int, Counts]:
        """Give the counts of each issuer.

        Args:
            history: What the events taken so far led to.
            events: How many each issuer has, which is not in its history.
        """
        for number, since in self._since.items():
            issuer = history.issuer(number)
            counts = _added(issuer, self._counts.get(number), since)
            self._counts[number] = (
                count(issuer, events[number]) if counts is None else replace(counts, events=events[number])
            )
        self._since.clear()
        return self._counts

    def content(self) -> dict[int, tuple[Any, ...]]:
        """Give the last counts as plain values, for `restore`."""
        return {number: astuple(counts) for number, counts in self._counts.items()}

    def restore(self, content: Mapping[int, Iterable[int]], changed: Iterable[int]) -> None:
        """Go on from what `content` gave; issuers that changed since then are counted anew."""
        self._counts.update({number: read_counts(values) for number, values in content.items()})
        self._since.update({number: _Since(is_more_than_added=True) for number in changed})


def _added(issuer: IssuerHistory, before: Counts | None, since: _Since) -> Counts | None:
    """Add to an issuer's counts; None: that is not enough."""
    if before is None or since.is_more_than_added:
        return None
    # A root that was anchored again took the place of a batch that was void.
    if len(issuer.batches) != before.batches + before.void_batches + since.batches:
        return None
    epoch = issuer.record.status_epoch
    return replace(
        before,
        batches=before.batches + since.batches,
        credentials=before.credentials + since.credentials,
        revoked=before.revoked + since.revoked[epoch],
        suspended=before.suspended + since.suspended[epoch],
    )
