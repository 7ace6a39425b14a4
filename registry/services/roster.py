"""Rosters: a file as institutions have it, into recipients, or everything that is wrong with it.

    roster = open_roster(path)
    report = roster.check()            the whole file once: what it is, all problems, the good rows
    report.recipients

How files become rows is in `rosters.sheets`, which columns are what in `rosters.columns`, what may stand in a cell in
`rosters.cells`.

Upholds: problems name line, column, reason and what to do, never what stands there: it is somebody's name or address.
The recipients given are those that were checked: the file is not read for the second time.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from anchor.identity import normalize_email
from registry.errors import Problem, RosterFormatError
from registry.services.results import ResultRule
from registry.services.rosters.columns import Columns, Field, find_columns
from registry.services.rosters.content import Content
from registry.services.rosters.dates import DateOrder
from registry.services.rosters.forms import Row, Sheet, SheetForm, unusable
from registry.services.rosters.rows import NotALearnerError, RowReader
from registry.services.rosters.sheets import SheetKind, open_sheet
from registry.services.spool import RecipientSpool

MAX_PROBLEMS: Final = 1000
"""A file with more is the wrong file; nobody reads on. All are counted."""
MAX_WARNINGS: Final = 100
ROWS_BETWEEN: Final = 4096
"""After so many rows it is told how many there were."""

_AT_THE_END: Final = sys.maxsize
"""Number of what comes after all rows that could be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterOptions:
    """What a person says of a file, or a profile that was saved."""

    mapping: Mapping[str, Field] = field(default_factory=dict)
    """Headings and what they mean; goes before what is known of headings."""
    dates: DateOrder | None = None
    """Which comes first in 03/04/2025."""
    result_rule: ResultRule | None = None
    """What the achievement lets results be; None: anything."""
    kind: SheetKind | None = None
    """What it is said to be; None: its content says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterReport:
    """What a file is, and what is wrong with it."""

    form: SheetForm
    columns: Columns
    good_count: int
    """Rows that make recipients."""
    passed_over: Mapping[str, int]
    """Why rows are passed over that are no mistakes, and how many: who has not completed, an export's extra rows."""
    problems: tuple[Problem, ...]
    """The first `MAX_PROBLEMS`, in the order of the file."""
    problem_count: int
    warnings: tuple[Problem, ...]
    """What is perhaps a mistake, and does not keep anybody from issuing."""
    bad_rows: frozenset[int]
    """Numbers of the rows that have a problem."""
    recipients: RecipientSpool
    """Of all rows that are good by themselves; some may be in `bad_rows` for standing there twice."""

    @property
    def is_cut_off(self) -> bool:
        """Whether the rest of the file cannot be told into rows."""
        return _AT_THE_END in self.bad_rows

    def with_more(self, numbers: Sequence[int], found: Sequence[Problem]) -> RosterReport:
        """Add problems of rows that are good by themselves.

        Args:
            numbers: Of the rows.
            found: What is wrong with the first `MAX_PROBLEMS` of them.
        """
        more = set(numbers) - self.bad_rows
        return replace(
            self,
            problems=(*self.problems, *found)[:MAX_PROBLEMS],
            problem_count=self.problem_count + len(numbers),
            bad_rows=self.bad_rows | more,
            good_count=self.good_count - len(more),
        )

    def require_good(self) -> None:
        """Check that the whole file can be used.

        Raises:
            RosterFormatError: It cannot; all problems are listed.
        """
        if self.problem_count:
            raise unusable(self.problems, self.problem_count)
        if not self.good_count:
            raise RosterFormatError("the roster has no recipients: there is no line below the header")


class Roster:
    """An opened roster.

    Args:
        source: The file.
        options: What is said of it.

    Raises:
        RosterFormatError: It cannot be read, or has no column for names.
    """

    def __init__(self, source: Path | Content, options: RosterOptions) -> None:
        self._sheet: Final[Sheet] = open_sheet(source, options.kind)
        self.columns: Final = find_columns(self._sheet.rows(), options.mapping)
        self._reader: Final = RowReader(self._sheet.form, self.columns, options.dates, options.result_rule)

    def check(self, progress: Callable[[int], object] = lambda _count: None) -> RosterReport:
        """Read the whole file and find everything that is wrong.

        Args:
            progress: Told now and then how many rows were looked at; what it raises ends it.
        """
        check, count = _Check(self._reader), 0
        try:
            for row in self._body():
                check.take(row)
                count += 1
                if count % ROWS_BETWEEN == 0:
                    progress(count)
        except RosterFormatError as error:
            # The rest of the file cannot be told into rows.
            for problem in error.problems:
                check.add_problem(_AT_THE_END, problem)
        check.find_duplicates()
        return check.report(self._sheet.form, self.columns)

    def where(self, number: int, field: Field) -> str:
        """Say where a row's cell is, as problems do."""
        return self._reader.where(number, field)

    def rows(self) -> Iterator[Row]:
        """Give the rows below the header that are not empty, as they are in the file."""
        return self._body()

    def _body(self) -> Iterator[Row]:
        rows = self._sheet.rows()
        for row in rows:
            if row.number >= self.columns.header_row:
                break
        return (row for row in rows if not _is_empty(row))


def open_roster(source: Path | Content, options: RosterOptions | None = None) -> Roster:
    """Open a roster: CSV, Excel, OpenDocument, JSON or NDJSON, told apart by content.

    Raises:
        RosterFormatError: It cannot be read, or has no column for names.
    """
    return Roster(source, options or RosterOptions())


class _Check:
    """Gathers what is found in one pass over a file."""

    def __init__(self, reader: RowReader) -> None:
        self._reader: Final = reader
        self._problems: Final[list[Problem]] = []
        self._order: Final[list[int]] = []
        """For each problem the number of its row."""
        self._count = 0
        self._recipients: Final = RecipientSpool()
        self._repeated = 0
        self._passed_over: Final[dict[str, int]] = {}
        self._bad_rows: Final[set[int]] = set()
        self._warnings: Final[list[Problem]] = []
        self._emails: Final = _Keys()
        self._dids: Final = _Keys()
        self._names: Final = _Keys()

    def take(self, row: Row) -> None:
        """Check a row."""
        found: list[Problem] = []
        try:
            recipient = self._reader.read(row, found)
        except NotALearnerError as error:
            self._passed_over[str(error)] = self._passed_over.get(str(error), 0) + 1
            return
        for problem in found:
            self.add_problem(row.number, problem)
        if not found:
            self._recipients.add(row.number, recipient)
        if recipient.email is not None:
            self._emails.add(normalize_email(recipient.email), row.number)
        elif recipient.did is None and not found:
            self._names.add(recipient.name.casefold(), row.number)
        if recipient.did is not None:
            self._dids.add(recipient.did, row.number)

    def add_problem(self, number: int, problem: Problem) -> None:
        """Note a problem of a row."""
        self._count += 1
        self._bad_rows.add(number)
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(problem)
            self._order.append(number)

    def find_duplicates(self) -> None:
        """Note who stands there twice."""
        for kind, keys in ((Field.EMAIL, self._emails), (Field.DID, self._dids)):
            for first, again in keys.repeated():
                where = self._reader.where(again, kind)
                self._repeated += again not in self._bad_rows
                reason = f"is the same as on {self._reader.unit} {first}"
                self.add_problem(again, Problem(where=where, reason=reason, hint="leave one of them"))
        for first, again in self._names.repeated():
            if len(self._warnings) < MAX_WARNINGS:
                reason = f"is the same as on {self._reader.unit} {first}, and neither has an e-mail: perhaps one person"
                self._warnings.append(Problem(where=self._reader.where(again, Field.NAME), reason=reason))

    def report(self, form: SheetForm, columns: Columns) -> RosterReport:
        """Give what was found."""
        in_order = sorted(range(len(self._problems)), key=self._order.__getitem__)
        return RosterReport(
            form=form,
            columns=columns,
            good_count=self._recipients.count() - self._repeated,
            recipients=self._recipients,
            passed_over=self._passed_over,
            problems=tuple(self._problems[place] for place in in_order),
            problem_count=self._count,
            warnings=tuple(self._warnings),
            bad_rows=frozenset(self._bad_rows),
        )


class _Keys:
    """Finds what occurs twice among a million values, in 16 bytes for each.

    Two different ones are taken for the same once in a thousand million files of a million rows.
    """

    def __init__(self) -> None:
        # Apart by their last bits, so that no more than a part is ever in a set.
        self._hashes: Final = [array("q") for _ in range(_PARTS)]
        self._numbers: Final = [array("q") for _ in range(_PARTS)]

    def add(self, key: str, number: int) -> None:
        hashed = hash(key)
        part = hashed & _PARTS - 1
        self._hashes[part].append(hashed)
        self._numbers[part].append(number)

    def repeated(self) -> list[tuple[int, int]]:
        """Give (row of the first, row of one that is the same), in order of the latter."""
        found: list[tuple[int, int]] = []
        for hashes, numbers in zip(self._hashes, self._numbers, strict=True):
            if len(set(hashes)) < len(hashes):
                firsts: dict[int, int] = {}
                for hashed, number in zip(hashes, numbers, strict=True):
                    first = firsts.setdefault(hashed, number)
                    if first != number:
                        found.append((first, number))
        return sorted(found, key=lambda pair: pair[1])


_PARTS: Final = 64


def _is_empty(row: Row) -> bool:
    if row.cells and type(row.cells[0]) is str and row.cells[0].strip():
        return False
    return not any(cell.strip() if type(cell) is str else cell is not None for cell in row.cells)
