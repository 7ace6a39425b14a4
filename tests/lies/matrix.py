"""The matrix of lies: gathered from the reports of the tests, from whichever worker, printed at the end of the run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Final, Protocol

from tests.lies.judge import K_OF_N, LAGGING, ONE_NODE, PINNED, POLICIES, STANDING_BY, Cell, Counts

PROPERTY: Final = "lies"
_COLUMNS: Final = {
    Cell.RIGHT: "right",
    Cell.UNKNOWN: "unknown",
    Cell.AS_VOUCHED: "vouched",
    Cell.WRONG_VALID: "wrong ✓",
    Cell.WRONG_INVALID: "wrong ✗",
}

_TITLES: Final = {
    ONE_NODE: "oneNode: it lies",
    STANDING_BY: "oneNode, two stand by: one of them lies",
    K_OF_N: "kOfN, 2 of 3: one lies",
    LAGGING: "kOfN, 2 of 3: one lies, one lags",
    PINNED: "pinnedHash: who brings proofs lies",
}


class Writer(Protocol):
    """What pytest's terminal reporter has for this."""

    def section(self, title: str) -> None: ...

    def write_line(self, line: str) -> None: ...


def property_of(name: str, counts: Counts) -> tuple[str, str]:
    """Write counts as a property of a test's report, which comes from its worker as text."""
    return PROPERTY, json.dumps([name, [[policy, cell.name, count] for (policy, cell), count in counts.items()]])


def gather(properties: Iterable[tuple[str, object]]) -> dict[str, Counts]:
    """Read counts back, kind by kind."""
    rows: dict[str, Counts] = {}
    for name, value in properties:
        if name == PROPERTY:
            kind, counts = json.loads(str(value))
            rows.setdefault(kind, Counter()).update({(policy, Cell[cell]): count for policy, cell, count in counts})
    return rows


def lines_of(rows: dict[str, Counts]) -> list[str]:
    """Lay the matrix out."""
    policies = [policy for policy in POLICIES if any(each == policy for row in rows.values() for each, _ in row)]
    width = max(len(name) for name in rows)
    head = " " * width + "".join(f" │ {_TITLES[policy]:^39}" for policy in policies)
    columns = " ".join(f"{title:>7}" for title in _COLUMNS.values())
    body = [f"{'':{width}}" + "".join(f" │ {columns}" for _ in policies)]
    total: Counts = Counter()
    for name, counts in sorted(rows.items()):
        total.update(counts)
        body.append(_line(name, counts, policies, width))
    body.append(_line("all", total, policies, width))
    cases = sum(total.values())
    return [head, *body, f"{cases} verdicts on {len(rows)} kinds of lie"]


def _line(name: str, counts: Counts, policies: list[str], width: int) -> str:
    cells = [" ".join(f"{counts[policy, cell] or '·':>7}" for cell in _COLUMNS) for policy in policies]
    return f"{name:<{width}}" + "".join(f" │ {each}" for each in cells)


def print_matrix(writer: Writer, properties: Iterable[tuple[str, object]]) -> None:
    """Print the matrix, if lies were told."""
    rows = gather(properties)
    if rows:
        writer.section("Lies of nodes, and what came of them")
        for line in lines_of(rows):
            writer.write_line(line)
