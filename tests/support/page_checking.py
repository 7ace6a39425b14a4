"""The page's own checking of files, built from TypeScript and run by Node: its reports as a user would save them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.page_build import run_page

_PROGRAM: Final = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True, kw_only=True)
class PageReports:
    """What the page says of files."""

    content: dict[str, Any]
    """docs/spec/verification-report.md."""
    csv: str


def page_reports(
    files: Sequence[Path], policy: Path, *, holder: str | None = None, as_of_block: bool = False
) -> PageReports:
    """Check files with the page's code, by a policy's file."""
    request = {
        "policy": policy.read_text("utf-8"),
        "holder": holder,
        "asOfBlock": as_of_block,
        "files": [{"path": str(each), "file": str(each)} for each in files],
    }
    said = run_page(_PROGRAM, request)
    return PageReports(content=json.loads(said["json"]), csv=said["csv"])
