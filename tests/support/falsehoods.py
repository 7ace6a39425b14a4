"""What a liar may do to a registry's logs: leave out, alter, swap, move, invent; and heads of his own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from anchor.events import RawLog
from anchor.logs import parse_log
from anchor.model import hash32
from tests.support.history import Call


def without(logs: Sequence[RawLog], index: int) -> list[RawLog]:
    """Leave a log out."""
    return [*logs[:index], *logs[index + 1 :]]


def with_bit_flipped(logs: Sequence[RawLog], index: int, bit: int) -> list[RawLog]:
    """Flip a bit of topics and data of a log, counted around."""
    log = logs[index]
    content = bytearray(b"".join(log.topics) + log.data)
    bit %= 8 * len(content)
    content[bit // 8] ^= 1 << bit % 8
    end = 32 * len(log.topics)
    topics = tuple(hash32(bytes(content[start : start + 32])) for start in range(0, end, 32))
    return _with(logs, index, replace(log, topics=topics, data=bytes(content[end:])))


def with_word(logs: Sequence[RawLog], index: int, place: int, word: int) -> list[RawLog]:
    """Replace a word of a log's data, counted around."""
    log = logs[index]
    at = 32 * (place % (len(log.data) // 32))
    return _with(logs, index, replace(log, data=log.data[:at] + word.to_bytes(32, "big") + log.data[at + 32 :]))


def with_contents_swapped(logs: Sequence[RawLog], first: int, second: int) -> list[RawLog]:
    """Let two logs say what the other says, each where it is."""
    one, two = logs[first], logs[second]
    swapped = _with(logs, first, replace(one, topics=two.topics, data=two.data))
    return _with(swapped, second, replace(two, topics=one.topics, data=one.data))


def with_places_swapped(logs: Sequence[RawLog], first: int, second: int) -> list[RawLog]:
    """Give two logs in each other's place, each with its own block."""
    return _with(_with(logs, first, logs[second]), second, logs[first])


def with_log_inserted(logs: Sequence[RawLog], place: int, log: RawLog) -> list[RawLog]:
    """Say what a log says once more, after the one at a place; the logs of its block make room."""
    before = logs[place]
    later = [
        replace(each, log_index=each.log_index + 1)
        if each.block_number == before.block_number and each.log_index > before.log_index
        else each
        for each in logs
    ]
    later.insert(place + 1, replace(before, topics=log.topics, data=log.data, log_index=before.log_index + 1))
    return later


def falsified(logs: Sequence[RawLog], random: Random) -> tuple[str, list[RawLog]]:
    """Do one of these at random; give what was done, and the logs, which differ in what they say."""
    while True:
        way = random.randrange(len(_WAYS))
        index, other, number = random.randrange(len(logs)), random.randrange(len(logs)), random.getrandbits(32)
        changed = _WAYS[way](logs, index, other, number)
        if not _is_same(logs, changed):
            return f"way {way} at {index}: {other}, {number}", changed


def forged(calls: Sequence[Call], random: Random) -> list[Call]:
    """Tell another story, for whose events the liar works out heads of his own."""
    told = list(calls)
    while told == list(calls):
        index = random.randrange(len(told))
        match random.randrange(5):
            case 0:
                del told[index]
            case 1:
                told.insert(index, told[index])
            case 2:
                told.insert(random.randrange(len(told)), told.pop(index))
            case 3:
                *others, at = told[index].values
                assert isinstance(at, int)
                told[index] = replace(told[index], values=(*others, at + random.choice([-1, 1])))
            case _:
                told = told[:index]
        if _by_chain(told) == _by_chain(calls):
            told = list(calls)
    return told


def _with(logs: Sequence[RawLog], index: int, log: RawLog) -> list[RawLog]:
    changed = list(logs)
    changed[index] = log
    return changed


_WAYS: Final[tuple[Callable[[Sequence[RawLog], int, int, int], list[RawLog]], ...]] = (
    lambda logs, index, _other, _number: without(logs, index),
    lambda logs, index, _other, number: with_bit_flipped(logs, index, number),
    # Small words are those that numbers, times and addresses of tails might be.
    lambda logs, index, place, number: with_word(logs, index, place, number % 600),
    lambda logs, index, place, number: with_word(logs, index, place, number << 200 | number),
    lambda logs, index, other, _number: with_contents_swapped(logs, index, other),
    lambda logs, index, other, _number: with_places_swapped(logs, index, other),
    lambda logs, index, other, _number: with_log_inserted(logs, index, logs[other]),
)


def _is_same(logs: Sequence[RawLog], changed: Sequence[RawLog]) -> bool:
    """Tell whether the same is said as before, each issuer's events and the registry's in order, at the same times.

    Places alone are bound by no head: events of two issuers at one time may have come in either order.
    """
    told, tells = [_said(log) for log in logs], [_said(log) for log in changed]
    return told == tells or (Counter(told) == Counter(tells) and _chains(logs) == _chains(changed))


def _said(log: RawLog) -> tuple[object, ...]:
    return log.topics, log.data


def _chains(logs: Sequence[RawLog]) -> tuple[object, ...]:
    events = [event for event in map(parse_log, logs) if event is not None]
    names = {name for event in events for name in event.heads}
    chains = {name: [event.event_hash for event in events if name in event.heads] for name in names}
    return chains, [event.at for event in events]


def _by_chain(calls: Sequence[Call]) -> tuple[object, ...]:
    registry_wide = {"RoleChanged", "IssuerAccredited", "AccreditationWithdrawn"}
    issuers = {call.issuer for call in calls}
    return (
        [call for call in calls if call.event in registry_wide],
        {issuer: [call for call in calls if call.issuer == issuer] for issuer in issuers},
    )
