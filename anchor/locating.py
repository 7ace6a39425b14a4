"""Locating: where a history that is not whole breaks, as far as the heads that its events carry tell.

Each event states the head after it. Walking along an issuer's events, or along the registry-wide ones, the heads fit
until something is missing, altered or invented; from there on they fit again, for later events carry heads of their
own. So a broken history has as many places as it was tampered with, each between two events that can be looked up.

What stands at such a place cannot be told from heads alone: whoever took out an event leaves the same trace as one who
altered the next. `compare_logs` names the very event, where another source has it.

Whoever gives a history may make it to exhaust time or memory: faults, heads to go on from and differences are bounded.

Leaves to others: that the history is refused (`anchor.replay`, `anchor.audit`), which goes further than heads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from anchor.audit import ProvenHeads
from anchor.errors import HistoryError
from anchor.events import AnyEvent, RawLog
from anchor.logs import first_head, next_head, parse_log
from anchor.model import Hash32, RegistryId

MAX_FAULTS: Final = 1000
"""Beyond these, a history is not damaged but another one."""

MAX_DIFFERENCES: Final = 1000
"""Beyond these, two sources do not differ in some events but have little in common."""

_LOOK_BACK: Final = 16
"""Events among which the one is sought that a later one goes on from."""
_MAX_HEADS: Final = 4
"""Heads from which an event may be gone on from: a few altered ones in a row are followed, not a million."""


class FaultKind(Enum):
    """What is wrong at a place."""

    GAP = "gap"
    """The events `after` and `at` do not follow from each other: between them some are missing, or `at` is altered."""
    EXTRA = "extra"
    """The chain goes on without the event `at`: it was invented, or stands in another place."""
    ALTERED = "altered"
    """The head that the event `at` states was altered: later events go on from the one that its content leads to."""
    END = "end"
    """The contract's state is further: after `after`, events are missing; or it is altered."""
    UNREADABLE = "unreadable"
    """The contract writes no such log as `at`."""
    ORDER = "order"
    """The log `at` stands after the log `after`, and by block, position in it or time does not come after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One place at which a history breaks."""

    kind: FaultKind
    issuer_id: int | None
    """Whose chain; None: the registry-wide one, or a log that belongs to none."""
    after: RawLog | None
    """The last event before it that fits; None: it is at the beginning."""
    at: RawLog | None
    """The event concerned; None: there is none any more."""


class _Step(NamedTuple):
    heads: tuple[Hash32, ...]
    """From which a later event may go on: the stated one, and the one that its content leads to if that is another."""
    log: RawLog | None
    """None: the beginning."""


class _Chain:
    """One chain of heads, as far as it was walked along."""

    def __init__(self, registry: RegistryId, issuer_id: int | None) -> None:
        self._issuer_id: Final = issuer_id
        self._steps: Final = deque([_Step((first_head(registry, issuer_id),), None)], _LOOK_BACK)
        self.faults: Final[list[Fault]] = []

    def take(self, log: RawLog, event_hash: Hash32, stated: Hash32) -> None:
        for back, step in enumerate(reversed(self._steps)):
            for head in step.heads:
                if next_head(head, event_hash) == stated:
                    if head != step.heads[0]:
                        self._correct(step)
                    self._drop(back)
                    self._steps.append(_Step((stated,), log))
                    return
        last = self._steps[-1]
        self._note(FaultKind.GAP, after=last.log, at=log)
        led_to = (next_head(head, event_hash) for head in last.heads)
        self._steps.append(_Step((stated, *led_to)[:_MAX_HEADS], log))

    def end(self, proven: Hash32) -> None:
        for back, step in enumerate(reversed(self._steps)):
            if proven in step.heads:
                if proven != step.heads[0]:
                    self._correct(step)
                self._drop(back)
                return
        self._note(FaultKind.END, after=self._steps[-1].log, at=None)

    def _drop(self, count: int) -> None:
        """Say that the chain goes on without the last events."""
        for step in list(self._steps)[len(self._steps) - count :]:
            # What did not fit and what nothing goes on from are one thing.
            self.faults[:] = [each for each in self.faults if each.at is not step.log]
            self._note(FaultKind.EXTRA, after=None, at=step.log)

    def _correct(self, step: _Step) -> None:
        """Say that an event was altered in its head only."""
        self.faults[:] = [each for each in self.faults if each.at is not step.log]
        self._note(FaultKind.ALTERED, after=None, at=step.log)

    def _note(self, kind: FaultKind, *, after: RawLog | None, at: RawLog | None) -> None:
        self.faults.append(Fault(kind=kind, issuer_id=self._issuer_id, after=after, at=at))


class Locator:
    """Walks along logs as they were given, however broken; memory for a few events of each issuer.

    Args:
        registry: The registry; chain and address go into every head.
        issuer_count: How many issuers the contract's state says there are.
    """

    def __init__(self, registry: RegistryId, issuer_count: int) -> None:
        self._registry: Final = registry
        self._issuer_count: Final = issuer_count
        self._chains: Final[dict[int | None, _Chain]] = {None: _Chain(registry, None)}
        self._others: Final[list[Fault]] = []
        """Faults that no chain tells."""
        self._count = 0
        self._last: RawLog | None = None
        self._last_event: AnyEvent | None = None

    @property
    def issuers(self) -> tuple[int, ...]:
        """Numbers of the issuers that the logs name, as far as there are such issuers."""
        return tuple(sorted(chain for chain in self._chains if chain is not None))

    def take(self, log: RawLog) -> None:
        """Take the next log; beyond `MAX_FAULTS` faults nothing is looked at any more."""
        if self._count >= MAX_FAULTS:
            return
        try:
            event = parse_log(log)
        except HistoryError:
            self._note(FaultKind.UNREADABLE, None, after=None, at=log)
            return
        if not self._comes_next(log, event):
            self._note(FaultKind.ORDER, None, after=self._last, at=log)
        self._last = log
        if event is None:
            return
        self._last_event = event
        for issuer_id, stated in event.heads.items():
            if issuer_id is not None and not 1 <= issuer_id <= self._issuer_count:
                self._note(FaultKind.EXTRA, issuer_id, after=None, at=log)
                continue
            if issuer_id not in self._chains:
                self._chains[issuer_id] = _Chain(self._registry, issuer_id)
            chain = self._chains[issuer_id]
            before = len(chain.faults)
            chain.take(log, event.event_hash, stated)
            self._count += len(chain.faults) - before

    def faults(self, proven: ProvenHeads) -> tuple[Fault, ...]:
        """Tell where the logs taken break; once, after the last one.

        Args:
            proven: What the contract's state says; of issuers whose heads are not in it, the end is not judged.

        Returns:
            The faults in the order of the chain, those without an event last. None of them: heads find nothing wrong.
        """
        if self._count < MAX_FAULTS:
            self._end(proven)
        found = [*(fault for chain in self._chains.values() for fault in chain.faults), *self._others]
        # Beside what does not belong there everything is in the wrong order.
        named = {id(each.at) for each in found if each.kind is not FaultKind.ORDER}
        kept = (each for each in found if each.kind is not FaultKind.ORDER or not {id(each.at), id(each.after)} & named)
        return tuple(sorted(kept, key=_place)[:MAX_FAULTS])

    def _comes_next(self, log: RawLog, event: AnyEvent | None) -> bool:
        """Tell whether a log comes after the last one, as steps 1 and 3 of `anchor.replay` want it."""
        last, last_event = self._last, self._last_event
        return (last is None or _is_after(log, last)) and (
            event is None or last_event is None or _is_no_earlier(event, last_event)
        )

    def _end(self, proven: ProvenHeads) -> None:
        for issuer_id, chain in self._chains.items():
            head = proven.registry_head if issuer_id is None else proven.heads.get(issuer_id)
            if head is not None:
                chain.end(head)
        # Of those that no log names, all events are missing: their accreditations at least.
        for issuer_id in range(1, self._issuer_count + 1):
            if self._count >= MAX_FAULTS:
                return
            if issuer_id not in self._chains:
                self._note(FaultKind.END, issuer_id, after=None, at=None)

    def _note(self, kind: FaultKind, issuer_id: int | None, *, after: RawLog | None, at: RawLog | None) -> None:
        self._count += 1
        self._others.append(Fault(kind=kind, issuer_id=issuer_id, after=after, at=at))


def _place(fault: Fault) -> tuple[int, ...]:
    return (True,) if fault.at is None else (False, fault.at.block_number, fault.at.log_index)


def _is_after(log: RawLog, last: RawLog) -> bool:
    is_behind = (log.block_number, log.log_index) > (last.block_number, last.log_index)
    return is_behind and (log.block_number == last.block_number) == (log.block_hash == last.block_hash)


def _is_no_earlier(event: AnyEvent, last: AnyEvent) -> bool:
    is_same_block = event.log.block_number == last.log.block_number
    return event.at == last.at if is_same_block else event.at >= last.at


def compare_logs(
    given: Iterable[RawLog], others: Iterable[RawLog]
) -> tuple[tuple[RawLog, ...], tuple[RawLog, ...]] | None:
    """Compare the logs of two sources by what they say; where a node found them does not count.

    Args:
        given: In the order of the chain, as far as the source is honest; memory is for what differs.
        others: Likewise.

    Returns:
        Those that are only in the first, and those that are only in the second; None if they differ in more than
        `MAX_DIFFERENCES`.
    """
    sources = (iter(given), iter(others))
    # Logs that only one source has had so far, by what they say.
    surplus: list[dict[tuple[tuple[Hash32, ...], bytes], list[RawLog]]] = [{}, {}]
    waiting = [next(source, None) for source in sources]
    count = 0
    while True:
        # Whoever is behind goes on, so that what both have is soon seen in both.
        places = [(each.block_number, each.log_index) if each is not None else None for each in waiting]
        mine = 1 if places[0] is None or (places[1] is not None and places[1] < places[0]) else 0
        log = waiting[mine]
        if log is None:
            return _all_of(surplus[0].values()), _all_of(surplus[1].values())
        waiting[mine] = next(sources[mine], None)
        content = (log.topics, log.data)
        same = surplus[1 - mine].get(content)
        if same is not None:
            # Of logs that say the same, the last ones are too many.
            same.pop(0)
            count -= 1
            if not same:
                del surplus[1 - mine][content]
        else:
            surplus[mine].setdefault(content, []).append(log)
            count += 1
        if count > MAX_DIFFERENCES:
            return None


def _all_of(surplus: Iterable[list[RawLog]]) -> tuple[RawLog, ...]:
    return tuple(sorted((log for each in surplus for log in each), key=lambda log: (log.block_number, log.log_index)))
