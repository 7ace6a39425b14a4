"""`credanchor roster`: how a roster's file is understood, what is wrong with it, and profiles for files of one kind."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from registry.cli.common import (
    PROBLEMS_SHOWN,
    HomeOption,
    print_problems,
    problem_content,
    problem_text,
    problems_reported,
)

if TYPE_CHECKING:
    from registry.services.roster import Roster, RosterOptions, RosterReport

FORMAT: Final = "credanchor/roster@v1"
"""First member of the JSON output; a change that could break readers changes it."""

PROFILES_FOLDER: Final = "profiles"

_EXIT_BAD: Final = 2
app = typer.Typer(help="Look at a roster before issuing from it: columns, mistakes, profiles.", no_args_is_help=True)
profiles_app = typer.Typer(help="What you said of a kind of file, kept under a name.", no_args_is_help=True)
app.add_typer(profiles_app, name="profile")

MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="'HEADING=field'", help="What a column is, if its heading does not say. Repeatable."),
]
DatesOption = Annotated[
    str | None, typer.Option("--dates", metavar="dmy|mdy", help="Which comes first in 03/04/2025: day or month.")
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Columns and dates as saved: `roster profile save`.")
]

CHECK_HELP: Final = """Say how a roster is understood, and everything that is wrong with it. Nothing is issued.

Takes CSV (any usual delimiter; UTF-8, UTF-16, Windows-1252), Excel and OpenDocument, JSON and NDJSON, and the exports
of Moodle and Canvas. Columns are known by their headings, in English or French; --map says what others are.

Fields: name (or first-name and last-name), email, did, valid-from, valid-until, awarded, activity-start, activity-end,
result, evidence, narrative, license, completed. Rows with a no, or nothing, under completed get no credential.

Exit code: 0 good · 2 something is wrong.

Examples:

  credanchor roster check learners.xlsx

  credanchor roster check export.csv --map 'Courriel étudiant=email' --dates dmy --rejects to-mend.csv
"""

_TEMPLATE: Final = """name,email,awarded,result,evidence
Zoé Tremblay-Lévesque,zoe@example.org,2026-05-29,92,https://portfolio.example/zoe
ᐊᓇ Inuksuk,,2026-05-29,,
"""


@app.command("check", help=CHECK_HELP)
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The roster.")],
    profile: ProfileOption = None,
    mapping: MapOption = None,
    dates: DatesOption = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="OUT.csv", help="Write the rows that have a problem here.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say how a roster is understood, and everything that is wrong with it. Nothing is issued."""
    from registry.services.roster import open_roster

    options = roster_options(home, profile, mapping, dates)
    with problems_reported(as_json=as_json):
        roster = open_roster(file, options)
    with error_console.status("reading"):
        report = roster.check()
    if rejects is not None and report.bad_rows:
        write_rejects(roster, report, rejects)
    if as_json:
        print_json({"format": FORMAT, **report_content(report)})
    else:
        print_report(report)
        if rejects is not None and report.bad_rows:
            console.print(f"  rows to mend are in {printable(str(rejects))}; check it again when they are")
    raise typer.Exit(_EXIT_BAD if report.problem_count or not report.good_count else 0)


@app.command("template")
def template() -> None:
    """Print an example roster, to fill in: `credanchor roster template > roster.csv`."""
    typer.echo(_TEMPLATE, nl=False)


@profiles_app.command("save")
def save_profile(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Under which to keep it.")],
    mapping: MapOption = None,
    dates: DatesOption = None,
    overwrite: Annotated[bool, typer.Option("--replace", help="Change a profile that is there.")] = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep what columns are, and how dates are written, for files of one kind."""
    options = roster_options(home, None, mapping, dates)
    path = _profiles(home).save(name, options, replace=overwrite)
    if as_json:
        print_json({"format": FORMAT, "profile": name, "file": str(path)})
    else:
        console.print(f"[bold green]✔[/] kept as {printable(str(path))}: use it with --profile {printable(name)}")


@profiles_app.command("list")
def list_profiles(home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Name all profiles."""
    names = _profiles(home).names()
    if as_json:
        print_json({"format": FORMAT, "profiles": list(names)})
    else:
        console.print(
            "\n".join(map(printable, names)) or "no profile is kept: `credanchor roster profile save` keeps one"
        )


@profiles_app.command("show")
def show_profile(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the profile.")],
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what a profile says."""
    options = _profiles(home).load(name)
    columns = {heading: field.value for heading, field in options.mapping.items()}
    dates = options.dates.value if options.dates is not None else None
    if as_json:
        print_json({"format": FORMAT, "profile": name, "dates": dates, "columns": columns})
        return
    console.print(f"dates: {dates or 'not said'}")
    for heading, field in columns.items():
        console.print(f"{printable(heading)} = {field}")


def roster_options(
    home: Path | None, profile: str | None, mapping: list[str] | None, dates: str | None
) -> RosterOptions:
    """Put together what a profile says and what flags say, which go before it."""
    from registry.services.roster import RosterOptions
    from registry.services.rosters.profiles import parse_mapping, parse_order

    options = RosterOptions() if profile is None else _profiles(home).load(profile)
    order = parse_order(dates)
    return replace(
        options,
        mapping={**options.mapping, **parse_mapping(mapping or [])},
        dates=options.dates if order is None else order,
    )


def write_rejects(roster: Roster, report: RosterReport, path: Path) -> None:
    """Write the rows that have a problem, as they are, with what is wrong: a CSV file to be mended and read again."""
    by_row: dict[str, list[str]] = {}
    for problem in report.problems:
        by_row.setdefault(problem.where.partition(",")[0], []).append(problem_text(problem))
    # As spreadsheets know it for UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow((*report.columns.headings, "problem"))
        for row in roster.rows():
            if row.number in report.bad_rows:
                where = f"{report.form.unit} {row.number}"
                rows.writerow((*row.cells, "; ".join(by_row.get(where, ["see the report"]))))


def report_content(report: RosterReport) -> dict[str, Any]:
    """Give a report as members of a JSON document."""
    return {
        "kind": report.form.kind,
        "details": list(report.form.details),
        "notes": list(report.form.notes),
        "columns": {field.value: report.columns.headings[place] for field, place in report.columns.places.items()},
        "unusedColumns": list(report.columns.unused),
        "suggestions": list(report.columns.suggestions),
        "goodCount": report.good_count,
        "passedOver": dict(report.passed_over),
        "problemCount": report.problem_count,
        "problems": [problem_content(problem) for problem in report.problems],
        "warnings": [problem_content(problem) for problem in report.warnings],
    }


def print_report(report: RosterReport) -> None:
    """Say what a roster is and what is wrong with it."""
    console.print(f"{report.form.kind}, {printable(', '.join(report.form.details))}")
    for field, place in report.columns.places.items():
        console.print(f"  {field.value:<15} {printable(report.columns.headings[place])}")
    if report.columns.unused:
        console.print(f"  nothing is taken from: {', '.join(map(printable, report.columns.unused))}")
    for note in (*report.form.notes, *report.columns.suggestions):
        error_console.print(f"[yellow]![/] {printable(note)}")
    for warning in report.warnings[:PROBLEMS_SHOWN]:
        error_console.print(f"[yellow]![/] {printable(problem_text(warning))}")
    print_problems(report.problems, report.problem_count)
    _print_counts(report.good_count, report.passed_over, report.problem_count)


def _print_counts(good_count: int, passed_over: Mapping[str, int], problem_count: int) -> None:
    for why, count in passed_over.items():
        console.print(f"  {count:,} rows are passed over: {why}")
    if problem_count:
        console.print(f"[bold red]✘[/] {problem_count:,} to mend; {good_count:,} rows are good")
    elif good_count:
        console.print(f"[bold green]✔[/] {good_count:,} rows, all good")
    else:
        console.print("[bold red]✘[/] there is nobody to issue to")


def _profiles(home: Path | None) -> Any:
    from registry.services.rosters.profiles import Profiles
    from registry.settings import find_home

    return Profiles(find_home(home) / PROFILES_FOLDER)
