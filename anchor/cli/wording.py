"""What reports say, in English and French: one file of words for each language, all with the same names."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "words"
LANGUAGES: Final = ("en", "fr")
"""Codes of BCP 47."""

_GROUPS: Final = {"en": ",", "fr": "\N{NARROW NO-BREAK SPACE}"}
_POINTS: Final = {"en": ".", "fr": ","}
_PERCENT: Final = {"en": "%", "fr": "\N{NO-BREAK SPACE}%"}


class Wording:
    """One language's words and numbers.

    Args:
        language: A code of `LANGUAGES`.
        texts: Words by name; they may have {places} for values.
    """

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        self.language: Final = language
        self._texts: Final = texts

    def written(self, write: Callable[[str], str]) -> Wording:
        """Give the same words in another kind of text, such as one that escapes what is put in."""
        return Wording(self.language, {name: write(text) for name, text in self._texts.items()})

    def say(self, name: str, /, **values: object) -> str:
        """Give words with values put in; numbers as the language writes them.

        Raises:
            KeyError: There are none of this name, or a value is missing.
        """
        written = {key: self.number(value) if isinstance(value, int) else value for key, value in values.items()}
        return self._texts[name].format(**written)

    def count(self, name: str, count: int, /, **values: object) -> str:
        """Give the words for a number of things: `name` with `_one` or `_other`."""
        # In French, nought is one, too.
        is_one = count == 1 or (self.language == "fr" and count == 0)
        return self.say(f"{name}_{'one' if is_one else 'other'}", count=count, **values)

    def number(self, number: int) -> str:
        """Write a whole number."""
        return f"{number:,}".replace(",", _GROUPS[self.language])

    def share(self, part: int, whole: int) -> str:
        """Write a part of a whole in per cent; what is little but not nothing is never 0, what is no part is a dash."""
        if part > whole or not whole:
            return "\N{EN DASH}"
        percent = 100 * part / whole
        text = "< 0.1" if 0 < percent < 0.1 else f"{percent:.1f}"
        return text.replace(".", _POINTS[self.language]) + _PERCENT[self.language]


@cache
def wording_of(language: str) -> Wording:
    """Read one language's words.

    Args:
        language: A code of `LANGUAGES`.
    """
    return Wording(language, json.loads((_FOLDER / f"{language}.json").read_text("utf-8")))
