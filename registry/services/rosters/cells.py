"""What stands in a cell, checked: names, e-mails, addresses, dates. Each check gives the value, or says what is wrong.

Upholds: nothing that is said of a cell repeats what stands there: it is somebody's name or address.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from registry.services.rosters.dates import AmbiguousDateError, DateOrder, parse_date
from registry.services.text import has_forbidden_character

MAX_NAME_CHARACTERS: Final = 300
"""The longest names on record are below it."""
MAX_EMAIL_CHARACTERS: Final = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""
MAX_TEXT_CHARACTERS: Final = 20_000
"""A page of a narrative has some 3,000."""
MAX_SHORT_CHARACTERS: Final = 500
MAX_URL_CHARACTERS: Final = 2_000

# Line breaks and tabs, too: within a name they are a slip of copying.
_CONTROL_CHARACTER: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LINES: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DIRECTION_OVERRIDE: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""They make a reader see other letters than there are; names written from right to left need none."""

# What every mail system delivers, letters beyond ASCII included (RFC 6531); quoted local parts are not worth a typo.
_EMAIL: Final = re.compile(
    r'[^\s@"(),:;<>\[\\\]\x00-\x1f]+@[^\s@"(),:;<>\[\\\]\x00-\x1f.]+(?:\.[^\s@"(),:;<>\[\\\].]+)+'
)
_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._%-]")
_NO: Final = frozenset({"", "-", "no", "n", "false", "0", "not completed", "incomplete", "non", "non terminé", "faux"})
_YES: Final = frozenset({"yes", "y", "true", "1", "x", "✓", "✔", "completed", "complete", "oui", "terminé", "vrai"})


class CellError(ValueError):
    """A cell cannot be used.

    Attributes:
        hint: How to mend it; may be empty.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def text_of(value: object) -> str:
    """Give a cell as text: a number without the fraction that spreadsheets keep."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise CellError("is a JSON array or object, not text")
    return str(value)


def read_name(value: object) -> str:
    """Check a name; give it in Unicode normal form NFC."""
    # Nearly all of a million names: they begin with a letter and have no sign that cannot be seen.
    if type(value) is str and value[:1].isalpha() and value.isprintable() and len(value) <= MAX_NAME_CHARACTERS:
        return (value if value.isascii() else unicodedata.normalize("NFC", value)).rstrip()
    if isinstance(value, date):
        raise CellError("is a date", "look whether the columns have moved")
    name = text_of(value).strip()
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
        if _DIRECTION_OVERRIDE.search(name):
            raise CellError("has invisible characters that turn the direction of writing", "write the name anew")
    if not name:
        raise CellError("is empty")
    if len(name) > MAX_NAME_CHARACTERS:
        raise CellError(f"has more than {MAX_NAME_CHARACTERS} characters")
    if not any(map(str.isalpha, name)):
        raise CellError("has no letter", "look whether the columns have moved")
    if name[0] in "=+@":
        raise CellError("starts with a sign that spreadsheets take for a formula", "take it away")
    if _CONTROL_CHARACTER.search(name) or has_forbidden_character(name):
        raise CellError("has a control character, such as a line break or a tab", "write the name on one line")
    return name


def read_email(value: object) -> str | None:
    """Check an e-mail address; None if there is none."""
    email = text_of(value).strip()
    if not email:
        return None
    # An invisible character would be hashed with the address, and the holder could never prove it.
    if len(email) <= MAX_EMAIL_CHARACTERS and email.isprintable() and _EMAIL.fullmatch(email):
        return email
    raise CellError("is not an e-mail address", _email_hint(email))


def read_did(value: object) -> str | None:
    """Check a DID; None if there is none."""
    did = text_of(value).strip()
    if not did:
        return None
    if len(did) > MAX_URL_CHARACTERS or not _DID.fullmatch(did):
        raise CellError("is not a DID", "a DID looks like did:key:z6Mk… or did:web:example.org")
    return did


def read_url(value: object) -> str | None:
    """Check an http or https address; None if there is none."""
    url = text_of(value).strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address or len(url) > MAX_URL_CHARACTERS or not url.isprintable() or " " in url:
        raise CellError("is not an address", "write it in full, with https://")
    return url


def read_short(value: object) -> str | None:
    """Check a result, a number of a licence and the like; None if there is none."""
    return _read_text(value, MAX_SHORT_CHARACTERS, _CONTROL_CHARACTER)


def read_long(value: object) -> str | None:
    """Check a narrative, which may have lines; None if there is none."""
    return _read_text(value, MAX_TEXT_CHARACTERS, _CONTROL_BUT_LINES)


def read_date(value: object, order: DateOrder | None, *, is_end: bool = False) -> int | None:
    """Check a date; give it in Unix seconds, None if there is none."""
    if not isinstance(value, date) and not text_of(value).strip():
        return None
    try:
        return parse_date(value if isinstance(value, date) else text_of(value), order, is_end=is_end)
    except AmbiguousDateError:
        raise CellError(
            "could be two different days", "write it as 2025-04-03, or say --dates dmy (day first) or --dates mdy"
        ) from None
    except (ValueError, OverflowError):
        raise CellError("is not a date", "write it as 2025-04-03") from None


def read_completion(value: object, order: DateOrder | None) -> tuple[bool, int | None]:
    """Tell whether somebody has completed, and when, if that is said."""
    if isinstance(value, date):
        return True, read_date(value, order)
    word = text_of(value).strip().casefold()
    if word in _NO:
        return False, None
    if word in _YES or word.startswith("completed ("):
        return True, None
    try:
        return True, read_date(value, order)
    except CellError as error:
        raise CellError(
            "is neither a date, nor yes or no", error.hint or "write yes, no, or the date of completion"
        ) from None


def _read_text(value: object, max_characters: int, forbidden: re.Pattern[str]) -> str | None:
    text = unicodedata.normalize("NFC", text_of(value).strip())
    if len(text) > max_characters:
        raise CellError(f"has more than {max_characters} characters")
    if forbidden.search(text) or has_forbidden_character(text) or _DIRECTION_OVERRIDE.search(text):
        raise CellError("has a control character", "write it anew, without what was copied along")
    return text or None


def _email_hint(email: str) -> str:
    """Say what is probably wrong, without repeating any of it."""
    if not email.isprintable():
        return "it has an invisible character: write it anew"
    if email.count("@") > 1 or any(sign in email for sign in ",;"):
        return "write one address only"
    if "@" not in email:
        return "it has no @"
    if any(map(str.isspace, email)):
        return "it has a space within"
    if "." not in email.rpartition("@")[2]:
        return "behind the @ it has no dot"
    return ""
