import time
from collections.abc import Sequence

import pytest

from anchor.activity import DAY, HOUR, Activity, Tally, activity_of, reasons_of, timeline_of
from anchor.model import hash32
from anchor.status import LIST_SIZE, StatusReason
from tests.support.history import (
    ACCREDITOR,
    ADMIN,
    DEPLOYER,
    Call,
    anchored,
    batch_revoked,
    control_offered,
    key_added,
    key_compromised,
    role_changed,
    status_changed,
    withdrawn,
)
from tests.support.stories import (
    ANCHOR_KEY,
    BEGINNING,
    CONTROLLER,
    OTHER,
    REINSTATED,
    REVOKED,
    ROOT,
    STAGED,
    STAGED_KEY,
    STATUS_KEY,
    SUSPENDED,
    replayed,
)

OLD, NEW, STOLEN = hash32(b"\x01" * 32), hash32(b"\x02" * 32), hash32(b"\x03" * 32)
OTHER_KEY = b"\x77" * 20
START = 1_000_000
"""A time after the beginning, in seconds."""


def activity(*calls: Call, did: str | None = None, last: int = 0) -> Activity:
    return activity_of(replayed(*BEGINNING, *calls), did=did, last=last)


def anchor(root: bytes, size: int, days: int) -> Call:
    return anchored(1, root, size=size, actor=ANCHOR_KEY, at=START + days * DAY, block=10 + days)


def revoke(words: Sequence[int], masks: Sequence[int], days: int, **more: int) -> Call:
    return status_changed(REVOKED, 1, words, masks, actor=STATUS_KEY, at=START + days * DAY, block=10 + days, **more)


def test_what_happened_is_counted_by_hour_kind_and_reason() -> None:
    at = START // HOUR * HOUR
    told = activity(
        anchored(1, OLD, size=40, actor=ANCHOR_KEY, at=at, block=10),
        anchored(1, NEW, size=2, actor=ANCHOR_KEY, at=at + HOUR - 1, block=11),
        status_changed(SUSPENDED, 1, [0, 1], [0b11, 0b1], actor=STATUS_KEY, at=at + HOUR, block=12, reason=4),
        status_changed(REINSTATED, 1, [1], [0b1], actor=STATUS_KEY, at=at + HOUR, block=13, reason=7),
    )
    hour = at // HOUR
    assert told.tallies[-3:] == (
        Tally(1, "batchAnchored", 0, hour, 2, 42),
        Tally(1, "credentialsSuspended", 4, hour + 1, 1, 3),
        Tally(1, "credentialsReinstated", 7, hour + 1, 1, 1),
    )
    assert Tally(None, "roleChanged", 0, 0, 2, 0) in told.tallies


def test_who_acted_is_told_by_issuer_and_whoever_governs_acts_for_the_registry() -> None:
    told = activity(anchor(OLD, 5, 0), anchor(NEW, 5, 3))
    actors = {(each.issuer_id, bytes(each.account)): each for each in told.actors}
    assert actors[1, ANCHOR_KEY].kinds == {"batchAnchored": 2}
    assert (actors[1, ANCHOR_KEY].first_at, actors[1, ANCHOR_KEY].last_at) == (START, START + 3 * DAY)
    assert actors[None, ACCREDITOR].kinds["issuerAccredited"] >= 1
    assert (1, ACCREDITOR) not in actors
    # Of each issuer in the order of their first act, whatever their addresses.
    assert [(each.issuer_id, bytes(each.account)) for each in told.actors] == [
        (None, DEPLOYER),
        (None, ACCREDITOR),
        (1, CONTROLLER),
        (1, ANCHOR_KEY),
        (2, OTHER),
    ]
    assert told.actors[:1] == activity(anchor(OLD, 5, 0)).actors[:1]


def test_what_alarms_is_kept_and_what_is_usual_is_not() -> None:
    told = activity(
        anchor(OLD, 5, 0),
        batch_revoked(1, OLD, actor=STATUS_KEY, at=START + 1, block=11),
        withdrawn(1, START + 5, at=START + 2, block=12),
        role_changed(b"\x09" * 32, b"\x55" * 20, actor=ADMIN, at=START + 3, block=13),
    )
    assert [each.kind for each in told.alarming] == [
        "roleChanged",
        "roleChanged",
        "batchRevoked",
        "accreditationWithdrawn",
        "roleChanged",
    ]


def test_only_what_is_asked_for_is_counted() -> None:
    one, two = "did:web:one.example", "did:web:two.example"
    assert {each.issuer_id for each in activity(anchor(OLD, 5, 1), did=one).tallies} == {1}
    assert {each.issuer_id for each in activity(anchor(OLD, 5, 1), did=two).tallies} == {2}
    assert {each.issuer_id for each in activity(anchor(OLD, 5, 1)).tallies} == {None, 1, 2}


def test_the_last_events_are_kept_in_order() -> None:
    told = activity(anchor(OLD, 5, 0), anchor(NEW, 5, 1), last=2)
    assert [each.log.block_number for each in told.last] == [10, 11]
    assert activity(anchor(OLD, 5, 0)).last == ()


def test_time_to_the_revocation_of_a_batch_is_exact_also_if_it_was_anchored_again() -> None:
    told = activity(
        anchor(OLD, 40, 0),
        key_added(1, OTHER_KEY, 1, actor=CONTROLLER, at=START + DAY, block=12),
        key_compromised(1, ANCHOR_KEY, START, actor=CONTROLLER, at=START + 2 * DAY, block=13),
        anchored(1, OLD, size=40, actor=OTHER_KEY, at=START + 3 * DAY, block=14),
        batch_revoked(1, OLD, actor=STATUS_KEY, at=START + 10 * DAY - 1, block=15),
    )
    assert told.delays.exact == {9: 40}


def test_time_to_a_single_revocation_is_estimated_by_the_order_of_positions() -> None:
    told = activity(
        anchor(OLD, 256, 0),
        anchor(NEW, 10, 5),
        revoke([0, 1], [1, 0b101], 7),
    )
    assert (told.delays.exact, told.delays.estimated, told.delays.unknown) == ({}, {7: 1, 2: 2}, 0)


@pytest.mark.parametrize("size", [0, 256, LIST_SIZE])
def test_a_thiefs_batch_takes_no_positions(size: int) -> None:
    told = activity(
        anchor(OLD, 256, 0),
        anchor(STOLEN, size, 1),
        key_added(1, OTHER_KEY, 1, actor=CONTROLLER, at=START + DAY, block=12),
        key_compromised(1, ANCHOR_KEY, START + DAY, actor=CONTROLLER, at=START + 2 * DAY, block=13),
        anchored(1, NEW, size=10, actor=OTHER_KEY, at=START + 5 * DAY, block=15),
        revoke([1], [1], 7),
    )
    assert told.delays.estimated == {2: 1}


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param((anchor(OLD, 0, 0), revoke([0], [1], 1)), id="size-not-stated"),
        pytest.param((anchor(OLD, 5, 0), anchor(NEW, 0, 0), revoke([0], [1], 1)), id="one-size-not-stated"),
        pytest.param((anchor(OLD, 5, 0), revoke([0], [1 << 5], 1)), id="beyond-what-was-anchored"),
        pytest.param((revoke([0], [1], 1),), id="nothing-was-anchored"),
        pytest.param(
            (anchor(OLD, 5, 0), revoke([0], [1], 1), revoke([0], [1], 2, status_list=7)), id="lists-of-two-stores"
        ),
        pytest.param((anchor(OLD, LIST_SIZE + 1, 0), revoke([0], [1], 1)), id="which-list-is-first"),
    ],
)
def test_nothing_is_estimated_that_would_be_made_up(calls: tuple[Call, ...]) -> None:
    told = activity(*calls)
    assert not told.delays.estimated
    assert told.delays.unknown == sum(call.event == REVOKED for call in calls)


def test_positions_may_go_on_in_the_next_list() -> None:
    told = activity(
        anchor(OLD, LIST_SIZE, 0),
        anchor(NEW, 5, 3),
        revoke([0], [1], 4, status_list=9),
        revoke([0], [1], 5, status_list=10),
    )
    assert told.delays.estimated == {4: 1, 2: 1}


NEW_YEAR = 1_767_225_600  # of 2026


def tally(at: int, credentials: int = 1, kind: str = "batchAnchored", reason: int = 0) -> Tally:
    return Tally(1, kind, reason, at // HOUR, 1, credentials)


@pytest.mark.parametrize(
    ("seconds", "unit", "periods"),
    [
        pytest.param(0, "hour", 1, id="one-moment"),
        pytest.param(HOUR - 1, "hour", 1, id="one-hour"),
        pytest.param(HOUR, "hour", 2, id="an-hour-begins"),
        pytest.param(2 * DAY, "hour", 49, id="two-days"),
        pytest.param(2 * DAY + HOUR, "day", 3, id="more"),
        pytest.param(92 * DAY, "day", 93, id="three-months"),
        pytest.param(93 * DAY, "month", 4, id="beyond"),
        pytest.param(6 * 366 * DAY, "month", 73, id="six-years"),
        pytest.param(6 * 366 * DAY + HOUR, "year", 7, id="longer"),
        pytest.param(7 * 366 * DAY, "year", 8, id="seven-years"),
    ],
)
def test_periods_fit_the_time_that_is_shown(seconds: int, unit: str, periods: int) -> None:
    line = timeline_of([tally(NEW_YEAR, 3)], NEW_YEAR + seconds)
    assert (line.unit, len(line.starts), line.starts[:1]) == (unit, periods, (NEW_YEAR,))
    assert line.credentials == {"batchAnchored": (3, *[0] * (periods - 1))}


@pytest.mark.parametrize(("days", "unit", "periods"), [(0, "day", 1), (1, "day", 2), (93, "month", 4)])
def test_tallies_of_whole_days_are_not_told_by_hours(days: int, unit: str, periods: int) -> None:
    line = timeline_of([tally(NEW_YEAR, 3)], NEW_YEAR + days * DAY, is_by_day=True)
    assert (line.unit, len(line.starts), line.starts[:1]) == (unit, periods, (NEW_YEAR,))


def test_tallies_of_all_issuers_and_the_registry_come_in_any_order() -> None:
    tallies = [Tally(2, "batchAnchored", 0, 5, 1, 7), Tally(None, "roleChanged", 0, 6, 1, 0), tally(7 * HOUR, 2)]
    for given in (tallies, tallies[::-1]):
        line = timeline_of(given, 8 * HOUR)
        assert line.starts == (5 * HOUR, 6 * HOUR, 7 * HOUR, 8 * HOUR)
        assert line.credentials == {"batchAnchored": (7, 0, 2, 0), "roleChanged": (0, 0, 0, 0)}


@pytest.mark.parametrize("zone", ["EST5", "XXX-9"])
def test_months_and_years_are_those_of_utc_wherever_it_runs(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            months = timeline_of([tally(NEW_YEAR)], NEW_YEAR + 365 * DAY)
            years = timeline_of([tally(NEW_YEAR)], NEW_YEAR + 10 * 365 * DAY)
            before = timeline_of([tally(NEW_YEAR)], NEW_YEAR + 365 * DAY - 1)
    finally:
        time.tzset()
    assert (len(months.starts), months.starts[0], months.starts[-1]) == (13, NEW_YEAR, NEW_YEAR + 365 * DAY)
    assert (len(before.starts), len(years.starts), years.starts[0]) == (12, 10, NEW_YEAR)
    assert "." not in str(months.starts)


def test_each_tally_falls_into_its_month() -> None:
    january, last_of_january, february = 1_767_225_600, 1_769_900_400, 1_769_904_000
    line = timeline_of(
        [tally(february, 5), tally(january, 1), tally(last_of_january, 2), tally(february, 7, "credentialsRevoked")],
        january + 200 * DAY,
    )
    assert line.credentials["batchAnchored"][:2] == (3, 5)
    assert line.credentials["credentialsRevoked"][:2] == (0, 7)


def test_months_are_those_of_the_calendar() -> None:
    start, march = 1_704_067_200, 1_709_251_200  # 2024-01-01, 2024-03-01
    assert timeline_of([tally(start)], start + 100 * DAY).starts[2] == march


def test_what_came_after_the_end_makes_a_timeline_longer() -> None:
    assert timeline_of([tally(START), tally(START + 5 * HOUR)], START).credentials["batchAnchored"][-1] == 1


def test_no_tally_is_one_empty_period() -> None:
    line = timeline_of([], START)
    assert (len(line.starts), line.credentials) == (1, {})


@pytest.mark.parametrize("until", [0, 2**62, 2**64 - 1])
def test_times_that_no_calendar_has_are_one_period(until: int) -> None:
    line = timeline_of([tally(0, 1), tally(2**40 - 1, 2)], until)
    assert (line.starts, line.credentials) == ((0,), {"batchAnchored": (3,)})


def test_reasons_are_summed_up_the_most_frequent_first() -> None:
    tallies = [
        tally(0, 2, "credentialsRevoked", 1),
        tally(HOUR, 5, "credentialsRevoked", 7),
        tally(HOUR, 9, "credentialsSuspended", 4),
        tally(HOUR, 9),
    ]
    kinds = ["credentialsRevoked", "batchAnchored"]
    assert list(reasons_of(tallies, kinds).items()) == [
        (StatusReason.OTHER, 5),
        (StatusReason.ISSUED_IN_ERROR, 2),
    ]


def credentials_of(told: Activity, kind: str) -> int:
    return sum(each.credentials for each in told.tallies if each.kind == kind)


def test_what_a_new_epoch_repeats_counts_once() -> None:
    told = activity_of(replayed(*STAGED), last=0)
    # Three are revoked; the next epoch repeats one of them.
    assert credentials_of(told, "credentialsRevoked") == 3
    again = batch_revoked(1, ROOT, actor=STAGED_KEY, at=1200, block=12, epoch=1)
    twice = activity_of(replayed(*STAGED, again), last=0)
    assert credentials_of(twice, "batchRevoked") == credentials_of(told, "batchRevoked") == 500
    assert twice.delays.exact == told.delays.exact == {0: 500}


def test_void_batches_and_those_anchored_again_bring_no_credentials() -> None:
    void = activity(
        anchor(OLD, 40, 0),
        key_compromised(1, ANCHOR_KEY, START, actor=CONTROLLER, at=START + 2 * DAY, block=13),
        batch_revoked(1, OLD, actor=STATUS_KEY, at=START + 10 * DAY, block=15),
    )
    assert (credentials_of(void, "batchAnchored"), credentials_of(void, "batchRevoked")) == (0, 0)
    again = activity(
        anchor(OLD, 4_000_000_000, 0),
        key_added(1, OTHER_KEY, 1, actor=CONTROLLER, at=START + DAY, block=12),
        key_compromised(1, ANCHOR_KEY, START, actor=CONTROLLER, at=START + 2 * DAY, block=13),
        anchored(1, OLD, size=40, actor=OTHER_KEY, at=START + 3 * DAY, block=14),
    )
    assert credentials_of(again, "batchAnchored") == 40


def test_many_alarms_of_one_kind_bury_none_of_another() -> None:
    offers = [
        control_offered(1, bytes([9, number]) * 10, actor=CONTROLLER, at=START + 5, block=20) for number in range(250)
    ]
    told = activity(withdrawn(1, START + 9, at=START, block=10), *offers)
    assert told.alarms == 2 + 1 + len(offers)
    assert [each.kind for each in told.alarming[:3]] == ["roleChanged", "roleChanged", "accreditationWithdrawn"]
    assert len(told.alarming) == 3 + 200
