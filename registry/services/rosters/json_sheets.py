"""Rosters in JSON: an array of objects, or one object a line (NDJSON). Read entry by entry, however many there are.

Members are cells, and all their names the header, numbered 0.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, BinaryIO, Final

from registry.errors import Problem, RosterFormatError
from registry.services.rosters.content import Content
from registry.services.rosters.forms import MAX_COLUMNS, Row, SheetForm, unusable

MAX_ENTRY_BYTES: Final = 1 << 20
"""One entry is a person."""

_SPACE: Final = " \t\n\r"
_DECODER: Final = json.JSONDecoder()


class ObjectSheet:
    """Rows of objects, read twice: for the names of all members, then for the rows.

    Args:
        content: The file.
        form: What an entry is called.
        entries: Gives (number, value) of each entry of the file.

    Raises:
        RosterFormatError: It is not what it is said to be; the problem says where.
    """

    def __init__(
        self, content: Content, form: SheetForm, entries: Callable[[BinaryIO], Iterator[tuple[int, Any]]]
    ) -> None:
        self.form: Final = form
        self._content: Final = content
        self._entries: Final = entries
        with closing(self._read()) as found:
            self._headings: Final = _headings_of(found, form.unit)

    def rows(self) -> Iterator[Row]:
        """Give the header, then a row for each entry."""
        yield Row(0, self._headings)
        for number, entry in self._read():
            yield Row(number, [entry.get(name, "") for name in self._headings])

    def _read(self) -> Generator[tuple[int, Any]]:
        with self._content.open() as file:
            yield from self._entries(file)


def _headings_of(entries: Iterator[tuple[int, Any]], unit: str) -> list[str]:
    headings: dict[str, None] = {}
    for number, entry in entries:
        if not isinstance(entry, dict):
            raise unusable([Problem(where=f"{unit} {number}", reason="is not a JSON object")])
        headings.update(dict.fromkeys(entry))
        if len(headings) > MAX_COLUMNS:
            raise RosterFormatError(f"the roster's objects have more than {MAX_COLUMNS} different members")
    return list(headings)


def json_sheet(content: Content) -> ObjectSheet:
    """Open a JSON array of objects."""
    return ObjectSheet(content, SheetForm(kind="JSON", unit="entry", details=("UTF-8",)), _of_array)


def ndjson_sheet(content: Content) -> ObjectSheet:
    """Open a file with a JSON object on each line."""
    return ObjectSheet(content, SheetForm(kind="NDJSON", unit="line", details=("UTF-8",)), _of_lines)


def _of_array(file: BinaryIO) -> Iterator[tuple[int, Any]]:
    scanner, number = _Scanner(file), 0
    scanner.take("[", number)
    if scanner.peek() != "]":
        number = 1
        yield number, scanner.take_value(number)
        while scanner.peek() == ",":
            number += 1
            scanner.take(",", number)
            yield number, scanner.take_value(number)
    scanner.take("]", number)
    if scanner.peek():
        raise _not_json(number)


def _of_lines(file: BinaryIO) -> Iterator[tuple[int, Any]]:
    number = 0
    while line := file.readline(MAX_ENTRY_BYTES + 1):
        number += 1
        where = f"line {number}"
        if len(line) > MAX_ENTRY_BYTES:
            raise unusable([Problem(where=where, reason=f"has more than {MAX_ENTRY_BYTES:,} bytes")])
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip(_SPACE)
            if text:
                yield number, _DECODER.decode(text)
        except (ValueError, RecursionError):
            raise unusable([Problem(where=where, reason="is not JSON")]) from None


class _Scanner:
    """Takes values out of a text, of which no more than two entries are in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file: Final = file
        self._decoder: Final = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """Give the next character that is not space; none at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._read_on():
                return ""

    def take(self, wanted: str, number: int) -> None:
        """Pass over a character, in or after an entry."""
        if self.peek() != wanted:
            raise _not_json(number)
        self._at += 1

    def take_value(self, number: int) -> Any:
        """Take an entry: an object whole; of anything else that it is none."""
        if self.peek() != "{":
            return None
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                # Perhaps only its beginning is here.
                if len(self._text) - self._at > MAX_ENTRY_BYTES or not self._read_on():
                    raise _not_json(number) from None
            else:
                return value

    def _read_on(self) -> bool:
        content = self._file.read(MAX_ENTRY_BYTES)
        try:
            piece = self._decoder.decode(content, final=not content)
        except UnicodeDecodeError:
            raise RosterFormatError("the roster starts like JSON, but is not in UTF-8") from None
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(content)


def _not_json(number: int) -> RosterFormatError:
    where = "at its beginning" if number == 0 else f"entry {number}"
    problem = Problem(where=where, reason="is not JSON, or not within an array of objects")
    return RosterFormatError("the roster starts like JSON, but is none", (problem,))
