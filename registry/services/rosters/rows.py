"""One row into one recipient, or all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from registry.errors import Problem
from registry.services.recipient import Recipient
from registry.services.results import ResultRule
from registry.services.rosters.cells import (
    CellError,
    read_completion,
    read_date,
    read_did,
    read_email,
    read_long,
    read_name,
    read_short,
    read_url,
)
from registry.services.rosters.columns import Columns, Field
from registry.services.rosters.dates import DateOrder
from registry.services.rosters.forms import Row, SheetForm

NOT_COMPLETED: Final = "not completed"
NO_LEARNER: Final = "no learners, but rows that this export adds"

_NOBODY: Final = Recipient(name="")


class NotALearnerError(Exception):
    """A row for which nothing is issued, and which is no mistake; the text says why."""


class RowReader:
    """Reads the rows of one file.

    Args:
        form: How the file was understood.
        columns: What its columns are.
        order: Of dates.
        result_rule: What results may be; None: anything.
    """

    def __init__(
        self, form: SheetForm, columns: Columns, order: DateOrder | None, result_rule: ResultRule | None = None
    ) -> None:
        self.unit: Final = form.unit
        self._form: Final = form
        self._columns: Final = columns
        self._order: Final = order
        self._result_rule: Final = result_rule
        self._width: Final = len(columns.headings)
        self._name_at: Final = columns.places.get(Field.NAME)
        self._email_at: Final = columns.places.get(Field.EMAIL)
        self._has_more: Final = bool(columns.places.keys() - {Field.NAME, Field.EMAIL}) or columns.is_canvas

    def read(self, row: Row, problems: list[Problem]) -> Recipient:
        """Read a row.

        Args:
            row: The row.
            problems: Gets what is wrong with it; what is returned then lacks that, and is good for nothing but to find
                who stands there twice.

        Raises:
            NotALearnerError: Nothing is issued for it.
        """
        cells = row.cells
        if len(cells) != self._width:
            problems.append(
                Problem(
                    where=f"{self.unit} {row.number}",
                    reason=f"has {len(cells)} cells, the header has {self._width}",
                    hint="a cell with the delimiter in it stands in quotation marks"
                    if len(cells) > self._width
                    else "",
                )
            )
            return _NOBODY
        if self._has_more:
            return self._read_all(row, problems)
        try:
            email = read_email(cells[self._email_at]) if self._email_at is not None else None
            return Recipient(read_name(cells[self._name_at or 0]), email)
        except CellError:
            return self._read_all(row, problems)

    def where(self, number: int, field: Field) -> str:
        """Say where a row's cell is."""
        place = self._columns.places.get(field, self._columns.places.get(Field.LAST_NAME, 0))
        return self._columns.where(Row(number, ()), place, self.unit, has_letters=self._form.has_letters)

    def _read_all(self, row: Row, problems: list[Problem]) -> Recipient:
        if self._name_at is not None and self._columns.is_no_learner(str(row.cells[self._name_at])):
            raise NotALearnerError(NO_LEARNER)

        def take(field: Field, read: Callable[[object], Any]) -> Any:
            return self._take(row, field, read, problems)

        def day(field: Field, *, is_end: bool = False) -> int | None:
            found: int | None = take(field, lambda cell: read_date(cell, self._order, is_end=is_end))
            return found

        completed_at = self._completed_at(row, problems)
        recipient = Recipient(
            name=self._name(row, problems),
            email=take(Field.EMAIL, read_email),
            did=take(Field.DID, read_did),
            valid_from=day(Field.VALID_FROM),
            valid_until=day(Field.VALID_UNTIL, is_end=True),
            awarded_at=day(Field.AWARDED) if Field.AWARDED in self._columns.places else completed_at,
            activity_start_at=day(Field.ACTIVITY_START),
            activity_end_at=day(Field.ACTIVITY_END),
            result=take(Field.RESULT, self._read_result),
            evidence_url=take(Field.EVIDENCE, read_url),
            narrative=take(Field.NARRATIVE, read_long),
            license_number=take(Field.LICENSE, read_short),
        )
        self._check_periods(row, recipient, problems)
        return recipient

    def _read_result(self, cell: object) -> str | None:
        text = read_short(cell)
        if text is not None and self._result_rule is not None:
            reason = self._result_rule.check(text)
            if reason is not None:
                raise CellError(reason)
        return text

    def _name(self, row: Row, problems: list[Problem]) -> str:
        if self._name_at is None:
            first = self._take(row, Field.FIRST_NAME, read_name, problems)
            last = self._take(row, Field.LAST_NAME, read_name, problems)
            return f"{first} {last}"
        name: str = self._take(row, Field.NAME, read_name, problems) or ""
        if self._columns.is_canvas and name.count(",") == 1:
            last, _, first = name.partition(",")
            name = f"{first.strip()} {last.strip()}"
        return name

    def _completed_at(self, row: Row, problems: list[Problem]) -> int | None:
        answer = self._take(row, Field.COMPLETED, lambda cell: read_completion(cell, self._order), problems)
        if answer is None:
            return None
        is_completed, completed_at = answer
        if not is_completed:
            raise NotALearnerError(NOT_COMPLETED)
        return completed_at if completed_at is None else int(completed_at)

    def _take(self, row: Row, field: Field, read: Callable[[object], Any], problems: list[Problem]) -> Any:
        place = self._columns.places.get(field)
        if place is None:
            return None
        try:
            return read(row.cells[place])
        except CellError as error:
            where = self._columns.where(row, place, self.unit, has_letters=self._form.has_letters)
            problems.append(Problem(where=where, reason=str(error), hint=error.hint))
            return None

    def _check_periods(self, row: Row, recipient: Recipient, problems: list[Problem]) -> None:
        for start, end, field in (
            (recipient.valid_from, recipient.valid_until, Field.VALID_UNTIL),
            (recipient.activity_start_at, recipient.activity_end_at, Field.ACTIVITY_END),
        ):
            if start is not None and end is not None and end < start:
                where = self.where(row.number, field)
                problems.append(
                    Problem(where=where, reason="is before the start", hint="look whether they are swapped")
                )
