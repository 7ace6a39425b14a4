"""`credanchor audit`: the registry's whole history, replayed and proven complete by state proofs at one block."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.activity import activity_of
from anchor.at_date import credential_at, state_at
from anchor.audit_statement import make_statement
from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.at_dates import print_state, state_content
from anchor.cli.audit_sections import AuditReport
from anchor.cli.audit_tables import SHOWN_ROWS
from anchor.cli.auditing import Audited, audit_through
from anchor.cli.faults import damage_content, damage_lines, damage_of, print_damage
from anchor.cli.files import write_pieces
from anchor.cli.following import follow, watch_of
from anchor.cli.histories import FORMAT, csv_pieces, json_pieces, print_history
from anchor.cli.kept import alone_in
from anchor.cli.output import JsonFlag, console, error_console, error_content, json_text, plain, print_json, printable
from anchor.cli.plots import require_plots
from anchor.cli.policies import (
    AgreeOption,
    MaxAgeOption,
    OwnNodeOption,
    PolicyOption,
    RpcOption,
    TrustOption,
    load_policy,
)
from anchor.cli.receipts import OrganisationOption, SignWithOption
from anchor.cli.signed_files import key_for, write_signed
from anchor.cli.signing_keys import PassphraseFileOption
from anchor.cli.times import parse_time
from anchor.cli.wording import wording_of
from anchor.credential import Credential, parse_credential
from anchor.did_key import Ed25519Key
from anchor.errors import HistoryError, MalformedError, PolicyFormatError
from anchor.model import TrustedRegistry, to_utc

HELP: Final = """Show what every issuer anchored, revoked and suspended, and prove that nothing is left out.

Also who was accredited and withdrawn, by whom; which keys ended; which batches are void because their key was stolen;
and what is no longer revoked because a new status epoch counts.

Events come from the node and are believed only together: replayed in order they must lead to the heads that stand in
the contract's state, which are read by state proofs. An event that is missing, altered or invented is found.

--keep FOLDER keeps the events (events.jsonl, an archive to publish) and a checkpoint: the next run reads what came
since, and shows only that. --from ARCHIVE takes the events from an archive; nobody is believed, so anyone's will do.

--format html, or --out with a name that ends so, writes a report to read and to print: what was issued and revoked,
when, why and by whom, keys, incidents, and the proof, in English or French. It loads nothing and runs nothing.

--follow keeps watching: it prints each event once it is proven, and raises alerts for incidents (or what --alert
names), when a history is refuted, the chain is reorganised, or nodes are away or do not agree: marked lines (with
--json: a line of JSON for each event and alert), messages to --webhook (signed, if --webhook-secret or
$CREDANCHOR_WEBHOOK_SECRET has a whsec_… secret), and with --until-alert an end with exit code 1.

--statement FILE writes what was found proven, signed with the key of --sign-with: others check it with credanchor
statement, also when the history has gone on.

--at DATE shows what held then, as it was known, and what was declared later of that time; with --credential, whether
it was valid. It reads everything again.

Exit code: 0 complete · 1 not the whole history, or not valid then · 2 malformed usage · 3 could not be determined.

Examples:

  credanchor audit

  credanchor audit --issuer did:web:college.example --format csv > history.csv

  credanchor audit --out report.html --lang fr

  credanchor audit --statement statement.json --sign-with auditor.pem

  credanchor audit --keep college-audit

  credanchor audit --from events.jsonl

  credanchor audit --follow --keep college-audit --webhook https://alerts.example/hook

  credanchor audit --at 2026-01-31 --credential badge.json
"""


class Format(Enum):
    """How the history is shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


class Language(Enum):
    """What language a report is in."""

    EN = "en"
    FR = "fr"


def command(
    issuer: Annotated[str | None, typer.Option("--issuer", metavar="DID", help="Show only this issuer.")] = None,
    output: Annotated[
        Format | None, typer.Option("--format", help="How to show it.  [default: as --out is named, else table]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there: .html, .json or .csv.")
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="The language of an HTML report.")] = Language.EN,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="FOLDER", help="Keep events and a checkpoint there, and go on from them."),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--from", metavar="ARCHIVE", help="Read the events of this archive before asking a node."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Read everything again, whatever --keep has; shows all events.")
    ] = False,
    at: Annotated[
        str | None, typer.Option("--at", metavar="DATE", help="Show what held then: 2026-01-31, or with a time.")
    ] = None,
    credential: Annotated[
        Path | None, typer.Option("--credential", metavar="FILE", help="With --at: whether this one was valid then.")
    ] = None,
    statement: Annotated[
        Path | None,
        typer.Option("--statement", metavar="FILE", help="Write a signed statement of what was found proven."),
    ] = None,
    sign_with: SignWithOption = None,
    passphrase_file: PassphraseFileOption = None,
    organisation: OrganisationOption = "",
    is_following: Annotated[bool, typer.Option("--follow", help="Keep watching; needs --keep.")] = False,
    every: Annotated[
        int, typer.Option("--every", metavar="SECONDS", min=1, max=86_400, help="With --follow: how often to look.")
    ] = 15,
    alert: Annotated[
        str | None,
        typer.Option(
            "--alert", metavar="EVENTS", help="With --follow: incidents, all, or kinds with commas. Default: incidents."
        ),
    ] = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="URL", help="With --follow: send alerts there, as JSON.")
    ] = None,
    webhook_secret: Annotated[
        Path | None,
        typer.Option(
            "--webhook-secret", metavar="FILE", help="With --webhook: sign alerts by the secret in this file."
        ),
    ] = None,
    until_alert: Annotated[
        bool, typer.Option("--until-alert", help="With --follow: stop with the first alert, exit code 1.")
    ] = False,
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    agree: AgreeOption = None,
    own_node: OwnNodeOption = False,
    max_age: MaxAgeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the whole history, and prove that nothing is left out."""
    rules = load_policy(policy, trust, rpc, agree=agree, own_node=own_node, max_age=max_age)
    if len(rules.registries) != 1:
        raise PolicyFormatError(
            f"the policy trusts {len(rules.registries)} registries; an audit is of one", advice="Name it with --trust."
        )
    if is_following:
        if any((output, out, archive, anew, at, credential, statement, sign_with, issuer)):
            raise MalformedError("--follow only prints and sends what is new", advice="Leave the other options out.")
        watch = watch_of(
            rules.registries[0].registry,
            keep,
            alert,
            webhook,
            secret_file=webhook_secret,
            every=every,
            until_alert=until_alert,
            as_json=as_json,
        )
        with alone_in(keep):
            with_alert = follow(watch, lambda: audit_through(watch.folder, rules.registries[0], rules, _say_nothing))
        raise typer.Exit(1 if with_alert else 0)
    if alert or webhook or webhook_secret or until_alert:
        raise MalformedError(
            "alerts (--alert, --webhook, --until-alert) are for --follow", advice="Add --follow and --keep."
        )
    shown = _format_of(output, out, as_json=as_json)
    if credential is not None and at is None:
        raise MalformedError("--credential asks about a date", advice="Name it with --at, or use credanchor verify.")
    if credential is not None and (rules.required_proofs or rules.require_did_document):
        raise PolicyFormatError(
            "the policy requires other proofs or a DID document, and of a date the ledger alone tells",
            advice="Leave that out of the policy, or ask of now with credanchor verify.",
        )
    if at is not None and shown in (Format.CSV, Format.HTML):
        raise MalformedError(f"the state at a date has no {shown.name} form", advice="Use --json.")
    if at is not None and out is not None:
        raise MalformedError("the state at a date goes to standard output", advice="Leave out --out.")
    moment = parse_time(at) if at is not None else None
    asked = _read_credential(credential) if credential is not None else None
    # Before anything long, so that no work is lost.
    if shown is Format.HTML:
        require_plots()
    if out is not None and not out.parent.is_dir():
        raise MalformedError(f"{out} cannot be written: its folder is missing", advice="Name another with --out.")
    key = key_for(statement, sign_with, passphrase_file, "statement")
    with (
        alone_in(keep),
        tempfile.TemporaryDirectory(prefix="credanchor-audit-") as spare,
        error_console.status("asking the node") as status,
    ):
        try:
            audited = audit_through(
                keep or Path(spare),
                rules.registries[0],
                rules,
                status.update,
                archive=archive,
                is_anew=anew or moment is not None,
            )
        except HistoryError as error:
            status.stop()
            _show_damage(error, rules.registries[0], shown, out, language)
            raise
        finally:
            status.stop()
        for note in audited.notes:
            error_console.print(f"[yellow]![/] {printable(note.message)}")
        if issuer is not None and all(each.did != issuer for each in audited.history.issuers):
            raise MalformedError("the registry has never accredited an issuer with this DID")
        if statement is not None and key is not None:
            _state(audited, rules.registries[0], statement, key, plain(organisation))
        if moment is not None:
            if not _show_then(audited, moment, issuer, asked, shown, rules.denied_issuers):
                raise typer.Exit(1)
        elif shown is Format.TABLE:
            print_history(audited.history, audited.basis, issuer, audited.since)
        else:
            _write(out, _pieces(audited, rules.registries[0], issuer, shown, language))
            if out is not None:
                which = _which_words(audited, issuer, shown)
                console.print(
                    f"[bold green]✔ COMPLETE[/]  {len(audited.all_events)} events; {which}written to "
                    f"{printable(str(out))}"
                )


def _which_words(audited: Audited, issuer: str | None, shown: Format) -> str:
    """Say which events a file has, where it has not all."""
    since = audited.since if shown is not Format.HTML else None
    if issuer is None and since is None:
        return ""
    which = f"{len(audited.history.events)} of them" if issuer is None else "those of this issuer"
    return f"{which} " if since is None else f"{which}, after block {since.block_number}, "


def _state(audited: Audited, pin: TrustedRegistry, path: Path, key: Ed25519Key, organisation: str) -> None:
    data = make_statement(
        replace(audited.history, events=audited.all_events),
        audited.basis,
        code_hash=pin.code_hash,
        audited_at=int(time.time()),
        program=f"credanchor {version('credanchor')}",
        key=key,
        organisation=organisation,
    )
    write_signed(path, data, "statement")
    error_console.print(f"signed by {key.did}; written to {printable(str(path))}")


def _format_of(output: Format | None, out: Path | None, *, as_json: bool) -> Format:
    if as_json:
        output = Format.JSON
    if output is None and out is not None:
        named = {f".{each.value}": each for each in (Format.JSON, Format.CSV, Format.HTML)}
        output = named.get(out.suffix.lower())
        if output is None:
            raise MalformedError(
                f"{out.name} does not say what to write", advice="End it in .html, .json or .csv, or add --format."
            )
    if output in (None, Format.TABLE) and out is not None:
        raise MalformedError("a table is for the terminal", advice="Write .html, .json or .csv with --out.")
    return output or Format.TABLE


def _write(out: Path | None, pieces: Iterator[str]) -> None:
    if out is not None:
        write_pieces(out, pieces)
    else:
        sys.stdout.writelines(pieces)


def _pieces(
    audited: Audited, pin: TrustedRegistry, issuer: str | None, shown: Format, language: Language
) -> Iterator[str]:
    history, basis = audited.history, audited.basis
    if shown is Format.CSV:
        yield from csv_pieces(history, issuer)
    elif shown is Format.JSON:
        notes = ({"note": each.kind.value, "message": each.message} for each in audited.notes)
        yield from json_pieces(history, basis, issuer, audited.since, notes=notes)
        yield "\n"
    else:
        from anchor.cli.audit_html import report_pieces

        whole = replace(history, events=audited.all_events)
        report = AuditReport(
            history=whole,
            activity=activity_of(whole, did=issuer, last=SHOWN_ROWS),
            basis=basis,
            code_hash=pin.code_hash,
            made_at=int(time.time()),
            did=issuer,
            notes=tuple(note.message for note in audited.notes),
        )
        yield from report_pieces(report, wording_of(language.value))


def _show_damage(
    error: HistoryError, pin: TrustedRegistry, shown: Format, out: Path | None, language: Language
) -> None:
    """Show where a history that is not whole breaks."""
    damage = damage_of(error)
    if shown is Format.HTML:
        from anchor.cli.audit_html import refusal_pieces

        wording, registry = wording_of(language.value), pin.registry.to_text()
        places = list(damage_lines(damage, wording))
        _write(out, refusal_pieces(registry, str(error), places, int(time.time()), wording))
    elif shown is Format.JSON:
        content = {"format": FORMAT, "complete": False, "error": error_content(error), **damage_content(damage)}
        _write(out, iter([json_text(content) + "\n"]))
        raise typer.Exit(error.exit_code)
    else:
        # On standard output, a program reads CSV.
        print_damage(damage, wording_of("en"), console if shown is Format.TABLE else error_console)


def _read_credential(path: Path) -> Credential:
    try:
        with path.open("rb") as file:
            return parse_credential(file.read(MAX_DOCUMENT_BYTES + 1))
    except OSError as error:
        raise MalformedError(f"{path} cannot be read: {error.strerror}") from error


def _show_then(
    audited: Audited, at: int, issuer: str | None, asked: Credential | None, shown: Format, denied: Collection[str]
) -> bool:
    """Show the state at a date; tell whether the credential, if one is asked about, was valid, also in hindsight."""
    if at > audited.block.timestamp:
        raise MalformedError(f"{to_utc(at)} is after the newest block, of {to_utc(audited.block.timestamp)}")
    state = state_at(audited.history, at)
    judged = credential_at(state, audited.history, asked, denied=denied) if asked is not None else None
    if shown is Format.JSON:
        print_json(state_content(state, audited.basis, issuer, judged))
    else:
        print_state(state, audited.basis, issuer, judged)
    return judged is None or not (judged.reason or judged.reason_in_hindsight)


def _say_nothing(_doing: str) -> None:
    """While a registry is watched, what is being done is no news."""
