"""Locating: where a history that is not whole breaks, as far as the heads that its events carry tell.

Each event states the head after it. Walking along an issuer's events, or along the registry-wide ones, the heads fit
until something is missing, altered or invented; from there on they fit again, for later events carry heads of their
own. So a broken history has as many places as it was tampered with, each between two events that can be looked up.

What stands at such a place cannot be told from heads alone: whoever took out an event leaves the same trace as one who
altered the next. `compare_logs` names the very event, where another source has it.

Leaves to others: that the history is refused (`anchor.replay`, `anchor.audit`), which goes further than heads.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from anchor.audit import ProvenHeads
from anchor.errors import HistoryError
from anchor.events import RawLog
from anchor.logs import first_head, next_head, parse_log
from anchor.model import Hash32, RegistryId

MAX_FAULTS: Final = 1000
"""Beyond these, a history is not damaged but another one."""

_LOOK_BACK: Final = 64
"""Events among which the one is sought that a later one goes on from."""


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
        self._steps.append(_Step((stated, *(next_head(head, event_hash) for head in last.heads)), log))

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
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(kind=kind, issuer_id=self._issuer_id, after=after, at=at))


class Locator:
    """Walks along logs as they were given, however broken; memory for a few events of each issuer.

    Args:
        registry: The registry; chain and address go into every head.
    """

    def __init__(self, registry: RegistryId) -> None:
        self._registry: Final = registry
        self._chains: Final[dict[int | None, _Chain]] = {None: _Chain(registry, None)}
        self._unreadable: Final[list[Fault]] = []

    @property
    def issuers(self) -> tuple[int, ...]:
        """Numbers of the issuers that the logs name."""
        return tuple(sorted(chain for chain in self._chains if chain is not None))

    def take(self, log: RawLog) -> None:
        """Take the next log."""
        try:
            event = parse_log(log)
        except HistoryError:
            if len(self._unreadable) < MAX_FAULTS:
                fault = Fault(kind=FaultKind.UNREADABLE, issuer_id=None, after=None, at=log)
                self._unreadable.append(fault)
            return
        if event is None:
            return
        for issuer_id, stated in event.heads.items():
            if issuer_id not in self._chains:
                self._chains[issuer_id] = _Chain(self._registry, issuer_id)
            self._chains[issuer_id].take(log, event.event_hash, stated)

    def faults(self, proven: ProvenHeads) -> tuple[Fault, ...]:
        """Tell where the logs taken break; once, after the last one.

        Args:
            proven: What the contract's state says; of issuers whose heads are not in it, the end is not judged.

        Returns:
            The faults in the order of the chain, those without an event last. None of them: heads find nothing wrong.
        """
        for issuer_id, chain in self._chains.items():
            head = proven.registry_head if issuer_id is None else proven.heads.get(issuer_id)
            if head is not None:
                chain.end(head)
        found = [*self._unreadable, *(fault for chain in self._chains.values() for fault in chain.faults)]
        return tuple(sorted(found, key=_place)[:MAX_FAULTS])


def _place(fault: Fault) -> tuple[bool, int, int]:
    log = fault.at
    return (log is None, log.block_number if log else 0, log.log_index if log else 0)


def compare_logs(given: Iterable[RawLog], others: Iterable[RawLog]) -> tuple[list[RawLog], list[RawLog]]:
    """Compare the logs of two sources by what they say; where a node found them does not count.

    Returns:
        Those that are only in the first, and those that are only in the second.
    """
    first, second = list(given), list(others)
    left, right = Counter(map(_content, first)), Counter(map(_content, second))
    return _only(first, left - right), _only(second, right - left)


def _content(log: RawLog) -> tuple[tuple[Hash32, ...], bytes]:
    return log.topics, log.data


def _only(logs: list[RawLog], surplus: Counter[tuple[tuple[Hash32, ...], bytes]]) -> list[RawLog]:
    # Of logs that say the same, the last ones are too many.
    found = []
    for log in reversed(logs):
        if surplus[_content(log)] > 0:
            surplus[_content(log)] -= 1
            found.append(log)
    return found[::-1]
