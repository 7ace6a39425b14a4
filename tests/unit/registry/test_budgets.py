"""Months and amounts of budgets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from anchor.errors import MalformedError
from registry.services.budgets import coins_of, month_of, wei_of


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        (at(2026, 11, 1), at(2026, 11, 1), at(2026, 12, 1)),
        (at(2026, 11, 30, 23, 59, 59), at(2026, 11, 1), at(2026, 12, 1)),
        (at(2026, 12, 31), at(2026, 12, 1), at(2027, 1, 1)),
        (at(2028, 2, 29), at(2028, 2, 1), at(2028, 3, 1)),
    ],
)
def test_months_are_the_calendars(now: int, start: int, end: int) -> None:
    assert month_of(now) == (start, end)


@pytest.mark.parametrize(
    ("coins", "wei"),
    [
        ("0", 0),
        ("0.5", 5 * 10**17),
        ("12", 12 * 10**18),
        ("0.000000000000000001", 1),
        ("999999999999.999999999999999999", 10**30 - 1),
    ],
)
def test_amounts_are_exact(coins: str, wei: int) -> None:
    assert wei_of(coins) == wei
    assert coins_of(wei) == coins


@pytest.mark.parametrize("coins", ["", "-1", "1e3", ".5", "1.", "0.0000000000000000001", "1,5", "٣", " 1", "1" * 13])
def test_what_is_no_amount_is_refused(coins: str) -> None:
    with pytest.raises(MalformedError):
        wei_of(coins)
