"""Times as people write them."""

import pytest

from anchor.cli.times import parse_time
from anchor.errors import MalformedError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-31", 1769817600),
        ("2026-01-31T12:00:00Z", 1769860800),
        ("2026-01-31 12:00:00", 1769860800),
        ("2026-01-31T12:00:00+05:00", 1769842800),
        ("2026-01-31T12:00:00.9Z", 1769860800),
    ],
)
def test_iso_dates_and_times(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "now", "31/01/2026", "1769860800", "2026-13-01", "1969-12-31", "1970-01-01"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_time(text)
