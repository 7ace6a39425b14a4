"""Rosters: a CSV file into recipients, or everything that is wrong with it.

    name;email
    Zoé Tremblay-Lévesque;zoe@example.org

Upholds: all rows are good, or nothing is given. Problems name line, column and reason, never what stands there: it is
somebody's name or address. Line 1 is the header.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from anchor.identity import normalize_email
from registry.errors import Problem, RosterFormatError
from registry.services.recipient import Recipient
from registry.services.text import FORBIDDEN_CHARACTER

MAX_ROSTER_BYTES: Final = 1 << 28
"""256 MiB: some five million rows. More is a mistake in the file's name."""
MAX_NAME_CHARACTERS: Final = 300
"""The longest names on record are below it."""
MAX_EMAIL_CHARACTERS: Final = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""
MAX_PROBLEMS: Final = 100
"""A file with more is the wrong file; nobody reads on."""

_COLUMNS: Final = {
    "name": "name",
    "full name": "name",
    "fullname": "name",
    "learner": "name",
    "recipient": "name",
    "nom": "name",
    "nom complet": "name",
    "email": "email",
    "e-mail": "email",
    "email address": "email",
    "e-mail address": "email",
    "mail": "email",
    "courriel": "email",
    "adresse courriel": "email",
}
_DELIMITERS: Final = ",;\t"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")

_CONTROL_CHARACTER: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# What every mail system delivers, letters beyond ASCII included (RFC 6531); quoted local parts are not worth a typo.
_EMAIL: Final = re.compile(
    r'[^\s@"(),:;<>\[\\\]\x00-\x1f]+@[^\s@"(),:;<>\[\\\]\x00-\x1f.]+(?:\.[^\s@"(),:;<>\[\\\].]+)+'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Recipients in the order of the file."""

    recipients: tuple[Recipient, ...]
    unused_columns: tuple[str, ...]
    """Headings of columns that nothing is taken from."""


def parse_roster(data: bytes) -> Roster:
    """Read a roster: CSV in UTF-8, delimited by comma, semicolon or tab, with a header line.

    The header has a column `name` (or `nom`, `full name` …) and may have `email` (or `courriel` …). Empty lines count
    for nothing. Names are brought to Unicode normal form NFC, so that equal names are equal bytes.

    Raises:
        RosterFormatError: It cannot be used; all problems are listed, by line and column.
    """
    text = _decode(data)
    records = _records(text, _delimiter_of(text))
    header_line, header = next(records, (1, []))
    columns = _columns_of(header, header_line)
    recipients: list[Recipient] = []
    problems: list[Problem] = []
    first_lines: dict[str, int] = {}
    for line, cells in _after_errors_collected(records, problems):
        if any(cell.strip() for cell in cells):
            recipient = _read_row(line, cells, len(header), columns, problems)
            _check_new(line, recipient, first_lines, problems)
            recipients.append(recipient)
    if problems:
        raise _unusable(problems)
    if not recipients:
        raise RosterFormatError("the roster has no recipients: there is no line below the header")
    return Roster(
        recipients=tuple(recipients),
        unused_columns=tuple(
            heading.strip() for heading in header if heading.strip() and _column_name(heading) not in _COLUMNS
        ),
    )


def _decode(data: bytes) -> str:
    advice = "Save it as “CSV UTF-8”."
    if len(data) > MAX_ROSTER_BYTES:
        raise RosterFormatError(f"the roster has more than {MAX_ROSTER_BYTES} bytes")
    if data.startswith(_UTF16_MARKS):
        raise RosterFormatError("the roster is in UTF-16, not in UTF-8", advice=advice)
    try:
        return data.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RosterFormatError(f"the roster is not in UTF-8: see line {line}", advice=advice) from None


def _delimiter_of(text: str) -> str:
    """Find the delimiter by which the header has the most columns that are known."""

    def columns_known(delimiter: str) -> tuple[int, int]:
        header = next(csv.reader(io.StringIO(text[:10_000], newline=""), delimiter=delimiter), [])
        return sum(_column_name(heading) in _COLUMNS for heading in header), len(header)

    return max(_DELIMITERS, key=columns_known)


def _column_name(heading: str) -> str:
    return " ".join(heading.replace("_", " ").split()).casefold()


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the line that it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        reason = (
            f"not CSV ({error}); a quotation mark in a cell is written twice, and the cell stands in quotation marks"
        )
        raise _unusable([Problem(where=f"line {line}", reason=reason)]) from None


def _columns_of(header: Sequence[str], line: int) -> dict[str, int]:
    columns: dict[str, int] = {}
    for place, heading in enumerate(header):
        column = _COLUMNS.get(_column_name(heading))
        if column in columns:
            raise _unusable([Problem(where=f"line {line}", reason=f"two columns for {column}")])
        if column is not None:
            columns[column] = place
    if "name" not in columns:
        # The first line may well be a person: it is not repeated here.
        raise RosterFormatError(
            "the roster's first line has no column “name”",
            advice="The first line names the columns: name (or nom, full name …), and email (or courriel …) if known.",
        )
    return columns


def _after_errors_collected(
    records: Iterator[tuple[int, list[str]]], problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Give the records up to one that is not CSV, whose problem joins the others."""
    try:
        yield from records
    except RosterFormatError as error:
        problems.extend(error.problems)


def _read_row(
    line: int, cells: Sequence[str], width: int, columns: dict[str, int], problems: list[Problem]
) -> Recipient:
    if len(cells) != width:
        reason = f"has {len(cells)} cells, the header has {width}"
        problems.append(Problem(where=f"line {line}", reason=reason))
        return Recipient(name="", email=None)
    name = unicodedata.normalize("NFC", cells[columns["name"]].strip())
    wrong = _wrong_with_name(name)
    if wrong:
        problems.append(Problem(where=f"line {line}, name", reason=wrong))
    email = cells[columns["email"]].strip() if "email" in columns else ""
    # An invisible character would be hashed with the address, and the holder could never prove it.
    if email and (len(email) > MAX_EMAIL_CHARACTERS or not email.isprintable() or not _EMAIL.fullmatch(email)):
        problems.append(Problem(where=f"line {line}, email", reason="is not an e-mail address"))
        email = ""
    return Recipient(name=name, email=email or None)


def _wrong_with_name(name: str) -> str:
    if not name:
        return "is empty"
    if len(name) > MAX_NAME_CHARACTERS:
        return f"has more than {MAX_NAME_CHARACTERS} characters"
    if not any(map(str.isalpha, name)):
        return "has no letter"
    if name[0] in "=+@":
        return "starts with a sign that spreadsheets take for a formula"
    if FORBIDDEN_CHARACTER.search(name) or _CONTROL_CHARACTER.search(name):
        return "has a control character, such as a line break or a tab"
    return ""


def _check_new(line: int, recipient: Recipient, first_lines: dict[str, int], problems: list[Problem]) -> None:
    if recipient.email is not None:
        first = first_lines.setdefault(normalize_email(recipient.email), line)
        if first != line:
            problems.append(Problem(where=f"line {line}, email", reason=f"is the same as on line {first}"))


def _unusable(problems: Sequence[Problem]) -> RosterFormatError:
    found = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return RosterFormatError(
        f"the roster has {found}; nothing was issued",
        tuple(problems[:MAX_PROBLEMS]),
        advice="Mend these lines and try again.",
    )
