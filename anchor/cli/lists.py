"""Lists of what is to be checked: a text with one address or path a line, or a CSV file with a column of them."""

from __future__ import annotations

import csv
import re
from typing import Final

from anchor.errors import CredentialFormatError

LIST_SUFFIXES: Final = (".csv", ".tsv", ".txt")
MAX_LIST_BYTES: Final = 16 * 2**20
MAX_ENTRIES: Final = 100_000

_ADDRESS: Final = re.compile(r"https?://\S+", re.IGNORECASE)
_HEADINGS: Final = frozenset(
    {"address", "adresse", "url", "link", "lien", "credential", "file", "fichier", "path", "chemin", "badge"}
)
_DELIMITERS: Final = ("\t", ";", ",")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def read_list(data: bytes) -> list[str]:
    """Read the entries of a list: addresses and paths, in order, each once.

    The column is the one with addresses in it, else the one with a heading such as `address` or `file`, else the only
    one. Lines that are empty or start with `#` say nothing.

    Raises:
        CredentialFormatError: It is no text, has nothing in it or too much, or does not say which column is meant.
    """
    if len(data) > MAX_LIST_BYTES:
        raise CredentialFormatError(f"the list has more than {MAX_LIST_BYTES} bytes", advice="Split it.")
    rows = _rows(_text(data))
    if not rows:
        raise CredentialFormatError("the list is empty")
    column = _column(rows)
    entries = [row[column].strip() for row in rows if column < len(row)]
    rest = entries[1:]
    if _is_heading(entries[0]) or (
        len(rows[0]) > 1 and rest and all(map(is_address, rest)) and not is_address(entries[0])
    ):
        entries = rest
    entries = list(dict.fromkeys(filter(None, entries)))
    if not entries:
        raise CredentialFormatError("the list has a heading and nothing under it")
    if len(entries) > MAX_ENTRIES:
        raise CredentialFormatError(f"the list has {len(entries)} entries; at most {MAX_ENTRIES}", advice="Split it.")
    return entries


def is_address(entry: str) -> bool:
    """Tell an address from a path."""
    return _ADDRESS.fullmatch(entry) is not None


def _text(data: bytes) -> str:
    encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # What Excel saves where nobody told it otherwise.
        text = data.decode("cp1252", errors="replace")
    if "\x00" in text:
        raise CredentialFormatError("this is neither a credential nor a list of them")
    return text


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return []
    delimiter = _delimiter(lines)
    if delimiter is None:
        return [[_unquoted(line.strip())] for line in lines]
    try:
        return list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise CredentialFormatError("the list is no CSV that can be read") from error


def _delimiter(lines: list[str]) -> str | None:
    """Tell what parts the columns; None where a line is one entry, for addresses and paths may have commas in them."""
    first = lines[0]
    for delimiter in _DELIMITERS:
        if delimiter in first and any(map(_is_heading, first.split(delimiter))):
            return delimiter
    if _is_heading(first) or all(is_address(line.strip()) for line in lines):
        return None
    return next((each for each in _DELIMITERS if all(each in line for line in lines)), None)


def _unquoted(line: str) -> str:
    return line[1:-1] if len(line) > 1 and line[0] == line[-1] == '"' else line


def _column(rows: list[list[str]]) -> int:
    width = max(map(len, rows))
    if width == 1:
        return 0
    with_addresses = [
        column
        for column in range(width)
        if any(is_address(row[column].strip()) for row in rows[:100] if column < len(row))
    ]
    named = [column for column, cell in enumerate(rows[0]) if _is_heading(cell)]
    for candidates in (sorted({*with_addresses} & {*named}), with_addresses, named):
        if len(candidates) == 1:
            return candidates[0]
    raise CredentialFormatError(
        "the list does not say which of its columns is meant", advice="Give that column the heading address or file."
    )


def _is_heading(cell: str) -> bool:
    return cell.strip().strip('"').lower() in _HEADINGS
