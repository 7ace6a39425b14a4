"""Activity: how much happened in a registry, when, by whom and for which reason, in numbers that stay few.

Events are gone through once and not kept, but for those that alarm: compromises, control, ended accreditations, roles.

How long a credential stood before it was revoked, the chain says of whole batches only: no batch is bound to status
positions. `Delays.estimated` rests on how this project's program gives them out: one after the other, from the start of
a list on. Where what is on the chain speaks against that, nothing is estimated.

Leaves to others: whether the history is complete (`anchor.audit`), words, and drawing it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

from anchor.events import (
    AccreditationWithdrawn,
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    ControllerTransferred,
    ControllerTransferStarted,
    CredentialsRevoked,
    IssuerAccredited,
    IssuerEvent,
    KeyCompromised,
    RoleChanged,
    StatusChanged,
    StatusEpochChanged,
)
from anchor.history import History, IssuerHistory
from anchor.model import Address, Hash32
from anchor.status import LIST_SIZE, StatusReason, positions_of

HOUR: Final = 3600
DAY: Final = 86_400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LONGEST: Final = (("hour", 2 * DAY), ("day", 92 * DAY), ("month", 6 * 366 * DAY))
"""Up to how long a time each unit is good for, in seconds; beyond that it is years."""

Alarming = (
    RoleChanged
    | AccreditationWithdrawn
    | ControllerTransferStarted
    | ControllerTransferred
    | KeyCompromised
    | StatusEpochChanged
    | BatchRevoked
)
"""What whoever answers for a registry wants to be told of."""

KEPT_ALARMS: Final = 200
"""Of each kind: so many of one kind bury none of another."""


class Tally(NamedTuple):
    """How often one thing happened within one hour."""

    issuer_id: int | None
    """None: it concerns the registry as a whole."""
    kind: str
    """The event's, as in `Event.kind`."""
    reason: int
    """A `StatusReason` value; 0: such an event has none."""
    hour: int
    """Hours since 1970, UTC."""
    events: int
    credentials: int
    """How many it concerned: of batches that stayed good, once each, as far as sizes are stated; of revocations, those
    that were not revoked before, in whichever status epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """What one account did for one issuer, or in the registry as a whole."""

    issuer_id: int | None
    account: Address
    kinds: Mapping[str, int]
    """Events by kind."""
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How many credentials stood how long before they were revoked, by whole days."""

    exact: Mapping[int, int]
    """Those revoked with their whole batch."""
    estimated: Mapping[int, int]
    """Those revoked one by one."""
    unknown: int
    """Those of which even an estimate would be made up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What a report tells of a history in numbers."""

    tallies: tuple[Tally, ...]
    """In order of time."""
    actors: tuple[Actor, ...]
    """By issuer, the registry first; then in the order of their first act."""
    alarming: tuple[Alarming, ...]
    """The last `KEPT_ALARMS` of each kind, in the order of the chain."""
    alarms: int
    """How many there were in all."""
    delays: Delays
    last: tuple[AnyEvent, ...]
    """The last events, in the order of the chain."""


def activity_of(history: History, *, last: int, did: str | None = None) -> Activity:
    """Count what happened in a history.

    Args:
        history: Whole, so that it is known which batches became void. Its events are gone through once; memory is for
            hours in which something happened, accounts that acted, and batches.
        last: How many of the last events are kept.
        did: Only of this issuer; None: all that happened in the registry.
    """
    count = _Count(history, last)
    wanted = {each.issuer_id for each in history.issuers if did in (None, each.did)}
    for event in history.events:
        if event.issuer_id in wanted if isinstance(event, IssuerEvent) else did is None:
            count.take(event)
    return count.result()


class _Count:
    def __init__(self, history: History, last: int) -> None:
        self._last: Final[deque[AnyEvent]] = deque(maxlen=last)
        self._tallies: Final[dict[tuple[int, str, int, int], list[int]]] = {}
        self._actors: Final[dict[tuple[int, Address], _Acts]] = {}
        self._alarming: Final[dict[str, deque[tuple[int, Alarming]]]] = {}
        self._alarms = 0
        self._revoked: Final[dict[tuple[int, int, int], int]] = {}
        self._revoked_roots: Final[set[tuple[int, Hash32]]] = set()
        self._issued: Final = {each.issuer_id: _Issued(each) for each in history.issuers}
        self._exact: Final[Counter[int]] = Counter()
        self._estimated: Final[Counter[int]] = Counter()
        self._unknown = 0

    def take(self, event: AnyEvent) -> None:
        issuer_id = event.issuer_id if isinstance(event, IssuerEvent) else 0
        credentials = self._credentials(event)
        place = (issuer_id, event.kind, getattr(event, "reason", 0), event.at // HOUR)
        tally = self._tallies.setdefault(place, [0, 0])
        tally[0] += 1
        tally[1] += credentials
        # Whoever accredits, withdraws or gives roles acts for the registry, not for the issuer concerned.
        for_whom = 0 if isinstance(event, (IssuerAccredited, AccreditationWithdrawn)) else issuer_id
        acts = self._actors.setdefault((for_whom, event.actor), _Acts(event.at))
        acts.kinds[event.kind] += 1
        acts.last_at = event.at
        self._last.append(event)
        if isinstance(event, Alarming):
            self._alarms += 1
            self._alarming.setdefault(event.kind, deque(maxlen=KEPT_ALARMS)).append((self._alarms, event))

    def _credentials(self, event: AnyEvent) -> int:
        match event:
            case BatchAnchored():
                return self._issued[event.issuer_id].anchor(event)
            case BatchRevoked():
                return self._revoke_batch(event)
            case CredentialsRevoked():
                return sum(self._revoke(event, word, mask) for word, mask in zip(event.words, event.masks, strict=True))
        return sum(mask.bit_count() for mask in event.masks) if isinstance(event, StatusChanged) else 0

    def _revoke_batch(self, event: BatchRevoked) -> int:
        place, issued = (event.issuer_id, event.root), self._issued[event.issuer_id]
        if place in self._revoked_roots:
            return 0
        self._revoked_roots.add(place)
        size = issued.size_of(event.root)
        self._exact[(event.at - issued.anchored_at(event.root)) // DAY] += size
        return size

    def _revoke(self, event: CredentialsRevoked, word: int, mask: int) -> int:
        """Count those of one word that were not revoked before: after a theft, a new epoch repeats them."""
        place = (event.issuer_id, event.status_list, word)
        before = self._revoked.get(place, 0)
        self._revoked[place] = before | mask
        issued = self._issued[event.issuer_id]
        positions = positions_of(event.status_list, word, mask & ~before)
        for position in positions:
            since = issued.likely_since(position.status_list * LIST_SIZE + position.index)
            if since is None:
                self._unknown += 1
            else:
                self._estimated[(event.at - since) // DAY] += 1
        return len(positions)

    def result(self) -> Activity:
        tallies = (
            Tally(issuer_id or None, kind, reason, hour, events, credentials)
            for (issuer_id, kind, reason, hour), (events, credentials) in self._tallies.items()
        )
        actors = sorted(self._actors.items(), key=lambda each: each[0][0])
        return Activity(
            tallies=tuple(tallies),
            actors=tuple(
                Actor(
                    issuer_id=issuer_id or None,
                    account=account,
                    kinds=acts.kinds,
                    first_at=acts.first_at,
                    last_at=acts.last_at,
                )
                for (issuer_id, account), acts in actors
            ),
            alarming=tuple(event for _, event in sorted(chain(*self._alarming.values()), key=lambda each: each[0])),
            alarms=self._alarms,
            delays=Delays(exact=self._exact, estimated=self._estimated, unknown=self._unknown),
            last=tuple(self._last),
        )


class _Acts:
    def __init__(self, at: int) -> None:
        self.first_at: Final = at
        self.last_at: int
        self.kinds: Final[Counter[str]] = Counter()


class _Issued:
    """What an issuer has anchored so far, laid out as the program gives out status positions."""

    def __init__(self, issuer: IssuerHistory) -> None:
        void = set(issuer.void_batches())
        # A thief may have anchored an honest root with a size of his own: the last anchoring counts.
        self._sizes: Final = {root: 0 if root in void else batch.size for root, batch in issuer.batches.items()}
        self._first: Final = _first_position(issuer, void)
        self._since: Final[dict[Hash32, int]] = {}
        self._starts: Final[list[int]] = []
        self._times: Final[list[int]] = []
        self._end = 0

    def anchor(self, event: BatchAnchored) -> int:
        """Take an anchoring; give how many credentials it brought. Anchored again, they are as old as they were."""
        if event.root in self._since:
            return 0
        size = self._sizes[event.root]
        self._since[event.root] = event.at
        self._starts.append(self._end)
        self._times.append(event.at)
        self._end += size
        return size

    def size_of(self, root: Hash32) -> int:
        return self._sizes[root]

    def anchored_at(self, root: Hash32) -> int:
        return self._since[root]

    def likely_since(self, position: int) -> int | None:
        """Tell when the credential with a status position was likely anchored; None: there is no telling."""
        if self._first is None or not self._first <= position < self._first + self._end:
            return None
        return self._times[bisect_right(self._starts, position - self._first) - 1]


def _first_position(issuer: IssuerHistory, void: set[Hash32]) -> int | None:
    """Tell where an issuer's status positions likely start; None if the chain does not look like one program's work."""
    good = [batch.size for root, batch in issuer.batches.items() if root not in void]
    lists = {place.status_list for words in issuer.bits.values() for place in words}
    if not lists or not all(good):
        return None
    needed = -(-sum(good) // LIST_SIZE)
    return min(lists) * LIST_SIZE if max(lists) - min(lists) + 1 == needed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Tallies by periods of equal kind, none left out in between."""

    unit: str
    """hour, day, month or year."""
    starts: tuple[int, ...]
    """Unix seconds, UTC."""
    credentials: Mapping[str, tuple[int, ...]]
    """By kind of event: one number for each period."""


def timeline_of(tallies: Iterable[Tally], until: int, *, is_by_day: bool = False) -> Timeline:
    """Sum up tallies by hour, day, month or year, so that there are neither few nor too many periods.

    Args:
        tallies: Of whom it shall tell.
        until: The last second that it shall show; later tallies make it longer.
        is_by_day: The tallies are of whole days, each at the day's first hour: hours would tell what nobody counted.
    """
    kept = sorted(tallies, key=lambda each: each.hour)
    times = [each.hour * HOUR for each in kept] or [until]
    first, last = times[0], max(until, times[-1])
    units = _LONGEST[1:] if is_by_day else _LONGEST
    unit = next((name for name, seconds in units if last - first <= seconds), "year")
    starts = _starts(unit, first, last)
    sums: dict[str, list[int]] = {}
    for each in kept:
        row = sums.setdefault(each.kind, [0] * len(starts))
        row[bisect_right(starts, each.hour * HOUR) - 1] += each.credentials
    return Timeline(unit=unit, starts=starts, credentials={kind: tuple(row) for kind, row in sums.items()})


def _starts(unit: str, first: int, last: int) -> tuple[int, ...]:
    if unit in ("hour", "day"):
        step = HOUR if unit == "hour" else DAY
        return tuple(range(first // step * step, last + 1, step))
    try:
        start, end = (_EPOCH + timedelta(seconds=each) for each in (first, last))
    except OverflowError:
        return (first,)  # where no calendar reaches, there are no years
    if unit == "year":
        return tuple(_second(year, 1) for year in range(start.year, end.year + 1))
    months = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
    return tuple(_second(month // 12, month % 12 + 1) for month in months)


def _second(year: int, month: int) -> int:
    return (datetime(year, month, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)


def reasons_of(tallies: Iterable[Tally], kinds: Collection[str]) -> dict[StatusReason, int]:
    """Sum up the credentials that some kinds of event concerned by reason, the most frequent first."""
    sums: Counter[int] = Counter()
    for each in tallies:
        if each.kind in kinds and each.reason:
            sums[each.reason] += each.credentials
    return {StatusReason(reason): count for reason, count in sums.most_common()}
