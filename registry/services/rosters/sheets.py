"""Files as rows of cells: which kind a file is, and delimited text in its dialects and encodings.

Spreadsheets are in `rosters.spreadsheets`, JSON and NDJSON in `rosters.json_sheets`. What a cell means comes later.

Upholds: a guess (an encoding, a delimiter) is told, so that a wrong one is seen; a file made to exhaust memory is
refused before it does; rows come one by one, the same each time.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Final

from registry.errors import Problem, RosterFormatError
from registry.services.rosters.content import Content, NamedContent
from registry.services.rosters.forms import Row, Sheet, SheetForm, unusable
from registry.services.rosters.json_sheets import json_sheet, ndjson_sheet
from registry.services.rosters.spreadsheets import SpreadsheetSheet

MAX_FILE_BYTES: Final = 1 << 28
"""256 MiB: some five million rows. More is a mistake in the file's name."""
MARK_BYTES: Final = 4096
"""So many from the beginning tell what a file is, unless it begins with more of empty lines."""

_CHUNK_BYTES: Final = 1 << 20
_DELIMITERS: Final = ",;\t|"
_SAMPLE_ROWS: Final = 20
_ZIP_MARK: Final = b"PK\x03\x04"
_OLD_OFFICE_MARK: Final = b"\xd0\xcf\x11\xe0"
_GZIP_MARK: Final = b"\x1f\x8b"
_ENCODING_NAMES: Final = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}


class SheetKind(Enum):
    """What a file can be."""

    CSV = "csv"
    SPREADSHEET = "spreadsheet"
    JSON = "json"
    NDJSON = "ndjson"


_KIND_WORDS: Final = {
    SheetKind.CSV: "delimited text",
    SheetKind.SPREADSHEET: "a spreadsheet",
    SheetKind.JSON: "a JSON array",
    SheetKind.NDJSON: "a JSON object on each line",
}


def kind_of(start: bytes) -> SheetKind:
    """Tell what a file is by how it begins, whatever its name.

    Raises:
        RosterFormatError: It is compressed.
    """
    if start.startswith(_GZIP_MARK):
        raise RosterFormatError("the roster is compressed with gzip", advice="Unpack it first.")
    if start.startswith((_ZIP_MARK, _OLD_OFFICE_MARK)):
        return SheetKind.SPREADSHEET
    first = start.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    return {b"[": SheetKind.JSON, b"{": SheetKind.NDJSON}.get(first, SheetKind.CSV)


def check_kind(start: bytes, stated: SheetKind) -> None:
    """Check that a file can be what it is said to be.

    Args:
        start: Its first bytes.
        stated: What it is said to be.

    Raises:
        RosterFormatError: It is something else.
    """
    found = kind_of(start)
    # A heading may start with a bracket.
    if found is not stated and (stated is not SheetKind.CSV or found is SheetKind.SPREADSHEET):
        raise RosterFormatError(
            f"the roster is said to be {_KIND_WORDS[stated]}, but begins like {_KIND_WORDS[found]}",
            advice="Say what it is in Content-Type, or send what is said.",
        )


def open_sheet(source: Path | Content, stated: SheetKind | None = None) -> Sheet:
    """Open a file as what it is said to be, or as what its content says.

    Raises:
        RosterFormatError: It cannot be read, is too large, or is of no known kind.
    """
    content = NamedContent(source) if isinstance(source, Path) else source
    if content.size > MAX_FILE_BYTES:
        raise RosterFormatError(f"the roster has more than {MAX_FILE_BYTES} bytes")
    with content.open() as file:
        start = file.read(_CHUNK_BYTES)
    if stated is not None:
        check_kind(start, stated)
    match stated or kind_of(start):
        case SheetKind.SPREADSHEET:
            return SpreadsheetSheet(content)
        case SheetKind.JSON:
            return json_sheet(content)
        case SheetKind.NDJSON:
            return ndjson_sheet(content)
        case SheetKind.CSV:
            return CsvSheet(content)


class CsvSheet:
    """Delimited text."""

    def __init__(self, content: Content) -> None:
        self._content: Final = content
        self._encoding: Final = _encoding_of(content)
        with self._open() as text:
            sample = text.read(_CHUNK_BYTES)
        self._delimiter: Final = _delimiter_of(sample)
        name = _ENCODING_NAMES[self._encoding]
        delimiter = {"\t": "tab"}.get(self._delimiter, self._delimiter)
        guessed = f"the file is not in UTF-8 and was read as {name}: look whether names with accents are right"
        self.form: Final = SheetForm(
            kind="CSV",
            unit="line",
            details=(name, f"delimited by {delimiter}"),
            notes=(guessed,) if self._encoding == "cp1252" else (),
        )

    def rows(self) -> Iterator[Row]:
        """Give all rows; one that spans lines has the number of its first."""
        with self._open() as text:
            reader = csv.reader(text, delimiter=self._delimiter, strict=True)
            number = 1
            try:
                for cells in reader:
                    yield Row(number, cells)
                    number = reader.line_num + 1
            except csv.Error as error:
                hint = "a quotation mark within a cell is written twice, and the cell stands in quotation marks"
                raise unusable([Problem(where=f"line {number}", reason=f"not CSV ({error})", hint=hint)]) from None

    def _open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(self._content.open(), encoding=self._encoding, newline="")


def _encoding_of(content: Content) -> str:
    with content.open() as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        old_decoder = codecs.getincrementaldecoder("cp1252")()
        is_utf8 = is_old = True
        while chunk := file.read(_CHUNK_BYTES):
            if b"\x00" in chunk:
                raise RosterFormatError("the roster holds bytes that no text has", advice="Save it as “CSV UTF-8”.")
            is_utf8 = is_utf8 and _decodes(decoder, chunk)
            is_old = is_old and _decodes(old_decoder, chunk)
        if is_utf8 and _decodes(decoder, b"", final=True):
            return "utf-8-sig"
    if is_old:
        return "cp1252"
    raise RosterFormatError(
        "the roster is neither in UTF-8 nor in Windows-1252", advice="Save it as “CSV UTF-8” and try again."
    )


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter_of(sample: str) -> str:
    """Choose the delimiter that cuts the first rows into the most columns, as many in each."""

    def regularity(delimiter: str) -> tuple[int, int]:
        widths = []
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    widths.append(len(cells))
                if len(widths) == _SAMPLE_ROWS:
                    break
        except csv.Error:
            return (0, 0)
        widest = max(widths, default=1)
        return (sum(width == widest for width in widths) if widest > 1 else 0, widest)

    return max(_DELIMITERS, key=regularity)
