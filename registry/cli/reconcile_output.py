"""How `credanchor reconcile` says what it found: at a terminal, as JSON, and as a table."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from anchor.cells import as_cell
from anchor.cli.output import console, document_pieces, plain, printable
from anchor.cli.verdicts import basis_content, basis_words
from anchor.model import Basis, to_hex
from registry.services.differences import MEANINGS, Difference, DifferenceKind, subject_of

FORMAT: Final = "credanchor/reconciliation@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_SHOWN: Final = 20
"""Differences of one kind that are named at a terminal."""


class Compared(NamedTuple):
    """What was compared with what."""

    basis: Basis
    batches: int
    """How many the database has."""
    left: Sequence[str]
    """What was not compared, and how it would be."""


class Found:
    """Differences as they are found: counted, the first of each kind at hand, all of them in a file.

    Args:
        file: An empty one, which is nobody else's.
    """

    def __init__(self, file: IO[str]) -> None:
        self.counts: Final[Counter[DifferenceKind]] = Counter()
        self.first: Final[dict[DifferenceKind, list[Difference]]] = {}
        self._file: Final = file

    def take(self, differences: Iterable[Difference]) -> None:
        """Take more of them."""
        for each in differences:
            self.counts[each.kind] += 1
            first = self.first.setdefault(each.kind, [])
            if len(first) < _SHOWN:
                first.append(each)
            self._file.write(json.dumps(_row(each)) + "\n")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give all of them for programs, in order; read from the file."""
        self._file.seek(0)
        for line in self._file:
            row = json.loads(line)
            meaning, advice = MEANINGS[DifferenceKind(row["kind"])]
            yield {**row, "meaning": meaning, "advice": advice}


def show(found: Found, compared: Compared, out: Path | None) -> None:
    """Say at a terminal what differs, kind by kind, and what to do."""
    for kind, count in found.counts.items():
        meaning, advice = MEANINGS[kind]
        console.print(f"[bold red]✘[/] {count:,} × {meaning}")
        for each in found.first[kind]:
            by = f", by {to_hex(each.key)}" if each.key is not None and (each.root or each.position) else ""
            transaction = f", transaction {to_hex(each.transaction)}" if each.transaction is not None else ""
            detail = f": {printable(each.detail)}" if each.detail else ""
            console.print(f"    {subject_of(each)}{detail}{by}{transaction}")
        if count > _SHOWN:
            console.print(f"    and {count - _SHOWN:,} more: --out and --json have all")
        console.print(f"  {advice}")
    if not found.counts:
        batches = f"{compared.batches:,} batches and all changes of status are as here"
        console.print(f"[bold green]✔ NO DIFFERENCE[/]  {batches}")
    for words in compared.left:
        console.print(f"  not compared: {words}")
    if out is not None:
        console.print(f"written to {printable(str(out))}")
    console.print(f"  the ledger's history is proven complete; rests on {printable(basis_words(compared.basis))}")


def json_pieces(found: Found, compared: Compared) -> Iterator[str]:
    """Write all differences for programs, one by one."""
    content = {
        "format": FORMAT,
        "basis": basis_content(compared.basis),
        "batches": compared.batches,
        "notCompared": list(compared.left),
    }
    yield from document_pieces(content, "differences", found.rows())
    yield "\n"


def csv_pieces(found: Found) -> Iterator[str]:
    """Write all differences as a table, row by row."""
    yield _csv(["kind", "root", "list", "index", "key", "transaction", "detail", "meaning", "advice"])
    for row in found.rows():
        yield _csv([as_cell(plain(cell)) if isinstance(cell, str) else cell for cell in row.values()])


def _row(difference: Difference) -> dict[str, Any]:
    place = difference.position
    return {
        "kind": difference.kind.value,
        "root": None if difference.root is None else to_hex(difference.root),
        "list": None if place is None else place.status_list,
        "index": None if place is None else place.index,
        "key": None if difference.key is None else to_hex(difference.key),
        "transaction": None if difference.transaction is None else to_hex(difference.transaction),
        "detail": difference.detail,
    }


def _csv(row: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(row)
    return text.getvalue()
