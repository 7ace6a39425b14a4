"""Which language a page is in: the one asked for in the address, else the one that the browser likes best."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

LANGUAGES: Final = {"en": "English", "fr": "Français"}
"""Codes, and what each language calls itself; the first one is for those who say nothing."""
_MAX_HEADER: Final = 1000


def choose_language(asked: str | None, accept: str | None) -> str:
    """Choose a language.

    Args:
        asked: Code from the address; one that there is not counts as none.
        accept: The header `Accept-Language` (RFC 9110 section 12.5.4).

    Returns:
        A code of `LANGUAGES`.
    """
    if asked in LANGUAGES:
        return asked
    liked = max(_liked(accept or ""), key=lambda each: each[0], default=(0.0, ""))
    return liked[1] if liked[0] > 0 else next(iter(LANGUAGES))


def _liked(accept: str) -> Iterator[tuple[float, str]]:
    """Give how much each of our languages is liked; of equal ones the first is taken, as the header has them."""
    for part in accept[:_MAX_HEADER].split(","):
        name, _, parameter = part.partition(";")
        code = name.strip().lower().partition("-")[0]
        if code in LANGUAGES:
            yield _weight(parameter.strip()), code


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip().lower() == "q" and 0 <= weight <= 1 else 0.0
