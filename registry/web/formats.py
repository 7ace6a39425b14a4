"""Dates and numbers as each language writes them; times are UTC, and say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from markupsafe import Markup

from anchor.model import to_utc

_MONTHS: Final = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
}
_SPACE: Final = "\N{NO-BREAK SPACE}"
_THIN_SPACE: Final = "\N{NARROW NO-BREAK SPACE}"
_MAX_DIGITS: Final = 30


def parse_time(text: str) -> datetime | None:
    """Read a date and time of a credential; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_date(moment: datetime, language: str) -> str:
    """Write a day: 1 March 2027, 1er mars 2027."""
    day = "1er" if language == "fr" and moment.day == 1 else str(moment.day)
    return f"{day}{_SPACE}{_MONTHS[language][moment.month - 1]}{_SPACE}{moment.year}"


def format_moment(moment: datetime, language: str) -> str:
    """Write a day and a time: 1 March 2027, 14:05 UTC; 1er mars 2027 à 14 h 05 UTC."""
    day = format_date(moment, language)
    if language == "fr":
        return f"{day} à {moment.hour}{_SPACE}h{_SPACE}{moment:%M}{_SPACE}UTC"
    return f"{day}, {moment:%H:%M}{_SPACE}UTC"


def time_element(at: int, language: str, write: Callable[[datetime, str], str] = format_moment) -> Markup | str:
    """Write Unix seconds as a time, or as a day, with the exact time beside it for programs.

    They may be of any year, for issuers choose some of them: what no calendar here has is written as it is.
    """
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return to_utc(at)
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), write(moment, language))


def format_number(number: Decimal, language: str) -> str:
    """Write a number: 1,234.5 and 1 234,5."""
    text = f"{number:,f}"
    if language == "fr":
        return text.replace(",", _THIN_SPACE).replace(".", ",")
    return text


def format_percent(number: Decimal, language: str) -> str:
    """Write a percentage: 87.5% and 87,5 %."""
    return f"{format_number(number, language)}{_SPACE if language == 'fr' else ''}%"


def read_decimal(value: object) -> Decimal | None:
    """Read a number as credentials have them, plain or as text; None if it is none, or too long to be meant as one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > _MAX_DIGITS:
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    is_plain = isinstance(exponent, int) and abs(exponent) <= _MAX_DIGITS
    return number if is_plain else None
