"""A spreadsheet of 300 learners as a department sends it, with ten faults in it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Final

HEADINGS: Final = ("No", "Nom complet", "Courriel", "Date d'obtention", "Valide jusqu'au", "Resultat", "Preuve")
"""`Resultat` lacks its accent, so that it is not known; it looks like one that is."""
TITLE: Final = "Cohorte du printemps 2026"
COUNT: Final = 300

FAULTS: Final = {
    # Row of the spreadsheet → (column, what is said of it, what to do)
    7: ("Courriel (column C)", "is not an e-mail address", "it has no @"),
    23: ("Nom complet (column B)", "is empty", ""),
    58: ("Courriel (column C)", "is the same as on row 12", "leave one of them"),
    91: ("Date d'obtention (column D)", "could be two different days", "write it as 2025-04-03"),
    104: ("Courriel (column C)", "is not an e-mail address", "write one address only"),
    133: ("Nom complet (column B)", "starts with a sign that spreadsheets take for a formula", "take it away"),
    170: ("Valide jusqu'au (column E)", "is not a date", "write it as 2025-04-03"),
    201: ("Preuve (column G)", "is not an address", "https://"),
    246: ("Nom complet (column B)", "has no letter", "look whether the columns have moved"),
    299: ("Courriel (column C)", "is not an e-mail address", "it has an invisible character"),
}
"""Each fault, by the row that it is in: two rows stand above the learners."""

_FIRST_ROW: Final = 3


def messy_rows() -> list[list[object]]:
    """Give the rows of the spreadsheet, the title and the header first."""
    rows: list[list[object]] = [[TITLE, *[""] * (len(HEADINGS) - 1)], list(HEADINGS)]
    rows += [_learner(row) for row in range(_FIRST_ROW, _FIRST_ROW + COUNT)]
    spoil = {
        7: (2, "learner.7.example.org"),
        23: (1, "  "),
        58: (2, "LEARNER.12@example.org"),
        91: (3, "03/04/2026"),
        104: (2, "learner.104@example.org; other@example.org"),
        133: (1, "=Ana Roy"),
        170: (4, "for ever"),
        201: (6, "portfolio of learner 201"),
        246: (1, 246),
        299: (2, "learner.299@example.org\u200b"),
    }
    for row, (column, content) in spoil.items():
        rows[row - 1][column] = content
    return rows


def mended_rows() -> list[list[object]]:
    """Give the same with every fault mended."""
    rows = messy_rows()
    for row in FAULTS:
        rows[row - 1] = _learner(row)
    return rows


def as_xlsx(rows: Sequence[Sequence[object]]) -> bytes:
    """Write rows as a spreadsheet program does: dates are dates, numbers are numbers."""
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("Cohorte")
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(row, column, cell, day)
                elif isinstance(cell, str):
                    sheet.write_string(row, column, cell)
                else:
                    sheet.write(row, column, cell)
    return file.getvalue()


def _learner(row: int) -> list[object]:
    names = ("Zoé Tremblay-Lévesque", "ᐊᓇ Inuksuk", "محمد بن عمار", "Sahaiʔa May", "Jean-François Roy")
    name = f"{names[row % len(names)]} {'I' * (row % 7 + 1)}"
    return [row, name, f"learner.{row}@example.org", date(2026, 5, 29), date(2029, 5, 29), 60 + row % 40, ""]
