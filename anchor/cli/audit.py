"""`credanchor audit`: the registry's whole history, replayed and proven complete by state proofs at one block."""

from __future__ import annotations

import sys
import tempfile
from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.at_date import credential_at, state_at
from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.at_dates import print_state, state_content
from anchor.cli.auditing import Audited, audit_through
from anchor.cli.histories import csv_pieces, json_pieces, print_history
from anchor.cli.output import JsonFlag, error_console, print_json
from anchor.cli.policies import (
    AgreeOption,
    MaxAgeOption,
    OwnNodeOption,
    PolicyOption,
    RpcOption,
    TrustOption,
    load_policy,
)
from anchor.cli.times import parse_time
from anchor.credential import Credential, parse_credential
from anchor.errors import MalformedError, PolicyFormatError
from anchor.model import to_utc

HELP: Final = """Show what every issuer anchored, revoked and suspended, and prove that nothing is left out.

Also who was accredited and withdrawn, by whom; which keys ended; which batches are void because their key was stolen;
and what is no longer revoked because a new status epoch counts.

Events come from the node and are believed only together: replayed in order they must lead to the heads that stand in
the contract's state, which are read by state proofs. An event that is missing, altered or invented is found.

--keep FOLDER keeps the events (events.jsonl, an archive to publish) and a checkpoint: the next run reads what came
since, and shows only that. --from ARCHIVE takes the events from an archive; nobody is believed, so anyone's will do.

--at DATE shows what held then, as it was known, and what was declared later of that time; with --credential, whether
it was valid. It reads everything again.

Exit code: 0 complete · 1 not the whole history, or not valid then · 2 malformed usage · 3 could not be determined.

Examples:

  credanchor audit

  credanchor audit --issuer did:web:college.example --format csv > history.csv

  credanchor audit --keep college-audit

  credanchor audit --from events.jsonl

  credanchor audit --at 2026-01-31 --credential badge.json
"""


class Format(Enum):
    """How the history is shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def command(
    issuer: Annotated[str | None, typer.Option("--issuer", metavar="DID", help="Show only this issuer.")] = None,
    output: Annotated[Format, typer.Option("--format", help="How to show it.")] = Format.TABLE,
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
    output = Format.JSON if as_json else output
    if credential is not None and at is None:
        raise MalformedError("--credential asks about a date", advice="Name it with --at, or use credanchor verify.")
    if at is not None and output is Format.CSV:
        raise MalformedError("the state at a date has no CSV form", advice="Use --json.")
    moment = parse_time(at) if at is not None else None
    asked = _read_credential(credential) if credential is not None else None
    with (
        tempfile.TemporaryDirectory(prefix="credanchor-audit-") as spare,
        error_console.status("asking the node") as status,
    ):
        audited = audit_through(
            keep or Path(spare),
            rules.registries[0],
            rules,
            status.update,
            archive=archive,
            is_anew=anew or moment is not None,
        )
        status.stop()
        if issuer is not None and all(each.did != issuer for each in audited.history.issuers):
            raise MalformedError("the registry has never accredited an issuer with this DID")
        if moment is None:
            _show(audited, issuer, output)
        elif not _show_then(audited, moment, issuer, asked, output):
            raise typer.Exit(1)


def _read_credential(path: Path) -> Credential:
    try:
        with path.open("rb") as file:
            return parse_credential(file.read(MAX_DOCUMENT_BYTES + 1))
    except OSError as error:
        raise MalformedError(f"{path} cannot be read: {error.strerror}") from error


def _show_then(audited: Audited, at: int, issuer: str | None, asked: Credential | None, output: Format) -> bool:
    """Show the state at a date; tell whether the credential, if one is asked about, was valid, also in hindsight."""
    if at > audited.block.timestamp:
        raise MalformedError(f"{to_utc(at)} is after the newest block, of {to_utc(audited.block.timestamp)}")
    state = state_at(audited.history, at)
    judged = credential_at(state, audited.history, asked) if asked is not None else None
    if output is Format.JSON:
        print_json(state_content(state, audited.basis, issuer, judged))
    else:
        print_state(state, audited.basis, issuer, judged)
    return judged is None or not (judged.reason or judged.reason_in_hindsight)


def _show(audited: Audited, issuer: str | None, output: Format) -> None:
    history, basis, since = audited.history, audited.basis, audited.since
    if output is Format.TABLE:
        print_history(history, basis, issuer, since)
        return
    pieces = csv_pieces(history, issuer) if output is Format.CSV else json_pieces(history, basis, issuer, since)
    sys.stdout.writelines(pieces)
    if output is Format.JSON:
        sys.stdout.write("\n")
