"""Times on the command line: ISO 8601, UTC unless they say otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from anchor.errors import MalformedError

_LAST: Final = 2**40 - 1
"""The contract's times have 40 bits."""


def parse_time(text: str) -> int:
    """Read a date, or a date and time, as Unix seconds; a date alone is its first second.

    >>> parse_time("2026-01-31T12:00:00Z")
    1769860800

    Raises:
        MalformedError: It is none, or out of the contract's range.
    """
    try:
        # As the program itself shows times, too.
        read = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        raise MalformedError(
            f"{text[:40]!r} is no date or time", advice="Write 2026-01-31, or 2026-01-31T12:00:00Z."
        ) from None
    seconds = int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
    if not 0 < seconds <= _LAST:
        raise MalformedError(f"{text[:40]} is out of range")
    return seconds
