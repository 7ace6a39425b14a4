"""What the commands about achievements share: warnings on the screen, a new file on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anchor.canonical import JsonObject
from anchor.cli.output import error_console, printable
from anchor.errors import MalformedError
from registry.cli.common import problem_text
from registry.errors import ConflictError

if TYPE_CHECKING:
    from registry.services.achievement import Review

FORMAT: Final = "credanchor/achievement@v1"
"""First member of the JSON output; a change that could break readers changes it."""


def print_warnings(review: Review) -> None:
    """Say what readers of the credentials will miss."""
    for warning in review.warnings:
        error_console.print(f"[yellow]![/] {printable(problem_text(warning))}")


def check_new_file(path: Path) -> None:
    """Check that a file can be made.

    Raises:
        ConflictError: There is one of this name already.
        MalformedError: There is no folder for it.
    """
    if not path.parent.is_dir():
        raise MalformedError(f"there is no folder {path.parent}", advice="Make it, or name another file with --out.")
    if path.exists():
        raise ConflictError(f"there is a file {path} already", advice="Name another one with --out, or move it away.")


def write_achievement(path: Path, achievement: JsonObject) -> None:
    """Write an achievement to a new file.

    Raises:
        ConflictError: There is one of this name already.
        MalformedError: It cannot be written.
    """
    check_new_file(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(achievement, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise MalformedError(f"the file {path} cannot be written: {error.strerror}") from error
