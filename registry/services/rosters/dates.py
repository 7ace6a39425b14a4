"""Dates as people write them in rosters, into Unix seconds; what could be two different days is refused.

    2025-04-03 · 2025-04-03T10:15:00Z · 3 April 2025 · April 3, 2025 · 3 avril 2025 · Thursday, 3 April 2025, 10:15 AM
    25/12/2025                     no month has the number 25
    03/04/2025                     only with an order, `dmy` or `mdy`

A date without a time is that day in UTC: its start, or for an end (`valid until`) the start of the next day, so that
the day itself still counts. A time without a zone is taken as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Final

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv",
            "february feb février fevrier févr fevr fév",
            "march mar mars",
            "april apr avril avr",
            "may mai",
            "june jun juin",
            "july jul juillet juil",
            "august aug août aout",
            "september sep sept septembre",
            "october oct octobre",
            "november nov novembre",
            "december dec décembre decembre déc",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAY: Final = r"(?:[^\W\d_]+\.?,?\s+)?"
_TIME: Final = (
    r"(?:(?:,|T|\s)\s*(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?)?"
)
_ZONE: Final = r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
_FORMS: Final = tuple(
    re.compile(_WEEKDAY + day + _TIME + _ZONE, re.IGNORECASE)
    for day in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<day>\d{1,2})(?:er|st|nd|rd|th)?\s+(?P<name>[^\W\d_]+)\.?,?\s+(?P<year>\d{4})",
        r"(?P<name>[^\W\d_]+)\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})",
        r"(?P<first>\d{1,2})[-/.](?P<second_part>\d{1,2})[-/.](?P<year>\d{4})",
    )
)


class DateOrder(Enum):
    """Which comes first in 03/04/2025."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class AmbiguousDateError(ValueError):
    """It could be two different days."""


def parse_date(value: object, order: DateOrder | None, *, is_end: bool) -> int:
    """Read a date, with or without a time.

    Args:
        value: Text, or a date or date and time of a spreadsheet.
        order: Which of two numbers is the day, where both could be.
        is_end: The day itself still counts.

    Returns:
        Unix seconds.

    Raises:
        AmbiguousDateError: Without an order it could be two different days.
        ValueError: It is no date that is known here.
    """
    if isinstance(value, datetime):
        return _seconds(value, has_time=(value.hour, value.minute, value.second) != (0, 0, 0), is_end=is_end)
    if isinstance(value, date):
        return _seconds(datetime(value.year, value.month, value.day, tzinfo=UTC), has_time=False, is_end=is_end)
    text = " ".join(str(value).split())
    for form in _FORMS:
        match = form.fullmatch(text)
        if match is not None:
            return _read(match.groupdict(), order, is_end=is_end)
    raise ValueError("no form of a date")


def _read(parts: dict[str, str | None], order: DateOrder | None, *, is_end: bool) -> int:
    year = int(parts["year"] or 0)
    if parts.get("name") is not None:
        month, day = _MONTHS.get((parts["name"] or "").casefold(), 0), int(parts["day"] or 0)
    elif parts.get("first") is not None:
        day, month = _day_and_month(int(parts["first"] or 0), int(parts["second_part"] or 0), order)
    else:
        month, day = int(parts["month"] or 0), int(parts["day"] or 0)
    hour = int(parts["hour"] or 0)
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12 + (12 if parts["half"][0] in "pP" else 0)
    when = datetime(year, month, day, hour, int(parts["minute"] or 0), int(parts["second"] or 0), tzinfo=UTC)
    return _seconds(when, has_time=parts["hour"] is not None, is_end=is_end) - _offset_seconds(parts["zone"])


def _day_and_month(first: int, second: int, order: DateOrder | None) -> tuple[int, int]:
    """Tell day and month apart: as said, or as only one way is possible."""
    if order is not None:
        return (first, second) if order is DateOrder.DAY_FIRST else (second, first)
    if first > 12 or first == second:
        return first, second
    if second > 12:
        return second, first
    raise AmbiguousDateError("could be two different days")


def _seconds(when: datetime, *, has_time: bool, is_end: bool) -> int:
    if is_end and not has_time:
        when += timedelta(days=1)
    return int((when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp())


def _offset_seconds(zone: str | None) -> int:
    if zone is None or zone.upper() in {"Z", "UTC"}:
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError("no time zone")
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
