"""`credanchor achievement`: what is wrong with an achievement's file, and achievements kept under codes, by version."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES, parse_document
from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from registry.cli.achievement_new import HELP as NEW_HELP
from registry.cli.achievement_new import new
from registry.cli.achievement_output import FORMAT, print_warnings, write_achievement
from registry.cli.common import (
    PROBLEMS_SHOWN,
    HomeOption,
    ask_passphrase,
    problem_content,
    problem_text,
    problems_reported,
    read_input,
)

if TYPE_CHECKING:
    from registry.services.achievement import Review
    from registry.store.engine import Store
    from registry.store.records import AchievementEntry

_EXIT_BAD: Final = 2
app = typer.Typer(help="Make, check and keep achievements: what credentials are issued for.", no_args_is_help=True)
app.command("new", help=NEW_HELP)(new)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Open Badges 3.0 Achievement, as JSON.")]
CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="Of the achievement, as `achievement list` shows.")]

CHECK_HELP: Final = """Say everything that is wrong with an achievement's file, or missing in it. Nothing is issued.

Problems keep it from being issued: it breaks Open Badges 3.0 or contradicts itself. Warnings are what employers and
programs will miss. Each is named by its place in the file, with what to do.

Exit code: 0 good, with or without warnings · 2 something is wrong.

Examples:

  credanchor achievement check achievement.json

  credanchor achievement check achievement.json --json
"""

ADD_HELP: Final = """Keep an achievement under a code, to issue from: credanchor issue --achievement CODE.

The code is made from the name, unless one is given.

Exit code: 0 kept · 1 refused: the code, or the achievement's id, is taken · 2 the file is not good enough ·
3 the database cannot be used, try again.

Examples:

  credanchor achievement add achievement.json

  credanchor achievement add achievement.json --code data-literacy
"""

REVISE_HELP: Final = """Keep a new version of an achievement. Credentials issued from older versions stay as they are.

The file must have the same id. Older versions can still be issued from: credanchor issue --achievement CODE@1.

Exit code: 0 kept · 1 refused: no such achievement, another id, or nothing changed · 2 the file is not good enough ·
3 the database cannot be used, try again.

Examples:

  credanchor achievement revise data-literacy achievement.json
"""

LIST_HELP: Final = """List the achievements that are kept, each in its newest version.

Exit code: 0 done · 2 not set up · 3 the database cannot be used, try again.

Examples:

  credanchor achievement list --json
"""

SHOW_HELP: Final = """Show an achievement that is kept: its newest version, or another.

With --out it becomes a file again, to be changed and given to `achievement revise`.

Exit code: 0 done · 1 no such achievement or version · 2 not set up · 3 the database cannot be used, try again.

Examples:

  credanchor achievement show data-literacy

  credanchor achievement show data-literacy --version 1 --out old.json
"""


@app.command("check", help=CHECK_HELP)
def check(file: FileArgument, as_json: JsonFlag = False) -> None:
    """Say everything that is wrong with an achievement's file, or missing in it. Nothing is issued."""
    from registry.services.achievement import review_achievement

    with problems_reported(as_json=as_json):
        review = review_achievement(read_input(file, "the achievement", MAX_DOCUMENT_BYTES))
    if as_json:
        print_json({"format": FORMAT, "name": review.name, **_review_content(review)})
    else:
        _print_review(review)
    raise typer.Exit(_EXIT_BAD if review.problems else 0)


@app.command("add", help=ADD_HELP)
def add(
    file: FileArgument,
    code: Annotated[
        str | None, typer.Option("--code", metavar="CODE", help="What you will type for it, such as data-literacy.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep an achievement under a code, to issue from."""
    from registry.services.achievement_library import keep_new
    from registry.wiring import now

    with problems_reported(as_json=as_json):
        data = read_input(file, "the achievement", MAX_DOCUMENT_BYTES)
        entry, review = keep_new(_store(home), data, code, now=now())
    _print_kept(entry, review, as_json=as_json)


@app.command("revise", help=REVISE_HELP)
def revise(code: CodeArgument, file: FileArgument, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Keep a new version of an achievement. Credentials issued from older versions stay as they are."""
    from registry.services.achievement_library import keep_version
    from registry.wiring import now

    with problems_reported(as_json=as_json):
        data = read_input(file, "the achievement", MAX_DOCUMENT_BYTES)
        entry, review = keep_version(_store(home), data, code, now=now())
    _print_kept(entry, review, as_json=as_json)


@app.command("list", help=LIST_HELP)
def list_kept(home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """List the achievements that are kept, each in its newest version."""
    from registry.store.achievements import list_achievements

    with _store(home).reading() as connection:
        entries = list_achievements(connection)
    if as_json:
        print_json({"format": FORMAT, "achievements": [_entry_content(entry) for entry in entries]})
        return
    if not entries:
        console.print("no achievement is kept: `credanchor achievement add FILE` keeps one")
    width = max((len(entry.code) for entry in entries), default=0)
    for entry in entries:
        console.print(f"{entry.code:<{width}}  version {entry.version}, {_day(entry)}  {printable(entry.name)}")


@app.command("show", help=SHOW_HELP)
def show(
    code: CodeArgument,
    version: Annotated[int | None, typer.Option("--version", metavar="N", min=1, help="Not the newest one.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it to a new file.")] = None,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show an achievement that is kept: its newest version, or another."""
    from registry.store.achievements import list_versions, read_achievement

    with _store(home).reading() as connection:
        record = read_achievement(connection, code, version)
        versions = list_versions(connection, code)
    value = parse_document(record.content).value
    if out is not None:
        write_achievement(out, value)
    if as_json:
        numbers = [each.version for each in versions]
        print_json({"format": FORMAT, **_entry_content(record.entry), "versions": numbers, "achievement": value})
        return
    entry = record.entry
    console.print(f"[bold]{printable(entry.name)}[/]")
    for each in versions:
        console.print(f"  version {each.version}, {_day(each)}{' · shown' if each.version == entry.version else ''}")
    if out is None:
        console.print_json(data=value)
    else:
        console.print(f"  written to {printable(str(out))}")


def _store(home: Path | None) -> Store:
    from registry.wiring import Institution

    return Institution(home, ask_passphrase).store


def _entry_content(entry: AchievementEntry) -> dict[str, Any]:
    return {
        "code": entry.code,
        "id": entry.uri,
        "version": entry.version,
        "name": entry.name,
        "addedAt": entry.added_at,
    }


def _review_content(review: Review) -> dict[str, Any]:
    return {
        "problems": [problem_content(problem) for problem in review.problems],
        "warnings": [problem_content(warning) for warning in review.warnings],
    }


def _print_kept(entry: AchievementEntry, review: Review, *, as_json: bool) -> None:
    if as_json:
        print_json({"format": FORMAT, **_entry_content(entry), "warnings": _review_content(review)["warnings"]})
        return
    print_warnings(review)
    console.print(f"[bold green]✔[/] {entry.code}, version {entry.version}: {printable(entry.name)}")
    console.print(f"  to issue: credanchor issue --achievement {entry.code} --recipients FILE")


def _print_review(review: Review) -> None:
    print_warnings(review)
    for problem in review.problems[:PROBLEMS_SHOWN]:
        error_console.print(f"[bold red]✘[/] {printable(problem_text(problem))}")
    if len(review.problems) > PROBLEMS_SHOWN:
        error_console.print(f"  … and {len(review.problems) - PROBLEMS_SHOWN} more (--json lists them)")
    if review.problems:
        console.print(f"[bold red]✘[/] {len(review.problems)} to mend: {printable(review.name or 'no name')}")
    else:
        console.print(f"[bold green]✔[/] good Open Badges 3.0: {printable(review.name)}")


def _day(entry: AchievementEntry) -> str:
    return f"{datetime.fromtimestamp(entry.added_at, UTC):%Y-%m-%d}"
