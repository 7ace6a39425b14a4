"""HTML built from elements: whatever is not an element is text and gets escaped, so nothing can be forgotten."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from anchor.cli.output import plain

_VOID: Final = frozenset({"img", "meta"})
"""Of the elements used here, those without an end tag."""

_SPACES: Final = ("\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}")
"""Of French numbers and punctuation: a page may have them, though Python prints them escaped."""
_AT_SPACES: Final = re.compile(f"([{''.join(_SPACES)}])")


class Markup(str):
    """HTML that may stand as it is. Only `element` makes it, and who writes it out in full in the program."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: str) -> Markup:
    """Build an element.

    Args:
        name: Its name.
        content: What is in it, in order: `Markup` as it is, any other text escaped.
        attributes: Its attributes; `_` at the end of a name, as in `class_`, is dropped, and `_` within is `-`.
    """
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"' for key, value in attributes.items()
    )
    start = f"<{name}{named}>"
    return Markup(start if name in _VOID else f"{start}{''.join(map(as_markup, content))}</{name}>")


def as_markup(text: str) -> Markup:
    """Give text as HTML: escaped, unless it is HTML already."""
    if isinstance(text, Markup):
        return text
    parts = (part if part in _SPACES else plain(part) for part in _AT_SPACES.split(text))
    return Markup(escape("".join(parts), quote=True))
