from dataclasses import replace

import pytest

from anchor import locating
from anchor.events import RawLog
from anchor.locating import Fault, FaultKind, Locator, compare_logs
from anchor.logs import next_head
from anchor.model import Hash32, hash32
from tests.support.history import REGISTRY, accredited, anchored, chain
from tests.support.stories import ANCHOR_KEY, NEWCOMER, STORY, revoked_alone

CALLS = (
    *STORY,
    revoked_alone(3, at=2000, block=20),
    accredited(3, "did:web:three.example", controller=NEWCOMER, at=3000, block=30),
    revoked_alone(4, at=4000, block=40),
    revoked_alone(5, at=5000, block=50),
)
LOGS, PROVEN = chain(CALLS)
OF_ONE = [index for index, call in enumerate(CALLS) if call.issuer == 1]
SECOND, THIRD, LAST = OF_ONE[1], OF_ONE[2], OF_ONE[-1]


def located(logs: list[RawLog]) -> list[tuple[FaultKind, int | None, RawLog | None, RawLog | None]]:
    locator = Locator(REGISTRY, PROVEN.issuer_count)
    for log in logs:
        locator.take(log)
    return [(each.kind, each.issuer_id, each.after, each.at) for each in locator.faults(PROVEN)]


def without(*indices: int) -> list[RawLog]:
    return [log for index, log in enumerate(LOGS) if index not in indices]


def altered(log: RawLog, at: int) -> RawLog:
    """Change one bit of what a log says, so that it is still encoded well."""
    data = bytearray(log.data)
    data[at] ^= 1
    return replace(log, data=bytes(data))


UNKNOWN = replace(LOGS[-1], topics=(hash32(b"\x01" * 32),), log_index=LOGS[-1].log_index + 1)
"""A log that is none of a registry's, after all others."""


def taken(logs: list[RawLog], issuer_count: int = PROVEN.issuer_count) -> Locator:
    locator = Locator(REGISTRY, issuer_count)
    for log in logs:
        locator.take(log)
    return locator


def test_nothing_is_found_in_a_whole_history() -> None:
    assert located([*LOGS, UNKNOWN]) == []
    assert taken(LOGS).issuers == taken(list(reversed(LOGS))).issuers == (1, 2, 3)
    # Two blocks of one second are no fault.
    logs, proven = chain([*CALLS, revoked_alone(6, at=5000, block=51)])
    assert taken(logs).faults(proven) == ()


def test_kinds_are_called_as_readers_of_json_know_them() -> None:
    assert [each.value for each in FaultKind] == ["gap", "extra", "altered", "end", "unreadable", "order"]


def test_of_nothing_everything_is_missing() -> None:
    assert located([]) == [(FaultKind.END, issuer_id, None, None) for issuer_id in (None, 1, 2, 3)]


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(replace(UNKNOWN, log_index=LOGS[-1].log_index), id="the-same-place"),
        pytest.param(replace(UNKNOWN, block_hash=hash32(b"\x05" * 32)), id="two-hashes-of-one-block"),
        pytest.param(replace(UNKNOWN, block_number=51), id="one-hash-of-two-blocks"),
        pytest.param(replace(UNKNOWN, block_number=49, block_hash=hash32(b"\x05" * 32)), id="an-earlier-block"),
    ],
)
def test_logs_that_cannot_come_next_are_named(log: RawLog) -> None:
    assert located([*LOGS, log]) == [(FaultKind.ORDER, None, LOGS[-1], log)]


def test_an_issuer_has_a_number() -> None:
    (at,) = (index for index, call in enumerate(CALLS) if call.event == "IssuerAccredited" and call.issuer == 3)
    of_nobody = replace(LOGS[at], topics=(LOGS[at].topics[0], hash32(bytes(32)), *LOGS[at].topics[2:]))
    assert (FaultKind.EXTRA, 0, None, of_nobody) in located([*LOGS[:at], of_nobody, *LOGS[at + 1 :]])


def test_what_stands_in_the_wrong_place_and_does_not_exist_is_one_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    (at,) = (index for index, call in enumerate(CALLS) if call.event == "IssuerAccredited" and call.issuer == 3)
    early = replace(LOGS[at], block_number=0)
    monkeypatch.setattr(locating, "MAX_FAULTS", 2)
    locator = taken([*LOGS[:at], early], 2)
    assert [(each.kind, each.at) for each in locator.faults(replace(PROVEN, issuer_count=2))] == [
        (FaultKind.EXTRA, early)
    ]


def test_beyond_so_many_faults_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "MAX_FAULTS", 1)
    locator = taken(without(SECOND))
    monkeypatch.setattr(locating, "next_head", None)
    locator.take(LOGS[-1])


@pytest.mark.parametrize("missing", [(SECOND,), (SECOND, THIRD)])
def test_what_is_missing_is_between_two_events(missing: tuple[int, ...]) -> None:
    after = OF_ONE[OF_ONE.index(missing[-1]) + 1]
    assert located(without(*missing)) == [(FaultKind.GAP, 1, LOGS[OF_ONE[0]], LOGS[after])]


def test_what_is_missing_at_the_beginning_or_the_end_is_found() -> None:
    assert located(without(0))[0] == (FaultKind.GAP, None, None, LOGS[1])
    assert located(without(LAST)) == [(FaultKind.END, 1, LOGS[OF_ONE[-2]], None)]


def test_two_places_are_two_faults() -> None:
    found = located(without(SECOND, OF_ONE[5], LAST))
    assert [kind for kind, *_ in found] == [FaultKind.GAP, FaultKind.GAP, FaultKind.END]


def test_an_altered_event_is_where_the_chain_breaks() -> None:
    logs = list(LOGS)
    logs[THIRD] = altered(LOGS[THIRD], 5 * 32 - 33)
    assert located(logs) == [(FaultKind.GAP, 1, LOGS[SECOND], logs[THIRD])]


def test_an_altered_head_is_told_from_altered_content() -> None:
    logs = list(LOGS)
    logs[THIRD] = altered(LOGS[THIRD], -1)
    assert located(logs) == [(FaultKind.ALTERED, 1, None, logs[THIRD])]
    logs = list(LOGS)
    logs[LAST] = altered(LOGS[LAST], 7 * 32 - 1)  # before words and masks
    assert located(logs) == [(FaultKind.ALTERED, 1, None, logs[LAST])]


def test_an_invented_event_is_named_whether_its_head_follows_or_not() -> None:
    told, _ = chain([*CALLS[: THIRD + 1], revoked_alone(9, at=900, block=9)])
    follows = told[-1]
    for invented in (follows, altered(follows, 7 * 32 - 1)):
        logs = [*LOGS[: THIRD + 1], invented, *LOGS[THIRD + 1 :]]
        assert located(logs) == [(FaultKind.EXTRA, 1, None, invented)]


def test_events_invented_after_the_last_one_are_named() -> None:
    told, _ = chain([*CALLS, revoked_alone(8, at=6000, block=60), revoked_alone(9, at=6000, block=60)])
    assert located(told) == [(FaultKind.EXTRA, 1, None, log) for log in told[-2:]]


def test_swapped_events_are_named() -> None:
    logs = list(LOGS)
    logs[SECOND], logs[THIRD] = logs[THIRD], logs[SECOND]
    found = located(logs)
    assert {id(at) for _, _, _, at in found} & {id(LOGS[SECOND]), id(LOGS[THIRD])}
    assert all(issuer == 1 for _, issuer, _, _ in found)


def test_what_concerns_both_chains_is_found_in_both() -> None:
    (at,) = (index for index, call in enumerate(CALLS) if call.event == "IssuerAccredited" and call.issuer == 3)
    found = located(without(at))
    # Of an issuer whose accreditation is missing nothing is known: its number alone is.
    assert found == [(FaultKind.END, None, LOGS[3], None), (FaultKind.END, 3, None, None)]


def test_unreadable_logs_are_named_and_unknown_ones_are_passed_over() -> None:
    logs = list(LOGS)
    logs[THIRD] = replace(LOGS[THIRD], data=LOGS[THIRD].data + b"\x00")
    unknown = replace(LOGS[-1], topics=(hash32(b"\x01" * 32),), log_index=LOGS[-1].log_index + 1)
    found = located([*logs, unknown, replace(unknown, topics=(), log_index=unknown.log_index + 1)])
    assert found[0] == (FaultKind.UNREADABLE, None, None, logs[THIRD])
    assert [each[0] for each in found] == [FaultKind.UNREADABLE, FaultKind.GAP]


def test_the_end_of_an_issuer_that_nobody_proved_is_not_judged() -> None:
    locator = Locator(REGISTRY, PROVEN.issuer_count)
    for log in without(LAST):
        locator.take(log)
    assert locator.faults(replace(PROVEN, heads={})) == ()


def test_faults_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "MAX_FAULTS", 3)
    calls = [*STORY, *(anchored(1, bytes([9, n] * 16), actor=ANCHOR_KEY, at=3000, block=30) for n in range(20))]
    logs, proven = chain(calls)
    for broken in (
        logs[: len(STORY)] + logs[len(STORY) :: 2],
        [replace(log, data=log.data + b"\x00") for log in logs],
    ):
        locator = Locator(REGISTRY, PROVEN.issuer_count)
        for log in broken:
            locator.take(log)
        found = locator.faults(proven)
        assert len(found) == 3
        assert all(isinstance(each, Fault) for each in found)


def test_what_stands_in_the_wrong_place_is_named_where_heads_tell_nothing() -> None:
    by_two = next(
        index
        for index, call in enumerate(CALLS)
        if index
        and {CALLS[index - 1].issuer, call.issuer} == {1, 2}
        and "Accr" not in CALLS[index - 1].event + call.event
    )
    logs = list(LOGS)
    logs[by_two - 1], logs[by_two] = logs[by_two], logs[by_two - 1]
    assert located(logs) == [(FaultKind.ORDER, None, logs[by_two - 1], logs[by_two])]
    other_hash = replace(LOGS[-1], block_hash=hash32(b"\x05" * 32), block_number=LOGS[-2].block_number, log_index=99)
    assert located([*LOGS[:-1], other_hash]) == [(FaultKind.ORDER, None, LOGS[-2], other_hash)]
    too_early = replace(LOGS[0], topics=(hash32(b"\x01" * 32),))
    assert located([*LOGS, too_early]) == [(FaultKind.ORDER, None, LOGS[-1], too_early)]


@pytest.mark.parametrize("at", [4999, 5001])
def test_times_that_do_not_follow_are_named(at: int) -> None:
    is_same_block = at > 5000
    last = revoked_alone(6, at=at, block=50 if is_same_block else 51)
    logs, proven = chain([*CALLS, last])
    locator = Locator(REGISTRY, proven.issuer_count)
    for log in logs:
        locator.take(log)
    assert [(each.kind, each.after, each.at) for each in locator.faults(proven)] == [
        (FaultKind.ORDER, logs[-2], logs[-1])
    ]


def test_issuers_that_do_not_exist_are_invented_and_those_that_nobody_names_are_missing() -> None:
    invented = next(log for log, call in zip(LOGS, CALLS, strict=True) if call.issuer == 3)
    locator = Locator(REGISTRY, 2)
    for log in LOGS:
        locator.take(log)
    assert locator.issuers == (1, 2)
    found = locator.faults(replace(PROVEN, issuer_count=2))
    assert [(each.kind, each.issuer_id, each.at) for each in found] == [(FaultKind.EXTRA, 3, invented)]
    locator = Locator(REGISTRY, 5)
    for log in LOGS:
        locator.take(log)
    found = locator.faults(replace(PROVEN, issuer_count=5))
    assert [(each.kind, each.issuer_id, each.after) for each in found] == [
        (FaultKind.END, 4, None),
        (FaultKind.END, 5, None),
    ]


def test_issuers_without_number_do_not_make_it_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "MAX_FAULTS", 10)
    locator = Locator(REGISTRY, 2**32 - 1)
    assert len(locator.faults(PROVEN)) == 10


def test_rubbish_costs_a_bounded_number_of_hashes_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = [0]

    def counting(*values: Hash32) -> Hash32:
        hashed[0] += 1
        return next_head(*values)

    monkeypatch.setattr(locating, "next_head", counting)
    locator = Locator(REGISTRY, PROVEN.issuer_count)
    sent = LOGS[LAST]
    for number in range(500):
        data = sent.data[:-32] + bytes([7]) * 28 + number.to_bytes(4, "big")
        locator.take(replace(sent, data=data, block_number=number))
    most = locating._LOOK_BACK * locating._MAX_HEADS + locating._MAX_HEADS
    assert hashed[0] <= 500 * most
    for number in range(1000):
        locator.take(replace(sent, data=sent.data[:-4] + number.to_bytes(4, "big"), block_number=500 + number))
    before = hashed[0]
    locator.take(replace(sent, block_number=9999))
    assert hashed[0] == before  # beyond so many faults nothing is looked at


def test_two_sources_are_compared_by_what_logs_say() -> None:
    logs = list(LOGS)
    changed = altered(LOGS[THIRD], -1)
    elsewhere = replace(LOGS[0], block_number=99)
    twice = replace(logs[-1], log_index=logs[-1].log_index + 1)
    given = [elsewhere, *logs[1:THIRD], changed, *logs[THIRD + 1 :], twice]
    assert compare_logs(given, logs) == ((changed, twice), (LOGS[THIRD],))
    assert compare_logs(logs, given) == ((LOGS[THIRD],), (changed, twice))
    assert compare_logs(logs, iter(logs)) == ((), ())
    assert compare_logs([logs[-1], twice], [replace(twice, block_number=99)]) == ((twice,), ())
    assert compare_logs([], logs) == ((), tuple(logs))
    again = replace(logs[0], block_number=99)
    assert compare_logs([*logs[:2], again], []) == ((*logs[:2], again), ())


def test_sources_that_have_little_in_common_are_not_compared_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "MAX_DIFFERENCES", 4)
    assert compare_logs(LOGS, LOGS[3:]) == (tuple(LOGS[:3]), ())
    assert compare_logs(LOGS, LOGS[5:]) is None
    # Also where much is in common, in other places.
    invented = [altered(LOGS[THIRD], -1 - number) for number in range(5)]
    assert compare_logs([*LOGS, *invented], [replace(log, log_index=log.log_index + 1) for log in LOGS]) is None
