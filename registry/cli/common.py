"""What the registry part's commands share: options, files in, problems out, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.cli.output import error_console, error_content, print_json, printable, report_error
from registry.errors import InputFormatError, Problem, SettingsError

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder with settings, keys and database. Default: $CREDANCHOR_HOME or ./.credanchor."),
]

PROBLEMS_SHOWN: Final = 20
"""On the screen; `--json` gives all that were found."""
_PROGRESS_FROM: Final = 5_000
"""Fewer credentials than that take less than a second."""


def ask_passphrase() -> str:
    """Ask the person at the keyboard for the passphrase of the keys.

    Raises:
        SettingsError: Nobody is at the keyboard.
    """
    if not sys.stdin.isatty():
        raise SettingsError(
            "the passphrase of the keys is needed",
            advice="Give it in $CREDANCHOR_PASSPHRASE, or name a file with it: passphrase_file in settings.toml.",
        )
    passphrase: str = typer.prompt("Passphrase of the keys", hide_input=True, err=True)
    return passphrase


def read_input(path: Path, what: str, max_bytes: int) -> bytes:
    """Read a file that was named on the command line, at most one byte more than it may have.

    Raises:
        InputFormatError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise InputFormatError(f"{what} {path} cannot be read: {error.strerror}") from error


@contextmanager
def problems_reported(*, as_json: bool) -> Iterator[None]:
    """Report an input file's problems one by one, and end the command."""
    try:
        yield
    except InputFormatError as error:
        if not error.problems:
            raise
        if as_json:
            problems = [problem_content(problem) for problem in error.problems]
            print_json({"error": {**error_content(error), "problems": problems}})
            raise typer.Exit(error.exit_code) from error
        report_error(error, as_json=False)
        for problem in error.problems[:PROBLEMS_SHOWN]:
            error_console.print(f"  {printable(problem_text(problem))}")
        if len(error.problems) > PROBLEMS_SHOWN:
            error_console.print(f"  … and {len(error.problems) - PROBLEMS_SHOWN} more (--json lists them)")
        raise typer.Exit(error.exit_code) from error


def problem_text(problem: Problem) -> str:
    """Say a problem in one line; a stranger may have written part of it."""
    text = f"{problem.where}: {problem.reason}" if problem.where else problem.reason
    return f"{text} ({problem.hint})" if problem.hint else text


def problem_content(problem: Problem) -> dict[str, str]:
    """Give a problem as a member of a JSON document."""
    return {"where": problem.where, "reason": problem.reason, "hint": problem.hint}


@contextmanager
def progress_bar(what: str, count: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar on the terminal for work that takes more than a second.

    Args:
        what: What is being done.
        count: How much there is to do.
        quiet: Show nothing.
    """
    if quiet or count < _PROGRESS_FROM or not error_console.is_terminal:
        yield lambda _done: None
        return
    from rich.progress import Progress

    with Progress(console=error_console, transient=True) as bars:
        task = bars.add_task(what, total=count)
        yield lambda done: bars.advance(task, done)
