"""What may stand in a cell, and what is said of what may not."""

from datetime import UTC, date, datetime

import pytest

from registry.services.rosters.cells import (
    CellError,
    read_completion,
    read_date,
    read_did,
    read_long,
    read_name,
    read_short,
    read_url,
)
from registry.services.rosters.dates import DateOrder
from tests.support.rosters import check_roster

DAY = int(datetime(2025, 4, 3, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "text",
    [
        "2025-04-03",
        "2025/4/3",
        "3 April 2025",
        "3rd Apr. 2025",
        "April 3, 2025",
        "Apr 3rd 2025",
        "3 avril 2025",
        "Thursday, 3 April 2025",
        "jeudi 3 avril 2025",
        "2025-04-03T00:00:00Z",
        "2025-04-03 02:00 +02:00",
        "3 April 2025, 12:00 AM",
        date(2025, 4, 3),
        datetime(2025, 4, 3, tzinfo=UTC),
    ],
)
def test_dates_as_people_write_them(text: object) -> None:
    assert read_date(text, None) == DAY


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2025-04-03 10:15", 36_900),
        ("2025-04-03T10:15:30.5Z", 36_930),
        ("3 April 2025, 10:15 PM", 80_100),
        ("3 April 2025, 12:15 PM", 44_100),
        ("2025-04-03T00:00:00-05:00", 18_000),
    ],
)
def test_times(text: str, seconds: int) -> None:
    assert read_date(text, None) == DAY + seconds


def test_day_of_an_end_still_counts_and_a_time_is_exact() -> None:
    assert read_date("2025-04-03", None, is_end=True) == DAY + 86_400
    assert read_date(date(2025, 4, 3), None, is_end=True) == DAY + 86_400
    assert read_date("2025-04-03 10:15", None, is_end=True) == DAY + 36_900


def test_numbers_alone_need_an_order_unless_one_way_only_is_possible() -> None:
    for text in ("03/04/2025", "3.4.2025", "03-04-2025"):
        assert read_date(text, DateOrder.DAY_FIRST) == DAY
        with pytest.raises(CellError, match="could be two different days") as caught:
            read_date(text, None)
        assert "--dates dmy" in caught.value.hint
    assert read_date("04/03/2025", DateOrder.MONTH_FIRST) == DAY
    assert read_date("25/12/2025", None) == read_date("12/25/2025", None) == read_date("2025-12-25", None)
    assert read_date("04/04/2025", None) == DAY + 86_400
    # With an order said, the other one is a mistake.
    with pytest.raises(CellError, match="is not a date"):
        read_date("25/12/2025", DateOrder.MONTH_FIRST)


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2025",
        "2025-13-01",
        "2025-02-30",
        "3 Aprul 2025",
        "0 April 2025",
        "2025-04-03 25:00",
        "3 April 2025, 13:00 PM",
        "2025-04-03T00:00:00+24:00",
        "9999-12-31T23:59:60Z",
        45750,
    ],
)
def test_what_is_no_date(text: object) -> None:
    with pytest.raises(CellError, match="is not a date") as caught:
        read_date(text, None)
    assert caught.value.hint == "write it as 2025-04-03"


def test_empty_cells_say_nothing() -> None:
    assert [read_date("  ", None), read_did(" "), read_url(""), read_short(None), read_long(" ")] == [None] * 5


@pytest.mark.parametrize("did", ["did:web:college.example", "did:key:z6MkhaXg", "did:web:a.example%3A8443:path"])
def test_dids(did: str) -> None:
    assert read_did(f" {did} ") == did
    for bad in (did.upper(), did + " x", "did:web:", "college.example", did + "\u200b"):
        with pytest.raises(CellError, match="is not a DID"):
            read_did(bad)


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "a.example/b", "https://", "https://a b", "http://[", "javascript:x"]
)
def test_addresses(url: str) -> None:
    with pytest.raises(CellError, match="is not an address"):
        read_url(url)
    assert read_url("https://a.example/é?b=c") == "https://a.example/é?b=c"


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u202a"])
def test_characters_that_turn_the_direction_are_refused(char: str) -> None:
    for read in (read_name, read_short, read_long):
        with pytest.raises(CellError):
            read(f"Ana{char}Roy")
    assert read_name("محمد بن عمار") == "محمد بن عمار"


def test_names_are_no_dates_or_numbers() -> None:
    with pytest.raises(CellError, match="is a date"):
        read_name(date(2025, 4, 3))
    with pytest.raises(CellError, match="has no letter"):
        read_name(77.0)


def test_texts_have_their_limits_and_numbers_no_fraction_that_nobody_wrote() -> None:
    assert read_short(77.0) == "77"
    assert read_short(77.5) == "77.5"
    assert read_short(True) == "yes"
    assert read_long("a\nb") == "a\nb"
    with pytest.raises(CellError, match="control character"):
        read_short("a\nb")
    for read, limit in ((read_short, 500), (read_long, 20_000)):
        assert read("x" * limit) == "x" * limit
        with pytest.raises(CellError, match=f"more than {limit} characters"):
            read("x" * (limit + 1))


def test_completion() -> None:
    assert [read_completion(word, None) for word in ("no", "", "Not completed", False)] == [(False, None)] * 4
    assert [read_completion(word, None) for word in ("x", "Oui", "completed", True)] == [(True, None)] * 4
    assert read_completion("2025-04-03", None) == read_completion(date(2025, 4, 3), None) == (True, DAY)


def test_periods_do_not_end_before_they_start() -> None:
    data = b"name,valid from,valid until,start date,end date\nA,2025-02-01,2025-01-01,,\nB,,,2025-02-01,2025-01-01\n"
    assert [(each.where, each.reason) for each in check_roster(data).problems] == [
        ("line 2, valid until", "is before the start"),
        ("line 3, end date", "is before the start"),
    ]
    assert check_roster(b"name,valid from,valid until\nA,2025-02-01,2025-02-01\n").problem_count == 0


def test_same_did_is_a_problem_and_same_name_without_more_a_warning() -> None:
    report = check_roster(b"name,did,email\nAna,did:web:a,\nBo,did:web:a,\nCy,,\nCy,,\nCy,,c@example.org\n")
    assert [(each.where, each.reason) for each in report.problems] == [("line 3, did", "is the same as on line 2")]
    assert [each.where for each in report.warnings] == ["line 5, name"]
    assert report.good_count == 4
