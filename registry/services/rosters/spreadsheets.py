"""Spreadsheets as rows: the first visible sheet of an Excel or OpenDocument file.

What reads them takes memory for every cell between the first and the last one, so that a file of five kilobytes can
ask for a terabyte, and end the process that asks. So they are read by a process of their own, with a limit.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from typing import Final

from registry.errors import RosterFormatError
from registry.services.rosters.content import Content, UnnamedContent
from registry.services.rosters.forms import MAX_COLUMNS, Row, SheetForm

MAX_SHEET_BYTES: Final = 1 << 30
"""A spreadsheet is a ZIP; unpacked it may have four times as many bytes as a roster may have, and no bomb goes off."""
MAX_MEMORY_BYTES: Final = 1 << 31
"""Of the process that reads one."""
MAX_SECONDS: Final = 600

_COMMAND: Final = (sys.executable, "-P", "-m", "registry.services.rosters.spreadsheet_helper")
_ADVICE: Final = "Open it in your spreadsheet program, take off its password if it has one, and save it as xlsx."


class SpreadsheetSheet:
    """The first visible sheet.

    Args:
        content: The file.

    Raises:
        RosterFormatError: It cannot be opened, or has more than can be read.
    """

    def __init__(self, content: Content) -> None:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the sheet; it has no name, for it holds people
        weakref.finalize(self, file.close)
        limits = (str(MAX_SHEET_BYTES), str(MAX_MEMORY_BYTES), str(MAX_COLUMNS))
        with content.open() as source:
            try:
                done = subprocess.run(  # noqa: S603 - this program's own module
                    (*_COMMAND, *limits),
                    stdin=source,
                    stdout=file,
                    stderr=subprocess.DEVNULL,
                    check=False,
                    timeout=MAX_SECONDS,
                )
            except subprocess.TimeoutExpired as error:
                raise _too_much() from error
        if done.returncode:
            raise _too_much()
        self._rows: Final = UnnamedContent(file)
        with self._rows.open() as answer:
            said = pickle.load(answer)  # noqa: S301 - from this program's own module
        if isinstance(said, str):
            raise RosterFormatError(said, advice=_ADVICE)
        name, others = said
        note = f"only the sheet “{name}” is read, not the {others} others"
        self.form: Final = SheetForm(
            kind="spreadsheet",
            unit="row",
            details=(f"sheet “{name}”",),
            notes=(note,) if others else (),
            has_letters=True,
        )

    def rows(self) -> Iterator[Row]:
        """Give all rows from the first of the sheet."""
        with self._rows.open() as file:
            pickle.load(file)  # noqa: S301 - as above
            while piece := pickle.load(file):  # noqa: S301
                for number, cells in piece:
                    yield Row(number, cells)


def _too_much() -> RosterFormatError:
    return RosterFormatError(
        "the spreadsheet has more in it than can be read",
        advice="Perhaps a cell far from the others is in use: copy the learners into a new sheet, or save it as CSV.",
    )
