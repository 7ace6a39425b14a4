"""Files as rows of cells: CSV in its dialects and encodings, spreadsheets, JSON, NDJSON. What a cell means comes later.

Upholds: a guess (an encoding, a delimiter) is told, so that a wrong one is seen; a file made to exhaust memory is
refused before it does; rows come one by one, the same each time.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from registry.errors import Problem, RosterFormatError

MAX_FILE_BYTES: Final = 1 << 28
"""256 MiB: some five million rows. More is a mistake in the file's name."""
MAX_SHEET_BYTES: Final = 1 << 30
"""A spreadsheet is a ZIP; unpacked it may have four times as many bytes, and no bomb goes off."""
MAX_COLUMNS: Final = 1000
MAX_CELL_CHARACTERS: Final = 100_000

_CHUNK_BYTES: Final = 1 << 20
_DELIMITERS: Final = ",;\t|"
_SAMPLE_ROWS: Final = 20
_ZIP_MARK: Final = b"PK\x03\x04"
_OLD_OFFICE_MARK: Final = b"\xd0\xcf\x11\xe0"
_ENCODING_NAMES: Final = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}


class Row(NamedTuple):
    """One line of a file."""

    number: int
    """As people count: the line of a text, the row of a spreadsheet, the entry of a JSON array; from 1."""
    cells: Sequence[object]
    """Text; of spreadsheets and JSON also numbers, truth values, dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetForm:
    """How a file was understood."""

    kind: str
    """CSV, spreadsheet, JSON or NDJSON."""
    unit: str
    """What a row is called: `line`, `row` or `entry`."""
    details: tuple[str, ...] = ()
    """Encoding and delimiter, or the sheet's name."""
    notes: tuple[str, ...] = ()
    """What was guessed, and should be looked at."""
    has_letters: bool = False
    """Columns have letters, as in a spreadsheet."""


class Sheet(Protocol):
    """Rows of a file; may be read more than once."""

    @property
    def form(self) -> SheetForm:
        """How the file was understood."""
        ...

    def rows(self) -> Iterator[Row]:
        """Give all rows, empty ones included, from the first.

        Raises:
            RosterFormatError: It is not what it seemed to be; the problem says where.
        """
        ...


def open_sheet(path: Path) -> Sheet:
    """Find out what a file is, by its content, not its name.

    Raises:
        RosterFormatError: It cannot be read, is too large, or is of no known kind.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RosterFormatError(f"the roster {path} is not a file")
        if status.st_size > MAX_FILE_BYTES:
            raise RosterFormatError(f"the roster has more than {MAX_FILE_BYTES} bytes")
        with path.open("rb") as file:
            start = file.read(_CHUNK_BYTES)
    except OSError as error:
        raise RosterFormatError(f"the list {path} cannot be read: {error.strerror}") from error
    if start.startswith((_ZIP_MARK, _OLD_OFFICE_MARK)):
        return SpreadsheetSheet(path)
    first = start.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if first == b"[":
        return JsonSheet(path)
    if first == b"{":
        return NdjsonSheet(path)
    return CsvSheet(path)


class CsvSheet:
    """Delimited text."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._encoding: Final = _encoding_of(path)
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
        return self._path.open(encoding=self._encoding, newline="")


class SpreadsheetSheet:
    """The first visible sheet of an Excel or OpenDocument file."""

    def __init__(self, path: Path) -> None:
        from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

        _refuse_bomb(path)
        try:
            workbook = CalamineWorkbook.from_path(path)
            visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
            self._sheet: Final = workbook.get_sheet_by_name(visible[0])
        except (CalamineError, IndexError) as error:
            raise RosterFormatError(
                "the roster looks like a spreadsheet, but cannot be opened",
                advice="Open it in your spreadsheet program, take off its password if it has one, and save it as xlsx.",
            ) from error
        if self._sheet.total_width > MAX_COLUMNS:
            raise RosterFormatError(f"the sheet has {self._sheet.total_width} columns; at most {MAX_COLUMNS} are read")
        others = f"only the sheet “{visible[0]}” is read, not the {len(visible) - 1} others"
        self.form: Final = SheetForm(
            kind="spreadsheet",
            unit="row",
            details=(f"sheet “{visible[0]}”",),
            notes=(others,) if len(visible) > 1 else (),
            has_letters=True,
        )

    def rows(self) -> Iterator[Row]:
        """Give all rows from the first of the sheet."""
        # The rows begin with the first that is used, where counting begins with the sheet's.
        first = self._sheet.start[0] + 1 if self._sheet.start is not None else 1
        offset = self._sheet.start[1] if self._sheet.start is not None else 0
        for number, cells in enumerate(self._sheet.to_python(skip_empty_area=True), start=first):
            yield Row(number, [*([""] * offset), *cells])


class JsonSheet:
    """A JSON array of objects: members are cells, their names the header."""

    form: Final = SheetForm(kind="JSON", unit="entry", details=("UTF-8",))

    def __init__(self, path: Path) -> None:
        try:
            entries = json.loads(path.read_bytes().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise RosterFormatError("the roster starts like JSON, but is none") from error
        self._rows: Final = _objects_as_rows(list(enumerate(entries, start=1)), "entry")

    def rows(self) -> Iterator[Row]:
        """Give the header, numbered 0, and a row for each entry."""
        return iter(self._rows)


class NdjsonSheet:
    """A JSON object on each line."""

    form: Final = SheetForm(kind="NDJSON", unit="line", details=("UTF-8",))

    def __init__(self, path: Path) -> None:
        entries = []
        for number, line in enumerate(path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1):
            if line.strip():
                try:
                    entries.append((number, json.loads(line)))
                except (ValueError, RecursionError):
                    raise unusable([Problem(where=f"line {number}", reason="is not JSON")]) from None
        self._rows: Final = _objects_as_rows(entries, "line")

    def rows(self) -> Iterator[Row]:
        """Give the header, numbered 0, and a row for each line."""
        return iter(self._rows)


def unusable(problems: Sequence[Problem], count: int | None = None) -> RosterFormatError:
    """Make the error that lists a roster's problems.

    Args:
        problems: The first of them, in the order of the file.
        count: How many there are in all; default: those.
    """
    total = len(problems) if count is None else count
    found = "1 problem" if total == 1 else f"{total:,} problems"
    return RosterFormatError(
        f"the roster has {found}; nothing was issued", tuple(problems), advice="Mend these and try again."
    )


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
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


def _refuse_bomb(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MAX_SHEET_BYTES:
        raise RosterFormatError(f"the spreadsheet unpacks to {size} bytes; at most {MAX_SHEET_BYTES} are read")


def _objects_as_rows(entries: Sequence[tuple[int, Any]], unit: str) -> list[Row]:
    headings: dict[str, None] = {}
    for number, entry in entries:
        if not isinstance(entry, dict):
            raise unusable([Problem(where=f"{unit} {number}", reason="is not a JSON object")])
        headings.update(dict.fromkeys(entry))
        if len(headings) > MAX_COLUMNS:
            raise RosterFormatError(f"the roster's objects have more than {MAX_COLUMNS} different members")
    header = Row(0, list(headings))
    return [header, *(Row(number, [entry.get(name, "") for name in headings]) for number, entry in entries)]
