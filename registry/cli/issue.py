"""`credanchor issue`: a roster in, an anchored batch and its files out; or the rest of what was interrupted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.errors import CredanchorError
from anchor.model import to_hex
from registry.cli.common import HomeOption, ask_passphrase, problems_reported, progress_bar, read_input
from registry.services.achievement import check_achievement
from registry.services.roster import RosterReport, open_roster

if TYPE_CHECKING:
    from registry.services.issue import Anchored
    from registry.services.recipient import Recipient
    from registry.store.records import BatchId
    from registry.wiring import Institution

FORMAT: Final = "credanchor/issue@v1"
"""First member of the JSON output; a change that could break readers changes it."""

HELP: Final = """Issue credentials for an achievement to everyone on a roster, and anchor them.

The roster is a CSV file with the columns name and, if known, email. Nothing is issued unless every line of it is good.
All credentials are kept in the database before anything is sent; if the command is interrupted before the batch is
anchored, --resume goes on, and nothing is issued twice. After that only files can be missing: --resume BATCH --out DIR
writes them.

Exit code: 0 issued · 1 refused · 2 malformed roster, achievement or settings · 3 not finished, try again.

Examples:

  credanchor issue --achievement achievement.json --recipients roster.csv --out credentials/

  credanchor issue --achievement achievement.json --recipients roster.csv --dry-run

  credanchor issue --resume
"""


class Phases:
    """How long each part of a command took."""

    def __init__(self) -> None:
        self.seconds: Final[dict[str, float]] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - started, 3)


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
        Path | None, typer.Option("--recipients", metavar="FILE", help="Roster: CSV with name and email.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the credentials' files and an index here.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and show a sample; issue nothing.")
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
        if achievement or recipients or dry_run:
            raise typer.BadParameter("--resume takes no --achievement, --recipients or --dry-run")
        _resume(home, batch, out, as_json=as_json)
    elif achievement is None or recipients is None or batch is not None:
        raise typer.BadParameter("give --achievement and --recipients, or --resume")
    else:
        _issue(home, achievement, recipients, out, dry_run=dry_run, as_json=as_json)


def _issue(
    home: Path | None, achievement_text: str, roster_file: Path, out: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    from registry.services.achievement_library import names_file, resolve_achievement
    from registry.wiring import Institution, now

    phases = Phases()
    institution = Institution(home, ask_passphrase)
    with phases.timed("read"), problems_reported(as_json=as_json):
        achievement = resolve_achievement(
            None if names_file(achievement_text) else institution.store,
            achievement_text,
            lambda path: read_input(path, "the achievement", MAX_DOCUMENT_BYTES),
        )
        frame = institution.frame(achievement.value, valid_from=now())
        sample = check_achievement(frame)
        roster = open_roster(roster_file)
        report_on_roster = roster.check()
        report_on_roster.require_good()
        recipients = list(roster.recipients())
    if dry_run:
        _print_dry_run(report_on_roster, recipients, achievement.name, sample, as_json=as_json)
        return
    with phases.timed("load"):
        institution.start_unlocking(institution.settings.anchor_key)
        from registry.services.files import prepare_folder
        from registry.services.issue import seal_batch

        if out is not None:
            prepare_folder(out)
        store = institution.store
    with phases.timed("waitForKey"), error_console.status("unlocking the key"):
        anchoring = institution.anchoring
    with phases.timed("check"):
        anchoring.check_ready(frame.issuer_id, frame.issuer.did)
    with phases.timed("seal"), progress_bar("issuing", len(recipients), quiet=as_json) as progress:
        sealed = seal_batch(store, frame, recipients, progress=progress)
    with phases.timed("anchor"), error_console.status("waiting for the ledger"):
        anchored = anchoring.anchor(sealed.id, now=now())
    report = _batch_content(anchored)
    with phases.timed("files"):
        report["index"] = _write_files(institution, anchored.batch.id, anchored.batch.size, out, as_json=as_json)
    seconds = phases.seconds | {"unlockKey": round(institution.key_seconds, 3)}
    if as_json:
        unused = list(report_on_roster.columns.unused)
        print_json({"format": FORMAT, "batches": [report], "unusedColumns": unused, "seconds": seconds})
        return
    _print_batch(report)
    _print_unused(report_on_roster)
    spent = " · ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
    console.print(f"  [dim]time      {spent}[/]")


def _resume(home: Path | None, batch_number: int | None, out: Path | None, *, as_json: bool) -> None:
    from registry.services.files import prepare_folder
    from registry.services.issue import read_anchored
    from registry.store.batches import get_batch, newest_batch, unfinished_batches
    from registry.store.records import BatchId, BatchState
    from registry.wiring import Institution, now

    institution = Institution(home, ask_passphrase)
    if out is not None:
        prepare_folder(out)
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
        report = _batch_content(anchored)
        report["index"] = _write_files(institution, batch.id, batch.size, out, as_json=as_json)
        reports.append(report)
        if not as_json:
            _print_batch(report)
    if as_json:
        print_json({"format": FORMAT, "batches": reports})
    elif not reports:
        console.print("[bold green]✔[/] nothing to resume: every batch is anchored")
        if newest is not None:
            console.print(f"  to write the files of the last one: credanchor issue --resume {newest} --out DIR")


def _write_files(
    institution: Institution, batch_id: BatchId, size: int, out: Path | None, *, as_json: bool
) -> str | None:
    from registry.services.files import write_batch

    if out is None:
        return None
    issued = (
        f"Batch {batch_id} is issued, do not issue it again: only files are missing. Write them with "
        f"`credanchor issue --resume {batch_id} --out DIR`."
    )
    try:
        with progress_bar("writing files", size, quiet=as_json) as progress:
            return str(write_batch(institution.store, batch_id, out, progress=progress))
    except CredanchorError as error:
        error.advice = f"{issued} {error.advice}".strip()
        raise
    except KeyboardInterrupt:
        error_console.print(issued, markup=False)
        raise


def _batch_content(anchored: Anchored) -> dict[str, Any]:
    batch, transaction = anchored.batch, anchored.transaction
    return {
        "batch": batch.id,
        "achievement": batch.achievement_name,
        "registry": batch.issuer.registry.to_text(),
        "issuerId": batch.issuer.issuer_id,
        "root": to_hex(batch.root),
        "size": batch.size,
        "state": batch.state.value,
        "anchoredAt": batch.anchored_at,
        "transaction": None
        if transaction is None
        else {
            "hash": to_hex(transaction.hash),
            "blockNumber": transaction.block_number,
            "gasUsed": transaction.gas_used,
            "gasPriceWei": transaction.gas_price_wei,
        },
    }


def _print_batch(report: dict[str, Any]) -> None:
    count = "1 credential" if report["size"] == 1 else f"{report['size']:,} credentials"
    console.print(f"[bold green]✔[/] {count} anchored: {printable(report['achievement'])}")
    console.print(f"  batch     {report['batch']} · root {report['root']}")
    transaction = report["transaction"]
    if transaction is None:
        console.print("  the ledger had this root already; nothing was sent")
    else:
        gas, each = transaction["gasUsed"], transaction["gasUsed"] / report["size"]
        console.print(f"  sent      {transaction['hash']}, block {transaction['blockNumber']}")
        console.print(f"  gas       {gas:,}, {each:,.1f} a credential")
    if report["index"] is not None:
        index = Path(report["index"])
        console.print(f"  files     {printable(str(index.parent))}, listed in {printable(index.name)}")


def _print_dry_run(
    roster: RosterReport,
    recipients: Sequence[Recipient],
    achievement: str,
    sample: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    total = len(recipients)
    with_email = sum(recipient.email is not None for recipient in recipients)
    if as_json:
        content = {"recipients": total, "withEmail": with_email, "unusedColumns": list(roster.columns.unused)}
        print_json({"format": FORMAT, "dryRun": True, **content, "sample": sample})
        return
    console.print(f"[bold green]✔[/] {total:,} recipients, {with_email:,} with an e-mail: {printable(achievement)}")
    _print_unused(roster)
    console.print("  nothing was issued; a credential would look like this one, for a person who does not exist:")
    console.print_json(data=sample)


def _print_unused(roster: RosterReport) -> None:
    if roster.columns.unused:
        names = ", ".join(map(printable, roster.columns.unused))
        console.print(f"  columns of the roster that nothing was taken from: {names}")
