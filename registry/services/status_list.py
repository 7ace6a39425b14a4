"""A list of whose status is to change: a CSV file or spreadsheet with a column of ids or of e-mails.

Upholds: every row that cannot be used is reported, with line and reason, and nothing is changed unless all are good;
what stands in a cell is not repeated, for it is somebody's address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from anchor.identity import normalize_email
from registry.errors import InputFormatError, NotFoundError, Problem
from registry.services.find import parse_id
from registry.services.rosters.cells import CellError, read_email, text_of
from registry.services.rosters.columns import Field, field_of, normalize_heading
from registry.services.rosters.forms import Row
from registry.services.rosters.sheets import open_sheet
from registry.services.targets import Choice, Pair, StatusTarget, TargetFinder, checked
from registry.store.batches import get_batch, get_credential
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import BatchId, BatchRecord

_IDS: Final = frozenset({"id", "uuid", "credential id", "credential", "identifiant", "attestation"})
_HEADER_ROWS: Final = 10


@dataclass(kw_only=True)
class _List:
    """What a list's rows name, and what is wrong with them."""

    uuids: dict[int, UUID] = field(default_factory=dict)
    """By row."""
    emails: dict[int, str] = field(default_factory=dict)
    """By row; normalised."""
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    """With the row's number, by which they are put in order."""
    unit: str = "line"

    def add(self, number: int, column: str, reason: str, hint: str = "") -> None:
        """Note a problem."""
        where = f"{self.unit} {number}, {column}" if column else f"{self.unit} {number}"
        self.problems.append((number, Problem(where=where, reason=reason, hint=hint)))


def targets_of_list(store: Store, finder: TargetFinder, path: Path, choice: Choice) -> tuple[StatusTarget, ...]:
    """Read a list of ids or e-mails.

    Args:
        store: The registry's database.
        finder: Knows whose credentials they must be.
        path: The file.
        choice: Which, where an e-mail has several.

    Raises:
        InputFormatError: It cannot be read, has neither column, or has rows that cannot be used: all are listed.
        StoreError: What the database holds of one is not what was sealed.
    """
    content = _read(path)
    with store.reading() as connection:
        found = {
            **dict(_by_id(connection, finder, content, choice)),
            **dict(_by_email(connection, finder, content, choice)),
        }
        if content.problems:
            problems = tuple(problem for _, problem in sorted(content.problems, key=lambda each: each[0]))
            count = "1 problem" if len(problems) == 1 else f"{len(problems):,} problems"
            raise InputFormatError(
                f"the list has {count}; nothing was changed", problems, advice="Mend these and try again."
            )
        if not found:
            raise InputFormatError("the list is empty: there is no row below the header")
        return checked(connection, (pair for number in sorted(found) for pair in found[number]))


def _read(path: Path) -> _List:
    sheet = open_sheet(path)
    content, rows = _List(unit=sheet.form.unit), sheet.rows()
    id_place, email_place = _places(rows)
    for row in rows:
        identifier, email = _cell(row, id_place), _cell(row, email_place)
        if not identifier and not email:
            if any(map(text_of, row.cells)):
                content.add(row.number, "", "has neither an id nor an e-mail")
        elif identifier:
            uuid = parse_id(identifier)
            if uuid is None:
                content.add(row.number, "id", "is not the id of a credential", "ids are written urn:uuid:…")
            else:
                content.uuids[row.number] = uuid
        else:
            try:
                content.emails[row.number] = normalize_email(read_email(email) or "")
            except CellError as error:
                content.add(row.number, "email", str(error), error.hint)
    return content


def _places(rows: Iterator[Row]) -> tuple[int | None, int | None]:
    for _, row in zip(range(_HEADER_ROWS), rows, strict=False):
        headings = [text_of(cell) for cell in row.cells]
        id_place = _first(normalize_heading(heading) in _IDS for heading in headings)
        email_place = _first(field_of(heading) is Field.EMAIL for heading in headings)
        if id_place is not None or email_place is not None:
            return id_place, email_place
    raise InputFormatError(
        "the list has no column of ids or e-mails among its first lines", advice="Name one of its columns id or email."
    )


def _first(fits: Iterable[bool]) -> int | None:
    return next((place for place, each in enumerate(fits) if each), None)


def _cell(row: Row, place: int | None) -> str:
    return "" if place is None or place >= len(row.cells) else text_of(row.cells[place]).strip()


def _by_id(
    connection: InstitutionConnection, finder: TargetFinder, content: _List, choice: Choice
) -> Iterator[tuple[int, tuple[Pair, ...]]]:
    batches: dict[BatchId, BatchRecord] = {}
    for number, uuid in content.uuids.items():
        try:
            credential = get_credential(connection, uuid)
        except NotFoundError:
            content.add(number, "id", "no credential in the database has it")
            continue
        if credential.batch not in batches:
            batches[credential.batch] = get_batch(connection, credential.batch)
        batch = batches[credential.batch]
        if not finder.is_ours(batch):
            content.add(number, "id", "belongs to another issuer or registry than the settings name")
        elif choice.batch not in (None, batch.id):
            content.add(number, "id", f"is in batch {batch.id}, not in batch {choice.batch}")
        else:
            yield number, ((credential, batch),)


def _by_email(
    connection: InstitutionConnection, finder: TargetFinder, content: _List, choice: Choice
) -> Iterator[tuple[int, tuple[Pair, ...]]]:
    if not content.emails:
        return
    found = finder.of_emails(connection, content.emails.values(), choice.batch)
    for number, email in content.emails.items():
        pairs = found.get(email, ())
        if not pairs:
            content.add(number, "email", "no credential of this issuer in the database has it")
        elif len(pairs) > 1 and not choice.takes_all:
            hint = "name one by its id, or say --batch N, or --all"
            content.add(number, "email", f"has {len(pairs)} credentials", hint)
        else:
            yield number, pairs
