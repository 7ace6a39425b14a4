"""Histories that are not whole: where they break, found by reading them once more, and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from anchor.audit import read_heads_of, slots_of_heads_of
from anchor.cli.output import console, printable
from anchor.cli.wording import Wording
from anchor.errors import HistoryError
from anchor.events import RawLog
from anchor.evidence import ISSUER_COUNT_SLOT, LedgerState
from anchor.locating import Fault, FaultKind, Locator, compare_logs
from anchor.logs import parse_log
from anchor.model import Hash32, RegistryId, to_hex

_COMPARED: Final = 20
"""Faults around which two sources are compared, and differences that are named."""
_SHOWN: Final = 50

Prove = Callable[[Iterable[Hash32]], LedgerState]
"""Opens state proofs of slots at the block of the audit."""
LogsBetween = Callable[[int, int], Iterable[RawLog]]
"""Gives a source's logs from one block to another, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What is known of where a history breaks."""

    faults: tuple[Fault, ...]
    only_given: tuple[RawLog, ...] = ()
    """Logs of an archive that the node does not give, near the faults."""
    only_node: tuple[RawLog, ...] = ()
    """Logs of the node that the archive does not have, near the faults."""


class _BrokenHistoryError(HistoryError):
    """A history that is not whole, and where it breaks."""

    def __init__(self, cause: HistoryError, damage: Damage) -> None:
        super().__init__(str(cause), advice=cause.advice)
        self.damage: Final = damage


def broken(
    cause: HistoryError,
    registry: RegistryId,
    logs: Iterable[RawLog],
    prove: Prove,
    *,
    last_block: int,
    given: LogsBetween | None,
    node: LogsBetween,
) -> HistoryError:
    """Make the error that says where a history breaks.

    Args:
        cause: Why it was refused.
        registry: The registry.
        logs: All logs, from the deployment on, as they were taken.
        prove: Opens state proofs.
        last_block: Up to which the logs go.
        given: Gives logs of the archive that was given; None: there was none, and nothing to compare with.
        node: Gives logs of the node.
    """
    locator = Locator(registry)
    for log in logs:
        locator.take(log)
    # Whoever invents issuers shall not have a billion heads asked for.
    count = prove([ISSUER_COUNT_SLOT]).value(ISSUER_COUNT_SLOT)
    issuers = [number for number in locator.issuers if number <= count]
    faults = locator.faults(read_heads_of(prove(slots_of_heads_of(issuers)), issuers))
    if given is None:
        return _BrokenHistoryError(cause, Damage(faults=faults))
    only_given: list[RawLog] = []
    only_node: list[RawLog] = []
    for first, last in _around(faults[:_COMPARED], last_block):
        mine, theirs = compare_logs(given(first, last), node(first, last))
        only_given += mine
        only_node += theirs
    return _BrokenHistoryError(
        cause,
        Damage(faults=faults, only_given=tuple(only_given[:_COMPARED]), only_node=tuple(only_node[:_COMPARED])),
    )


def damage_of(error: HistoryError) -> Damage:
    """Tell what is known of where a history breaks; nothing, if it could not be located."""
    return error.damage if isinstance(error, _BrokenHistoryError) else Damage(faults=())


def print_damage(damage: Damage, wording: Wording) -> None:
    """Print where a history breaks."""
    lines = list(damage_lines(damage, wording))
    for line in lines[:_SHOWN]:
        console.print(f"  [red]✘[/] {printable(line)}")
    if len(lines) > _SHOWN:
        console.print(f"  and {len(lines) - _SHOWN} more: --json has all")


def damage_lines(damage: Damage, wording: Wording) -> Iterator[str]:
    """Say where a history breaks, a line for each place."""
    for fault in damage.faults:
        yield _fault_words(fault, wording)
    for name, logs in (("fault_only_given", damage.only_given), ("fault_only_node", damage.only_node)):
        for log in logs:
            yield wording.say(name, event=_kind_of(log), at=_place_words(log, wording))


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
        "onlyInArchive": _logs_content(damage.only_given),
        "onlyAtNode": _logs_content(damage.only_node),
    }


def _around(faults: Sequence[Fault], last_block: int) -> Iterator[tuple[int, int]]:
    """Give the ranges of blocks within which faults are, joined where they meet."""
    ranges = sorted(
        (fault.after.block_number if fault.after else 0, fault.at.block_number if fault.at else last_block)
        for fault in faults
        if fault.kind is not FaultKind.EXTRA or fault.at is not None
    )
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


def _logs_content(logs: Iterable[RawLog]) -> list[dict[str, Any]]:
    return [{"event": _kind_of(log), **(_place_content(log) or {})} for log in islice(logs, _COMPARED)]


def _kind_of(log: RawLog) -> str:
    try:
        event = parse_log(log)
    except HistoryError:
        return "unreadable"
    return "unknown" if event is None else event.kind
