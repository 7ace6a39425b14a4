"""Cells of CSV files that people open in a spreadsheet program: what a stranger wrote must stay text there."""

from __future__ import annotations

import re
from typing import Final

# At the start; or after what other programs take for the next cell: Excel in French parts columns by semicolons.
# The full-width forms count in East Asian settings. Spaces and quotation marks before them are dropped by some.
_FORMULA: Final = re.compile(r"""(^|[;\t\r\n])([ \u00a0"']*+)(?=[=+\-@＝＋－＠])""")


def as_cell(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula (CSV injection, CWE-1236)."""
    return _FORMULA.sub(r"\1'\2", text)
