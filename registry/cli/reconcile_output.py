"""How `credanchor reconcile` says what it found: at a terminal, as JSON, and as a table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from anchor.cells import as_cell
from anchor.cli.output import console, plain, printable
from anchor.cli.verdicts import basis_content, basis_words
from anchor.model import Basis, to_hex
from registry.services.differences import MEANINGS, Difference, DifferenceKind, subject_of

FORMAT: Final = "credanchor/reconciliation@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_SHOWN: Final = 20
"""Differences of one kind that are named at a terminal."""


def show(differences: Sequence[Difference], basis: Basis, batches: int, left: Sequence[str], out: Path | None) -> None:
    """Say at a terminal what differs, kind by kind, and what to do."""
    counts: Counter[DifferenceKind] = Counter(each.kind for each in differences)
    for kind, count in counts.items():
        meaning, advice = MEANINGS[kind]
        console.print(f"[bold red]✘[/] {count:,} × {meaning}")
        for each in [each for each in differences if each.kind is kind][:_SHOWN]:
            by = f", by {to_hex(each.key)}" if each.key is not None and (each.root or each.position) else ""
            transaction = f", transaction {to_hex(each.transaction)}" if each.transaction is not None else ""
            detail = f": {printable(each.detail)}" if each.detail else ""
            console.print(f"    {subject_of(each)}{detail}{by}{transaction}")
        if count > _SHOWN:
            console.print(f"    and {count - _SHOWN:,} more: --out and --json have all")
        console.print(f"  {advice}")
    if not differences:
        console.print(f"[bold green]✔ NO DIFFERENCE[/]  {batches:,} batches and all changes of status are as here")
    for words in left:
        console.print(f"  not compared: {words}")
    if out is not None:
        console.print(f"written to {printable(str(out))}")
    console.print(f"  the ledger's history is proven complete; rests on {printable(basis_words(basis))}")


def content_of(differences: Sequence[Difference], basis: Basis, batches: int, left: Sequence[str]) -> dict[str, Any]:
    """Give all differences for programs."""
    return {
        "format": FORMAT,
        "basis": basis_content(basis),
        "batches": batches,
        "notCompared": list(left),
        "differences": [_row(each) for each in differences],
    }


def _row(difference: Difference) -> dict[str, Any]:
    place = difference.position
    meaning, advice = MEANINGS[difference.kind]
    return {
        "kind": difference.kind.value,
        "root": None if difference.root is None else to_hex(difference.root),
        "list": None if place is None else place.status_list,
        "index": None if place is None else place.index,
        "key": None if difference.key is None else to_hex(difference.key),
        "transaction": None if difference.transaction is None else to_hex(difference.transaction),
        "detail": difference.detail,
        "meaning": meaning,
        "advice": advice,
    }


def csv_of(differences: Sequence[Difference]) -> str:
    """Give all differences as a table."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["kind", "root", "list", "index", "key", "transaction", "detail", "meaning", "advice"])
    for each in differences:
        writer.writerow([as_cell(plain(cell)) if isinstance(cell, str) else cell for cell in _row(each).values()])
    return text.getvalue()
