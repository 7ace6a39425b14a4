"""The verifier page's code, run by Node: what the page says of files, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.page_build import ROOT, run_page


def reports_of(
    cases: list[list[tuple[str, Path]]], policy: dict[str, Any], now: int, *, holder: str | None = None
) -> list[dict[str, Any]]:
    """Check files with the page's code.

    Args:
        cases: For each checking the files given: the path as the page is told it, and where the file is.
        policy: A policy's content.
        now: Unix seconds.
        holder: Whose they should be.

    Returns:
        For each the report (docs/spec/verification-report.md), with `problems` of its answers, or `trouble`.
    """
    asked = {
        "policy": policy,
        "holder": holder,
        "now": now,
        "cases": [[{"path": path, "file": str(file)} for path, file in case] for case in cases],
    }
    reports: list[dict[str, Any]] = run_page(ROOT / "page" / "build" / "test" / "answers.js", asked)
    return reports
