"""What pages say, in each language: for each part one file of words, with the same names in all languages."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

from registry.web.languages import LANGUAGES

_FOLDER: Final = Path(__file__).parent / "words"
PARTS: Final = ("", "ledger.")
"""How the names of files begin: for learners' pages, and for the explorer."""


class Words:
    """One language's words.

    Args:
        language: Its code.
        texts: Words by name; they may have {places} for values.
    """

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        self.language: Final = language
        self._texts: Final = texts

    @property
    def names(self) -> frozenset[str]:
        """Names of all there are."""
        return frozenset(self._texts)

    def say(self, name: str, /, **values: object) -> Markup:
        """Give words, with values put in and escaped.

        Raises:
            KeyError: There are none of this name, or a value is missing.
        """
        return Markup(self._texts[name]).format(**values)  # noqa: S704 - from our own files

    def say_if_known(self, name: str, otherwise: str) -> str:
        """Give words for what strangers named; if there are none, their own."""
        return self._texts.get(name, otherwise)


@cache
def load_words() -> dict[str, Words]:
    """Read all words, by language."""
    return {
        language: Words(
            language, {name: text for part in PARTS for name, text in _read(f"{part}{language}.json").items()}
        )
        for language in LANGUAGES
    }


def _read(name: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((_FOLDER / name).read_text("utf-8"))
    return texts
