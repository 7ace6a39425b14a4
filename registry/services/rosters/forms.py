"""What all kinds of rosters become: rows of cells, and a word on how the file was understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from registry.errors import Problem, RosterFormatError

MAX_COLUMNS: Final = 1000


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
