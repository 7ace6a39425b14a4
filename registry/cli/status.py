"""`credanchor revoke`, `suspend`, `reinstate`: files or ids in, transactions out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.model import to_hex
from anchor.status import StatusReason, parse_reason
from registry.cli.common import HomeOption, ask_passphrase, read_input

if TYPE_CHECKING:
    from registry.services.status import StatusOutcome, StatusService, StatusTarget

FORMAT: Final = "credanchor/status@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_EXIT: Final = (
    """Exit code: 0 done · 1 refused, or nothing to do for one of them · 2 malformed · 3 not finished, try again."""
)
_REASONS: Final = ", ".join(f"{reason.label} ({reason.value})" for reason in StatusReason)

REVOKE_HELP: Final = f"""Revoke credentials, for good. One transaction does for any number of them on one status list.

Takes credential files, also when the database is gone, or ids of credentials in it.

Reasons, which stand on the ledger for ever: {_REASONS}.

{_EXIT}

Example:

  credanchor revoke credential.json --reason holders-request
"""
SUSPEND_HELP: Final = f"""Suspend credentials until they are reinstated. Takes files or ids, as revoke does.

{_EXIT}
"""
REINSTATE_HELP: Final = f"""Lift the suspension of credentials. Takes files or ids, as revoke does.

{_EXIT}
"""

Targets = Annotated[list[str], typer.Argument(metavar="FILE|ID…", help="Credential files, or ids (urn:uuid:…).")]
_REASON_HELP: Final = "Reason, by name or number; see credanchor revoke --help."
RequiredReason = Annotated[str, typer.Option("--reason", metavar="CODE", help=_REASON_HELP)]
Reason = Annotated[str, typer.Option("--reason", metavar="CODE", help=_REASON_HELP)]

_DONE: Final = {"revoke": "revoked", "suspend": "suspended", "reinstate": "reinstated"}


def revoke(targets: Targets, reason: RequiredReason, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Revoke credentials, for good."""
    _change("revoke", targets, reason, home, as_json=as_json)


def suspend(targets: Targets, reason: Reason = "other", home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Suspend credentials until they are reinstated."""
    _change("suspend", targets, reason, home, as_json=as_json)


def reinstate(targets: Targets, reason: Reason = "other", home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Lift the suspension of credentials."""
    _change("reinstate", targets, reason, home, as_json=as_json)


def _change(verb: str, names: list[str], reason_text: str, home: Path | None, *, as_json: bool) -> None:
    from registry.store.records import StatusKind
    from registry.wiring import Institution, now

    reason = parse_reason(reason_text)
    institution = Institution(home, ask_passphrase)
    institution.start_unlocking(institution.settings.status_key)
    with error_console.status("asking the ledger"):
        service = institution.status
        targets = [_target(service, name) for name in names]
        outcome = service.change(targets, StatusKind(verb), reason, now=now())
    if as_json:
        print_json(_content(verb, reason, outcome))
    else:
        _print(verb, reason, outcome)
    raise typer.Exit(1 if outcome.refused else 0)


def _target(service: StatusService, name: str) -> StatusTarget:
    path = Path(name)
    if path.exists():
        return service.target_of_file(name, read_input(path, "the credential", MAX_DOCUMENT_BYTES))
    return service.target_of_id(name)


def _content(verb: str, reason: StatusReason, outcome: StatusOutcome) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "change": verb,
        "reason": reason.label,
        "changed": [target.name for target in outcome.changed],
        "refused": [{"name": target.name, "why": why} for target, why in outcome.refused],
        "transactions": [
            {
                "hash": to_hex(receipt.transaction_hash),
                "blockNumber": receipt.block_number,
                "gasUsed": receipt.gas_used,
            }
            for receipt in outcome.receipts
        ],
    }


def _print(verb: str, reason: StatusReason, outcome: StatusOutcome) -> None:
    if outcome.changed:
        count = len(outcome.changed)
        what = printable(outcome.changed[0].name) if count == 1 else f"{count:,} credentials"
        console.print(f"[bold green]✔[/] {_DONE[verb]}: {what} ({reason.label})")
    for receipt in outcome.receipts:
        sent = to_hex(receipt.transaction_hash)
        console.print(f"  sent      {sent}, block {receipt.block_number}, gas {receipt.gas_used:,}")
    for target, why in outcome.refused:
        error_console.print(f"[bold red]✘[/] {printable(target.name)} {why}")
