"""A helper's main module: reads the spreadsheet on its standard input, and writes rows as pickles for one reader.

First what is wrong, as a text, or the sheet's name and how many others there are; then lists of (number, cells), and an
empty one at the end. The arguments: most bytes unpacked, most bytes of memory, most columns.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

_ROWS_AT_ONCE: Final = 1000
_PIECE_BYTES: Final = 1 << 20
_CANNOT: Final = "the roster looks like a spreadsheet, but cannot be opened"


class _RefusedError(Exception):
    """It is not read; the text says why."""


def main(source: BinaryIO, answers: BinaryIO, max_unpacked: int, max_memory: int, max_columns: int) -> None:
    """Read one spreadsheet.

    Args:
        source: The file.
        answers: Where to.
        max_unpacked: Most bytes in it when it is unpacked.
        max_memory: Most bytes of memory.
        max_columns: Most columns.
    """
    _limit_memory(max_memory)
    # Whoever started this may have read some of it.
    os.lseek(source.fileno(), 0, os.SEEK_SET)
    try:
        data = io.BytesIO(source.read())
        _refuse_bomb(data, max_unpacked)
        title, rows = _read(data, max_columns)
    except _RefusedError as error:
        pickle.dump(str(error), answers)
        return
    pickle.dump(title, answers)
    while piece := list(islice(rows, _ROWS_AT_ONCE)):
        pickle.dump(piece, answers, protocol=pickle.HIGHEST_PROTOCOL)
    pickle.dump([], answers)


def _limit_memory(limit: int) -> None:
    if sys.platform != "win32":
        import resource

        # Beyond it, memory is refused, which ends this process.
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _refuse_bomb(data: BinaryIO, limit: int) -> None:
    """Unpack everything once, keeping nothing: what a ZIP says of its sizes need not be true."""
    if not zipfile.is_zipfile(data):
        return
    size = 0
    try:
        with zipfile.ZipFile(data) as archive:
            for entry in archive.infolist():
                size += entry.file_size
                _refuse_more(size, limit)
            size = 0
            for entry in archive.infolist():
                # As many as there are, rather than as it says; the check sum is looked at in the end.
                entry.file_size = sys.maxsize
                with archive.open(entry) as file:
                    while piece := file.read(_PIECE_BYTES):
                        size += len(piece)
                        _refuse_more(size, limit)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise _RefusedError(_CANNOT) from error


def _refuse_more(size: int, limit: int) -> None:
    if size > limit:
        raise _RefusedError(f"the spreadsheet unpacks to {size} bytes; at most {limit} are read")


def _read(data: BinaryIO, max_columns: int) -> tuple[tuple[str, int], Iterator[tuple[int, list[Any]]]]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    data.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(data)
        visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
        sheet = workbook.get_sheet_by_name(visible[0])
    except (CalamineError, IndexError) as error:
        raise _RefusedError(_CANNOT) from error
    if sheet.total_width > max_columns:
        raise _RefusedError(f"the sheet has {sheet.total_width} columns; at most {max_columns} are read")
    # The rows begin with the first that is used, where counting begins with the sheet's; so do the columns.
    first, offset = (sheet.start[0] + 1, sheet.start[1]) if sheet.start is not None else (1, 0)
    numbered = enumerate(sheet.iter_rows(), start=1)
    rows: Iterator[tuple[int, list[Any]]] = (
        (number, [*([""] * offset), *cells]) for number, cells in numbered if number >= first
    )
    return (visible[0], len(visible) - 1), rows


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer, *map(int, sys.argv[1:4]))
