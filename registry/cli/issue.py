"""`credanchor issue`: a roster in, an anchored batch and its files out; or the rest of what was interrupted."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.errors import CredanchorError, KeyUnavailableError, LedgerUnavailableError, WrongLedgerError
from anchor.model import to_hex
from registry.cli.common import (
    HomeOption,
    ask_passphrase,
    print_problems,
    problem_content,
    problems_reported,
    progress_bar,
    read_input,
)
from registry.cli.issue_report import Phases, batch_content, print_batch, print_unused
from registry.cli.roster import DatesOption, MapOption, ProfileOption, roster_options, write_rejects
from registry.errors import ConflictError, RosterFormatError
from registry.services.achievement import check_achievement
from registry.services.helpers import start_helpers
from registry.services.results import result_rule
from registry.services.roster import RosterOptions, RosterReport, open_roster

if TYPE_CHECKING:
    from registry.services.costs import Cost
    from registry.services.issue import Trial
    from registry.store.records import BatchId
    from registry.wiring import Institution

FORMAT: Final = "credanchor/issue@v1"
"""First member of the JSON output; a change that could break readers changes it."""

HELP: Final = """Issue credentials for an achievement to everyone on a roster, and anchor them.

The roster may be CSV, Excel, OpenDocument, JSON or an export of Moodle or Canvas: see `credanchor roster check --help`.
Nothing is issued unless every row of it is good, and nobody on it has this achievement already; --skip-bad issues to
the others and writes the rest out, to be mended; --again issues to people who have it already.

All credentials are kept in the database before anything is sent; if the command is interrupted before the batch is
anchored, --resume goes on, and nothing is issued twice. After that only files can be missing: --resume BATCH --out DIR
writes them.

Exit code: 0 issued · 1 refused · 2 malformed roster, achievement or settings · 3 not finished, try again.

Examples:

  credanchor issue --achievement achievement.json --recipients roster.xlsx --dry-run

  credanchor issue --achievement achievement.json --recipients roster.xlsx --out credentials.zip --emails both

  credanchor issue --achievement achievement.json --recipients roster.csv --skip-bad --out credentials/

  credanchor issue --resume
"""

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR|FILE.zip", help="Write the credentials' files and an index into a folder or an archive."
    ),
]


def command(
    batch: Annotated[
        int | None, typer.Argument(metavar="[BATCH]", help="With --resume: only this batch.", show_default=False)
    ] = None,
    achievement: Annotated[
        str | None,
        typer.Option(
            "--achievement", metavar="FILE|CODE", help="Open Badges 3.0 Achievement, as JSON, or a kept one's code."
        ),
    ] = None,
    recipients: Annotated[
        Path | None, typer.Option("--recipients", metavar="FILE", help="Roster: a spreadsheet, CSV or JSON.")
    ] = None,
    out: OutOption = None,
    emails: Annotated[
        str | None, typer.Option("--emails", metavar="en|fr|both", help="With --out: an e-mail to each holder, unsent.")
    ] = None,
    profile: ProfileOption = None,
    mapping: MapOption = None,
    dates: DatesOption = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Issue to the good rows, and write the others out to be mended.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", metavar="OUT.csv", help="With --skip-bad: where to. Default: ROSTER-rest.csv here."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Issue also to those who have this achievement.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and show a sample and the cost; issue nothing.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with what was interrupted, or write an anchored BATCH's files again."),
    ] = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Issue credentials for an achievement to everyone on a roster, and anchor them."""
    if resume:
        if achievement or recipients or dry_run or again or skip_bad:
            raise typer.BadParameter("--resume takes no other options than --out, --emails, --home and --json")
        _resume(home, batch, _Files(out, emails, as_json=as_json), as_json=as_json)
        return
    if achievement is None or recipients is None or batch is not None:
        raise typer.BadParameter("give --achievement and --recipients, or --resume")
    if rejects is not None and not skip_bad:
        raise typer.BadParameter("--rejects goes with --skip-bad")
    options = _Options(
        roster=recipients,
        reading=roster_options(home, profile, mapping, dates),
        rejects=(rejects or Path(f"{recipients.stem}-rest.csv")) if skip_bad else None,
        again=again,
        dry_run=dry_run,
    )
    with ExitStack() as stack:
        issuing = _Issuing(home, achievement, options, stack, as_json=as_json)
        if dry_run:
            issuing.try_out()
        else:
            issuing.issue(_Files(out, emails, as_json=as_json))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What the command line says of the roster."""

    roster: Path
    reading: RosterOptions
    rejects: Path | None
    """Where rows that cannot be issued to are written; None: there may be none."""
    again: bool
    dry_run: bool


class _Files:
    """What is written at the end, if anything."""

    def __init__(self, out: Path | None, emails: str | None, *, as_json: bool) -> None:
        from registry.services.emails import parse_languages

        self._out: Final = out
        self._emails: Final = parse_languages(emails)
        self._as_json: Final = as_json
        if self._emails and out is None:
            raise typer.BadParameter("--emails goes with --out")

    def prepare(self) -> None:
        """See that files can be written, before anything is issued."""
        from registry.services.outlets import prepare_outlet

        if self._out is not None:
            prepare_outlet(self._out)

    def write(self, institution: Institution, batch_id: BatchId, size: int) -> str | None:
        """Write a batch's files; give where the index is."""
        from registry.services.files import write_batch
        from registry.services.outlets import prepare_outlet

        if self._out is None:
            return None
        issued = (
            f"Batch {batch_id} is issued, do not issue it again: only files are missing. Write them with "
            f"`credanchor issue --resume {batch_id} --out DIR`."
        )
        try:
            with progress_bar("writing files", size, quiet=self._as_json) as progress:
                outlet = prepare_outlet(self._out)
                return str(write_batch(institution.store, batch_id, outlet, emails=self._emails, progress=progress))
        except CredanchorError as error:
            error.advice = f"{issued} {error.advice}".strip()
            raise
        except KeyboardInterrupt:
            error_console.print(issued, markup=False)
            raise


class _Issuing:
    """One roster's way to a batch.

    Args:
        home: The home folder.
        achievement: The achievement's file or code.
        options: The roster.
        stack: Ends the helpers that are started while the roster is read.
        as_json: How to report.
    """

    def __init__(
        self, home: Path | None, achievement: str, options: _Options, stack: ExitStack, *, as_json: bool
    ) -> None:
        from registry.services.achievement_library import names_file, resolve_achievement
        from registry.wiring import Institution, now

        self._as_json: Final = as_json
        self._again: Final = options.again
        self._phases: Final = Phases()
        self._institution: Final = Institution(home, ask_passphrase)
        with self._phases.timed("read"), problems_reported(as_json=as_json):
            parsed = resolve_achievement(
                None if names_file(achievement) else self._institution.store,
                achievement,
                lambda path: read_input(path, "the achievement", MAX_DOCUMENT_BYTES),
            )
            self._achievement: Final = parsed.name
            self._frame: Final = self._institution.frame(parsed.value, valid_from=now())
            self._sample: Final = check_achievement(self._frame)
            size = options.roster.stat().st_size if options.roster.is_file() else 0
            self._helpers: Final = stack.enter_context(start_helpers(self._frame, size))
            self._report: Final = self._check_roster(options)

    def _check_roster(self, options: _Options) -> RosterReport:
        from registry.services.earlier import find_earlier

        rule = result_rule(self._frame.achievement)
        roster = open_roster(options.roster, replace(options.reading, result_rule=rule))
        with error_console.status("reading the roster"):
            report = roster.check()
            if not options.again:
                report = report.with_more(*find_earlier(self._institution.store, self._frame, roster, report))
        if options.rejects is None or not report.problem_count:
            report.require_good()
            return report
        if options.rejects.exists():
            raise ConflictError(
                f"there is a file {options.rejects} already",
                advice="Mend and issue it, move it away, or choose another with --rejects.",
            )
        if not options.dry_run:
            write_rejects(roster, report, options.rejects)
        self._say_rest(report, options)
        if not report.good_count:
            raise RosterFormatError("nobody is left to issue to", report.problems)
        return report

    def try_out(self) -> None:
        """Say what would be issued, and what it would cost."""
        from registry.services.issue import try_out

        report = self._report
        with progress_bar("trying", report.good_count, quiet=self._as_json):
            trial = try_out(self._frame, report.recipients, report.bad_rows, self._helpers)
        root, unused = to_hex(trial.root), list(report.columns.unused)
        cost, why_not = self._cost(trial)
        if self._as_json:
            estimate = cost and {"gas": cost.gas, "likelyWei": str(cost.likely_wei), "maxWei": str(cost.max_wei)}
            counts = {"recipients": trial.size, "withEmail": trial.with_email, "leftOut": len(report.bad_rows)}
            content = {**counts, "unusedColumns": unused, "root": root, "cost": estimate, "sample": self._sample}
            print_json({"format": FORMAT, "dryRun": True, **content})
            return
        count = "1 recipient" if trial.size == 1 else f"{trial.size:,} recipients"
        name = printable(self._achievement)
        console.print(f"[bold green]✔[/] {count}, {trial.with_email:,} with an e-mail: {name}")
        print_unused(report)
        console.print(f"  root      {root} (another time it differs: salts are random)")
        console.print(f"  cost      {cost.to_text() if cost else f'not known: {printable(why_not)}'}")
        console.print("  nothing was issued; a credential would look like this one, for a person who does not exist:")
        console.print_json(data=self._sample)

    def _cost(self, trial: Trial) -> tuple[Cost | None, str]:
        """Ask what anchoring would cost; if the node does not say, give why. The rest of a trial needs no node."""
        try:
            with error_console.status("asking the node"):
                return self._institution.cost_of_anchoring(trial.root, trial.size), ""
        except (LedgerUnavailableError, WrongLedgerError, KeyUnavailableError) as error:
            return None, str(error)

    def issue(self, files: _Files) -> None:
        """Seal, anchor, write the files."""
        from registry.services.issue import seal_batch
        from registry.wiring import now

        institution, phases, report = self._institution, self._phases, self._report
        with phases.timed("load"):
            institution.start_unlocking(institution.settings.anchor_key)
            files.prepare()
        with phases.timed("waitForKey"), error_console.status("unlocking the key"):
            anchoring = institution.anchoring
        with phases.timed("check"):
            anchoring.check_ready(self._frame.issuer_id, self._frame.issuer.did)
        with (
            phases.timed("seal"),
            progress_bar("issuing", report.good_count, quiet=self._as_json) as progress,
        ):
            sealed = seal_batch(
                institution.store,
                self._frame,
                report.recipients,
                approvals=institution.approvals,
                without=report.bad_rows,
                again=self._again,
                helpers=self._helpers,
                progress=progress,
            )
        with phases.timed("anchor"), error_console.status("waiting for the ledger"):
            anchored = anchoring.anchor(sealed.id, now=now())
        batch = batch_content(anchored)
        with phases.timed("files"):
            batch["index"] = files.write(institution, sealed.id, sealed.size)
        self._print(batch)

    def _print(self, batch: dict[str, Any]) -> None:
        seconds = self._phases.seconds | {"unlockKey": round(self._institution.key_seconds, 3)}
        report = self._report
        if self._as_json:
            content: dict[str, Any] = {"batches": [batch], "unusedColumns": list(report.columns.unused)}
            if report.problem_count:
                content |= {"leftOut": len(report.bad_rows), "problems": [problem_content(p) for p in report.problems]}
            print_json({"format": FORMAT, **content, "seconds": seconds})
            return
        print_batch(batch)
        print_unused(report)
        spent = " · ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
        console.print(f"  [dim]time      {spent}[/]")

    def _say_rest(self, report: RosterReport, options: _Options) -> None:
        if self._as_json:
            return
        print_problems(report.problems, report.problem_count)
        one, count = len(report.bad_rows) == 1, f"{len(report.bad_rows):,}"
        row = "row" if one else "rows"
        are = "would be" if options.dry_run else "is" if one else "are"
        error_console.print(
            f"  {count} {row} {are} left out, and written to {printable(str(options.rejects))}: mend and issue it"
        )


def _resume(home: Path | None, batch_number: int | None, files: _Files, *, as_json: bool) -> None:
    from registry.services.issue import read_anchored
    from registry.store.batches import get_batch, newest_batch, unfinished_batches
    from registry.store.records import BatchId, BatchState
    from registry.wiring import Institution, now

    institution = Institution(home, ask_passphrase)
    files.prepare()
    with institution.store.reading() as connection:
        newest = newest_batch(connection)
        wanted = (
            unfinished_batches(connection, institution.settings.registry_id, institution.settings.issuer_id)
            if batch_number is None
            else (get_batch(connection, BatchId(batch_number)),)
        )
    reports = []
    for batch in wanted:
        anchored = (
            read_anchored(institution.store, batch)
            if batch.state is BatchState.ANCHORED
            else institution.anchoring.anchor(batch.id, now=now())
        )
        report = batch_content(anchored)
        report["index"] = files.write(institution, batch.id, batch.size)
        reports.append(report)
        if not as_json:
            print_batch(report)
    if as_json:
        print_json({"format": FORMAT, "batches": reports})
    elif not reports:
        console.print("[bold green]✔[/] nothing to resume: every batch is anchored")
        if newest is not None:
            console.print(f"  to write the files of the last one: credanchor issue --resume {newest} --out DIR")
