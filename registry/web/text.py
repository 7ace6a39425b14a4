"""Text that strangers wrote, made safe to show: no characters that change what other text looks like, no bad links."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tabs and ends of lines
    "\u202a-\u202e\u2066-\u2069"  # they turn the direction of what follows, beyond the end of the text
    "\ufff9-\ufffb\ud800-\udfff\ufeff]"
)
_LINE_ENDS: Final = re.compile("\r\n?|\u2028|\u2029|\x85")
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028-\u202f\u2066-\u2069\ufeff\\<>\"'`{}|^]")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}")
MAX_LINK_CHARACTERS: Final = 4096


def clean(text: str) -> str:
    """Take out characters that are not seen and do something: control characters, and those that set directions.

    Joiners and marks, which Persian, Hindi or emoji need, stay; a page isolates each text's direction by itself.
    """
    return _HIDDEN.sub("", _LINE_ENDS.sub("\n", text))


def safe_link(url: str) -> str | None:
    """Give an address if it can be put behind a link: http or https with a host, hiding nothing; else None."""
    if len(url) > MAX_LINK_CHARACTERS or _UNFIT.search(url):
        return None
    try:
        parts = urlsplit(url)
        # Names and passwords before the host make one address look like another.
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        _ = parts.port
    except ValueError:
        return None
    return url if is_good else None


def language_tag(text: str) -> str:
    """Give a language tag if it has the form of one (BCP 47), else nothing."""
    return text if _LANGUAGE.fullmatch(text) else ""
