"""Which characters no credential may hold (design section 4): lone surrogates and Unicode noncharacters."""

from __future__ import annotations

import re
from typing import Final

_NONCHARACTERS: Final = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))

FORBIDDEN_CHARACTER: Final = re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
"""Finds one; a test holds it to what `anchor.canonical.parse_document` refuses."""

_SUSPECT: Final = re.compile("[\ud800-\udfff\ufdd0-\U0010ffff]")
"""One range is looked for in a fifth of the time that the many take; names hardly ever have a sign of it."""


def has_forbidden_character(text: str) -> bool:
    """Tell whether a text holds a character that no credential may hold."""
    return not text.isascii() and _SUSPECT.search(text) is not None and FORBIDDEN_CHARACTER.search(text) is not None
