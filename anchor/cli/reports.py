"""Many answers at once, for people: sorted so that what needs attention comes first; a table, or CSV (docs/spec).

Upholds: what a file says of itself is marked as that for as long as the ledger has not confirmed where it comes from.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.markup import escape

from anchor.cells import as_cell
from anchor.cli.checking import CheckedFile, Report
from anchor.cli.output import console, plain, printable
from anchor.cli.verdicts import as_of_words, basis_words, contacted_words
from anchor.identity import HolderMatch
from anchor.model import Verdict, to_hex, to_utc

VALID_ROWS_SHOWN: Final = 40
"""On a terminal, where what comes first would scroll away. Files and pipes get them all."""
MAX_TEXT: Final = 300
"""Characters of what a file says that are repeated; it may say a megabyte."""


class Group(Enum):
    """What to do about an answer, in the order in which it is looked at: words for one, words for many."""

    NOT_VALID = ("✘ NOT VALID", "not valid", "red")
    OTHER_PERSON = ("✘ NOT THIS PERSON'S", "valid, but another person's", "red")
    MALFORMED = ("✘ MALFORMED", "malformed", "red")
    UNKNOWN = ("? COULD NOT BE DETERMINED", "could not be determined", "yellow")
    HOLDER_OPEN = ("? VALID, BUT WHOSE?", "valid, but without an e-mail to compare", "yellow")
    VALID = ("✔ VALID", "valid", "green")

    @property
    def headline(self) -> str:
        """The answer to one credential."""
        return self.value[0]

    @property
    def words(self) -> str:
        """The same after a number."""
        return self.value[1]

    @property
    def colour(self) -> str:
        """Red, yellow or green."""
        return self.value[2]


_GROUPS_BY_OUTCOME: Final = {"invalid": Group.NOT_VALID, "malformed": Group.MALFORMED, "unknown": Group.UNKNOWN}
_GROUPS_BY_HOLDER: Final = {HolderMatch.DIFFERS: Group.OTHER_PERSON, HolderMatch.NOT_STATED: Group.HOLDER_OPEN}

CSV_COLUMNS: Final = (
    "answer",
    "holder",
    "file",
    "reason",
    "why",
    "credential",
    "holderName",
    "issuer",
    "issuerDid",
    "confirmed",
    "anchoredAt",
    "credentialId",
    "registry",
    "registryName",
    "blockNumber",
    "blockHash",
    "blockAt",
    "vouching",
    "vouchedBy",
    "nodesAsked",
    "contacted",
)
"""Of the CSV report; new ones are added at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One credential as it is shown among many."""

    checked: CheckedFile
    group: Group
    credential: str
    holder: str
    issuer: str
    """The name that it states."""
    did: str
    """The issuer's DID, which the ledger confirms with the rest."""
    anchored_at: int | None

    @property
    def anchored(self) -> str:
        """The day; empty when it is not anchored."""
        return "" if self.anchored_at is None else to_utc(self.anchored_at)[: len("2026-01-01")]


def group_of(checked: CheckedFile) -> Group:
    """Tell what to do about an answer."""
    if checked.outcome == "valid":
        return Group.VALID if checked.holder is None else _GROUPS_BY_HOLDER.get(checked.holder, Group.VALID)
    return _GROUPS_BY_OUTCOME[checked.outcome]


def sorted_rows(report: Report) -> list[Row]:
    """Give all answers, what needs attention first, then by reason, issuer and credential."""
    order = {group: number for number, group in enumerate(Group)}
    rows = [_row(each) for each in report.files]
    return sorted(rows, key=lambda row: (order[row.group], row.checked.reason, row.did, row.issuer, row.credential))


def counts_of(rows: Sequence[Row]) -> dict[Group, int]:
    """Count the answers of each kind that there are, in the order of attention."""
    found = Counter(row.group for row in rows)
    return {group: found[group] for group in Group if found[group]}


def clipped(text: str) -> str:
    """Make what a stranger wrote one line of bearable length, without control and direction characters."""
    text = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
    return plain(" ".join(text.split()))


def print_table(report: Report) -> None:
    """Print many answers, one line each, how many there are of each kind, and what they rest on."""
    rows = sorted_rows(report)
    counts = counts_of(rows)
    for group in counts:
        _print_group(group, [row for row in rows if row.group is group])
    if any(row.did for row in rows if not row.checked.is_confirmed):
        console.print("[dim](in brackets: what the file says of itself, none of it confirmed)[/]")
    for line in summary(report, counts):
        console.print(printable(line))


def summary(report: Report, counts: dict[Group, int]) -> Iterator[str]:
    """Say in a few lines what came out of it and what that rests on."""
    # What is good first here: it is read as a sentence, and the rest stands above it in full.
    counted = sorted(counts.items(), key=lambda each: each[0] is not Group.VALID)
    yield " · ".join(f"{count:,} {group.words}" for group, count in counted)
    if report.fetched_from or report.issuers_asked:
        yield contacted_words(report.fetched_from, report.issuers_asked)
    for other in report.others:
        yield f"not a credential, left aside: {other.source.name} (a {other.what})"
    for basis in report.bases:
        name = f"{basis.registry_name}, " if basis.registry_name else ""
        of_which = f" for {name}{basis.registry.to_text()}" if len(report.bases) > 1 else ""
        yield f"rests on {basis_words(basis)}{of_which}"
        if report.as_of_block:
            yield as_of_words(basis)


def csv_pieces(report: Report) -> Iterator[str]:
    """Give the report as CSV, line by line; the mark at its start makes spreadsheets read it as UTF-8."""
    yield "\N{ZERO WIDTH NO-BREAK SPACE}"
    yield _csv_line(CSV_COLUMNS)
    for row in sorted_rows(report):
        yield _csv_line(_csv_cells(row))


def _csv_cells(row: Row) -> list[str]:
    checked, verdict = row.checked, row.checked.answer
    did, identifier, facts = "", "", [""] * 8
    if isinstance(verdict, Verdict):
        did, identifier, basis = verdict.issuer_did, verdict.credential_id, verdict.basis
        if basis is not None:
            facts = [
                basis.registry.to_text(),
                basis.registry_name,
                str(basis.block_number),
                to_hex(basis.block_hash),
                to_utc(basis.block_at),
                basis.vouching.value,
                " ".join(basis.vouched_by),
                str(basis.nodes_asked),
            ]
    contact = verdict.contact if isinstance(verdict, Verdict) else ""
    cells = [
        checked.outcome,
        "" if checked.holder is None else checked.holder.value,
        checked.source.name,
        checked.reason,
        checked.why,
        row.credential,
        row.holder,
        contact,
        did,
        "yes" if checked.is_confirmed else "no",
        "" if row.anchored_at is None else to_utc(row.anchored_at),
        identifier,
        *facts,
        " ".join(checked.contacted),
    ]
    return [as_cell(clipped(cell)) for cell in cells]


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _row(checked: CheckedFile) -> Row:
    credential, verdict = checked.credential, checked.answer
    if credential is None or not isinstance(verdict, Verdict):
        nothing = {"credential": "", "holder": "", "issuer": "", "did": ""}
        return Row(checked=checked, group=group_of(checked), anchored_at=None, **nothing)
    return Row(
        checked=checked,
        group=group_of(checked),
        credential=clipped(credential.name),
        holder=clipped(credential.holder),
        issuer=clipped(verdict.contact.partition(" · ")[0]),
        did=clipped(verdict.issuer_did),
        anchored_at=verdict.anchored_at,
    )


def _print_group(group: Group, rows: list[Row]) -> None:
    shown = rows[:VALID_ROWS_SHOWN] if group is Group.VALID and console.is_terminal else rows
    columns = _columns(group, shown)
    widths = _widths(group, columns)
    titles = [_sized(title, width) for (title, _), width in zip(columns.items(), widths, strict=True)]
    console.print(f"[dim]{' ' * cell_len(group.headline)}  {'  '.join(titles).rstrip()}[/]")
    for line in zip(*columns.values(), strict=True):
        cells = [
            _sized(cell, width, end=not number) for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        start = f"[bold {group.colour}]{escape(group.headline)}[/]"
        console.print(f"{start}  {escape('  '.join(cells).rstrip())}")
    if len(rows) > len(shown):
        rest = len(rows) - len(shown)
        console.print(f"[dim]… and {rest:,} more that are valid; --format csv --out FILE lists them all[/]")
    console.print()


_LEAST_WIDTHS: Final = {"file": 16, "why": 36, "credential": 12, "holder": 10, "issuer": 12, "anchored": 10}
_LARGEST_WIDTHS: Final = {"file": 60, "why": 120, "credential": 50, "holder": 40, "issuer": 70, "anchored": 10}


def _columns(group: Group, rows: list[Row]) -> dict[str, list[str]]:
    """Give the columns that have something to say, by their titles."""
    columns = {"file": [clipped(row.checked.source.name) for row in rows]}
    if group is not Group.VALID:
        columns["why"] = [clipped(row.checked.why) for row in rows]
    columns["credential"] = [_marked(row.credential, row) for row in rows]
    columns["holder"] = [_marked(row.holder, row) for row in rows]
    columns["issuer"] = [_marked(", ".join(filter(None, (row.issuer, row.did))), row) for row in rows]
    columns["anchored"] = [row.anchored for row in rows]
    return {title: cells for title, cells in columns.items() if any(cells)}


def _marked(text: str, row: Row) -> str:
    return text if row.checked.is_confirmed or not text else f"({text})"


def _widths(group: Group, columns: dict[str, list[str]]) -> list[int]:
    """Fit the columns into the terminal: the widest gives way, each down to its least width."""
    widths = {
        title: min(_LARGEST_WIDTHS[title], max(len(title), *map(cell_len, cells))) for title, cells in columns.items()
    }
    if console.is_terminal:
        room = console.width - cell_len(group.headline) - 2 * len(columns)
        while sum(widths.values()) > room:
            wide = [title for title in widths if widths[title] > _LEAST_WIDTHS[title]]
            if not wide:
                break
            widths[max(wide, key=lambda title: widths[title])] -= 1
    return list(widths.values())


def _sized(text: str, width: int, *, end: bool = False) -> str:
    """Make text fit: it loses its end, or its beginning where the end says more, as that of a path does."""
    if cell_len(text) > width:
        text = f"…{text[-(width - 1) :]}" if end else f"{set_cell_size(text, width - 1)}…"
    return set_cell_size(text, width)
