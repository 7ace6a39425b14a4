"""Histories that are not whole: where they break, found by reading them once more, and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rich.console import Console

from anchor.audit import read_heads_of, slots_of_heads_of
from anchor.cli.output import console, printable
from anchor.cli.wording import Wording
from anchor.errors import HistoryError, LedgerError
from anchor.events import RawLog
from anchor.evidence import ISSUER_COUNT_SLOT, LedgerState
from anchor.locating import Fault, FaultKind, Locator, compare_logs
from anchor.logs import parse_log
from anchor.model import Hash32, RegistryId, to_hex

_COMPARED: Final = 20
"""Faults around which two sources are compared, and differences of each that are named."""
_SHOWN: Final = 50
_DIFFERENCES: Final = ("fault_only_given", "fault_only_node")

Prove = Callable[[Iterable[Hash32]], LedgerState]
"""Opens state proofs of slots at the block of the audit."""
LogsBetween = Callable[[int, int], Iterable[RawLog]]
"""Gives a source's logs from one block to another, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who else may have the events near a place where a history breaks."""

    name: str
    """Of a node; empty: an archive."""
    logs: LogsBetween


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A log that one source has, near the faults, and the other does not."""

    source: str
    """Who has it: name of a node; empty: an archive."""
    log: RawLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What is known of where a history breaks."""

    faults: tuple[Fault, ...]
    differences: tuple[Difference, ...] = ()
    differs_throughout: bool = False
    """Two sources have so little in common near the faults that no event can be named."""


class _BrokenHistoryError(HistoryError):
    """A history that is not whole, and where it breaks."""

    def __init__(self, message: str, *, advice: str = "", damage: Damage | None = None) -> None:
        super().__init__(message, advice=advice)
        self.damage: Final = damage or Damage(faults=())


def broken(
    cause: HistoryError,
    registry: RegistryId,
    logs: Iterable[RawLog],
    prove: Prove,
    *,
    last_block: int,
    sources: tuple[Source, Source] | None,
) -> HistoryError:
    """Make the error that says where a history breaks.

    Args:
        cause: Why it was refused.
        registry: The registry.
        logs: All logs, from the deployment on, as they were taken.
        prove: Opens state proofs.
        last_block: Up to which the logs go.
        sources: Two who have events, to be compared near the faults; None: there is only one.
    """
    count = prove([ISSUER_COUNT_SLOT]).value(ISSUER_COUNT_SLOT)
    locator = Locator(registry, count)
    for log in logs:
        locator.take(log)
    issuers = locator.issuers
    faults = locator.faults(read_heads_of(prove(slots_of_heads_of(issuers)), issuers))
    damage = Damage(faults=faults)
    compared = damage if sources is None else _compared(damage, last_block, *sources)
    return _BrokenHistoryError(str(cause), advice=cause.advice, damage=compared)


def _compared(damage: Damage, last_block: int, one: Source, other: Source) -> Damage:
    """Name the events in which two sources differ, within the blocks where faults are, as far as both have them."""
    differences: list[Difference] = []
    for first, last in _around(damage.faults[:_COMPARED], last_block):
        try:
            found = compare_logs(one.logs(first, last), other.logs(first, last))
        except LedgerError:
            # Nodes forget old logs; that it is refused, and where it breaks, stands.
            continue
        if found is None:
            return replace(damage, differs_throughout=True)
        for source, logs in zip((one, other), found, strict=True):
            differences += (Difference(source=source.name, log=log) for log in logs)
    differences.sort(key=lambda each: bool(each.source))
    named = [each for each in differences if not each.source][:_COMPARED]
    named += [each for each in differences if each.source][:_COMPARED]
    return replace(damage, differences=tuple(named))


def damage_of(error: HistoryError) -> Damage:
    """Tell what is known of where a history breaks; nothing, if it could not be located."""
    return error.damage if isinstance(error, _BrokenHistoryError) else Damage(faults=())


def print_damage(damage: Damage, wording: Wording, to: Console = console) -> None:
    """Print where a history breaks."""
    lines = list(damage_lines(damage, wording))
    for line in lines[:_SHOWN]:
        to.print(f"  [red]✘[/] {printable(line)}")
    if len(lines) > _SHOWN:
        to.print(f"  and {len(lines) - _SHOWN} more: --json has all")


def damage_lines(damage: Damage, wording: Wording) -> Iterator[str]:
    """Say where a history breaks, a line for each place."""
    for fault in damage.faults:
        yield _fault_words(fault, wording)
    for each in damage.differences:
        name, event, at = _DIFFERENCES[bool(each.source)], _kind_of(each.log), _place_words(each.log, wording)
        yield wording.say(name, event=event, at=at, node=each.source)
    if damage.differs_throughout:
        yield wording.say("fault_throughout")


def damage_content(damage: Damage) -> dict[str, Any]:
    """Give where a history breaks as members of a JSON document."""
    return {
        "faults": [
            {
                "kind": fault.kind.value,
                "issuer": fault.issuer_id,
                "after": _place_content(fault.after),
                "at": _place_content(fault.at),
            }
            for fault in damage.faults
        ],
        "onlyInArchive": [_log_content(each.log) for each in damage.differences if not each.source],
        "onlyAtNode": [{"node": each.source, **_log_content(each.log)} for each in damage.differences if each.source],
        "differsThroughout": damage.differs_throughout,
    }


def _around(faults: Sequence[Fault], last_block: int) -> Iterator[tuple[int, int]]:
    """Give the ranges of blocks within which faults are, joined where they meet."""
    # What only stands in the wrong place is there, but perhaps at other blocks.
    ranges = sorted(_span(fault, last_block) for fault in faults if fault.kind is not FaultKind.ORDER)
    start: int | None = None
    end = -1
    for first, last in ranges:
        if start is None or first > end + 1:
            if start is not None:
                yield start, end
            start = first
        end = max(end, last)
    if start is not None:
        yield start, end


def _span(fault: Fault, last_block: int) -> tuple[int, int]:
    last = fault.at.block_number if fault.at is not None else last_block
    if fault.kind not in (FaultKind.GAP, FaultKind.END):
        return last, last
    return fault.after.block_number if fault.after is not None else 0, last


def _fault_words(fault: Fault, wording: Wording) -> str:
    whose = (
        wording.say("whole_registry")
        if fault.issuer_id is None
        else wording.say("whose_issuer", issuer=str(fault.issuer_id))
    )
    name = f"fault_{fault.kind.value}"
    if fault.kind in (FaultKind.GAP, FaultKind.END) and fault.after is None:
        name += "_first"
    return wording.say(name, whose=whose, after=_place_words(fault.after, wording), at=_place_words(fault.at, wording))


def _place_words(log: RawLog | None, wording: Wording) -> str:
    if log is None:
        return ""
    transaction = to_hex(log.transaction_hash)
    return wording.say("place", block=str(log.block_number), index=str(log.log_index), transaction=transaction)


def _place_content(log: RawLog | None) -> dict[str, Any] | None:
    if log is None:
        return None
    return {"block": log.block_number, "index": log.log_index, "transaction": to_hex(log.transaction_hash)}


def _log_content(log: RawLog) -> dict[str, Any]:
    return {"event": _kind_of(log), **(_place_content(log) or {})}


def _kind_of(log: RawLog) -> str:
    try:
        event = parse_log(log)
    except HistoryError:
        return "unreadable"
    return "unknown" if event is None else event.kind
