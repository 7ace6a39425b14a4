"""What the kinds of results of Open Badges 3.0 are, and numbers as people write them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

LEVEL_KINDS: Final = ("RubricCriterion", "RubricCriterionLevel")
"""`resultType` whose results are levels of a rubric."""

NUMBER_KINDS: Final = ("GradePointAverage", "Percent", "PredictedScore", "RawScore", "RubricScore", "ScaledScore")
"""`resultType` whose results are numbers, unless `allowedValue` lists them."""

_NUMBER: Final = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,10})?", re.ASCII)


def read_number(text: str) -> Decimal | None:
    """Read a number with a decimal point or comma, without separators of thousands; None if it is none."""
    wanted = text.strip()
    return Decimal(wanted.replace(",", ".")) if _NUMBER.fullmatch(wanted) else None
