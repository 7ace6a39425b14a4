"""Which column is what: by the headings that institutions use, in English and French, or as the person says."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Final

from registry.errors import RosterFormatError
from registry.services.rosters.forms import Row

_HEADER_ROWS: Final = 10
"""A title or a line of remarks may stand above the header, not a page of them."""
_LIKENESS: Final = 0.8
"""Of two headings, for one to be suggested instead of the other: a letter or two differ."""


class Field(Enum):
    """What a column of a roster may hold; the value is its name for `--map`."""

    NAME = "name"
    FIRST_NAME = "first-name"
    LAST_NAME = "last-name"
    EMAIL = "email"
    DID = "did"
    VALID_FROM = "valid-from"
    VALID_UNTIL = "valid-until"
    AWARDED = "awarded"
    ACTIVITY_START = "activity-start"
    ACTIVITY_END = "activity-end"
    RESULT = "result"
    EVIDENCE = "evidence"
    NARRATIVE = "narrative"
    LICENSE = "license"
    COMPLETED = "completed"
    """Who has not completed gets nothing: rows without a date or a yes here are passed over, and counted."""


# Only what can mean nothing else: a column of remarks or a date of birth must not get into credentials by its heading.
_HEADINGS: Final = {
    Field.NAME: "name|full name|fullname|learner|recipient|student|student name|nom|nom complet|apprenant|étudiant",
    Field.FIRST_NAME: "first name|firstname|given name|prénom",
    Field.LAST_NAME: "last name|lastname|surname|family name|nom de famille",
    Field.EMAIL: "email|e mail|email address|e mail address|mail|courriel|adresse courriel|adresse de courriel",
    Field.DID: "did|decentralized identifier",
    Field.VALID_FROM: "valid from|issue date|issued on|issued|valide dès|date d émission|délivré le",
    Field.VALID_UNTIL: "valid until|expires|expires on|expiry date|expiration date|expiration|valide jusqu au",
    Field.AWARDED: "awarded|awarded on|award date|date awarded|date d obtention|décerné le",
    Field.ACTIVITY_START: "activity start|start date|started on|date de début|début",
    Field.ACTIVITY_END: "activity end|end date|ended on|date de fin|fin",
    Field.RESULT: "result|grade|score|résultat",
    Field.EVIDENCE: "evidence|evidence url|portfolio|preuve|adresse de la preuve",
    Field.NARRATIVE: "narrative|récit",
    Field.LICENSE: "license|licence|license number|licence number|numéro de licence|no de licence",
    Field.COMPLETED: "completed|course complete|completion|completed on|completion date|terminé|achevé|cours terminé",
}
_KNOWN: Final = {heading: field for field, headings in _HEADINGS.items() for heading in headings.split("|")}

_CANVAS_MARKS: Final = frozenset({"student", "id", "sis login id", "section"})
"""Headings by which Canvas's export of a gradebook is known."""
_CANVAS_EMAIL: Final = "sis login id"
_CANVAS_NO_LEARNERS: Final = ("points possible", "student, test", "test student")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A header, understood."""

    header_row: int
    """Number of the row that it is, as `Row.number`."""
    headings: tuple[str, ...]
    places: Mapping[Field, int]
    unused: tuple[str, ...]
    """Headings of columns that nothing is taken from."""
    suggestions: tuple[str, ...]
    """What unused headings were perhaps meant to be, in words."""
    is_canvas: bool = False

    def is_no_learner(self, name: str) -> bool:
        """Tell whether a row of this export is not about a learner: maximal points, the test student."""
        return self.is_canvas and name.strip().casefold().startswith(_CANVAS_NO_LEARNERS)

    def where(self, row: Row, place: int, unit: str, *, has_letters: bool) -> str:
        """Say where a cell is: `row 7, Courriel (column C)`."""
        heading = self.headings[place]
        letters = f" (column {column_letters(place)})" if has_letters else ""
        return f"{unit} {row.number}, {heading}{letters}"


def find_columns(rows: Iterator[Row], mapping: Mapping[str, Field]) -> Columns:
    """Find the header among the first rows, and what its columns are.

    Args:
        rows: From the first on; those up to the header are taken.
        mapping: Headings that the person has said the meaning of, as written; goes before what is known here.

    Raises:
        RosterFormatError: There is no header with a column for names, a column is there twice, or a heading of the
            mapping is not.
    """
    said = {normalize_heading(heading): field for heading, field in mapping.items()}
    tried = 0
    for row in rows:
        headings = tuple(str(cell).strip() for cell in row.cells)
        if not any(headings):
            continue
        normalized = [normalize_heading(heading) for heading in headings]
        known = said | {heading: field for heading, field in _KNOWN.items() if heading not in said}
        is_canvas = set(normalized) >= _CANVAS_MARKS
        if is_canvas:
            known = {_CANVAS_EMAIL: Field.EMAIL} | known
        fields = {known[heading] for heading in normalized if heading in known}
        if Field.NAME in fields or {Field.FIRST_NAME, Field.LAST_NAME} <= fields:
            return _columns(row, headings, normalized, known, mapping, is_canvas=is_canvas)
        tried += 1
        if tried == _HEADER_ROWS:
            break
    # What stands there may well be a person: it is not repeated here.
    raise RosterFormatError(
        "the roster has no column for names among its first lines",
        advice="A line names the columns: name (or nom, full name …), or first name and last name; and email if known. "
        "Headings of your own are said with --map 'HEADING=name'.",
    )


def field_of(heading: str) -> Field | None:
    """Tell what a column of this heading holds, as far as that is known without being said."""
    return _KNOWN.get(normalize_heading(heading))


def normalize_heading(heading: str) -> str:
    """Bring a heading to the form in which it is compared: no case, no signs, single spaces."""
    text = unicodedata.normalize("NFC", heading).casefold()
    return " ".join("".join(char if char.isalnum() else " " for char in text).split())


def column_letters(place: int) -> str:
    """Name a column as spreadsheets do: A to Z, then AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _columns(
    row: Row,
    headings: Sequence[str],
    normalized: Sequence[str],
    known: Mapping[str, Field],
    mapping: Mapping[str, Field],
    *,
    is_canvas: bool,
) -> Columns:
    missing = [heading for heading in mapping if normalize_heading(heading) not in normalized]
    if missing:
        raise RosterFormatError(
            f"the roster has no column “{missing[0]}”, which --map or the profile names",
            advice="Its columns are: " + ", ".join(heading for heading in headings if heading),
        )
    places: dict[Field, int] = {}
    for place, heading in enumerate(normalized):
        field = known.get(heading)
        if field is None:
            continue
        if field in places:
            twice = f"“{headings[places[field]]}” and “{headings[place]}”"
            raise RosterFormatError(
                f"two columns are for {field.value}: {twice}",
                advice=f"Say which one with --map 'HEADING={field.value}', and rename the other.",
            )
        places[field] = place
    if Field.NAME in places:
        for part in (Field.FIRST_NAME, Field.LAST_NAME):
            places.pop(part, None)
    unused = [headings[place] for place in range(len(headings)) if headings[place] and place not in places.values()]
    return Columns(
        header_row=row.number,
        headings=tuple(headings),
        places=places,
        unused=tuple(unused),
        suggestions=tuple(_suggestions(unused, places)),
        is_canvas=is_canvas,
    )


def _suggestions(unused: Sequence[str], places: Mapping[Field, int]) -> Iterator[str]:
    for heading in unused:
        for close in get_close_matches(normalize_heading(heading), _KNOWN, n=1, cutoff=_LIKENESS):
            field = _KNOWN[close]
            if field not in places:
                yield f"“{heading}” looks like “{close}”: if it is, say --map '{heading}={field.value}'"
