"""`credanchor revoke`, `suspend`, `reinstate`: files, ids, e-mails, lists, batches in; a plan; transactions out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.errors import MalformedError
from anchor.model import to_hex
from anchor.status import StatusReason, parse_reason
from registry.cli.common import (
    PROBLEMS_SHOWN,
    HomeOption,
    ReasonOption,
    ask_passphrase,
    problems_reported,
    read_input,
)
from registry.cli.writing import YesFlag, ask_yes
from registry.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchor.ledger.answers import Receipt
    from registry.services.costs import Cost
    from registry.services.status_plan import StatusPlan
    from registry.services.targets import StatusTarget
    from registry.wiring import Institution

FORMAT: Final = "credanchor/status@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_EXIT: Final = """Exit code: 0 done · 1 refused, or nothing to do for one of them · 2 malformed · 3 not finished: the \
same command again does only the rest."""
_REASONS: Final = ", ".join(f"{reason.label} ({reason.value})" for reason in StatusReason)

REVOKE_HELP: Final = f"""Revoke credentials, for good: one, many, or a whole batch.

Takes credential files, also when the database is gone; ids or e-mails of credentials in the database; a list of these
(--list: CSV or a spreadsheet with a column id or email); or all of a --batch. If more than one would change, it says
which, in how many transactions and at what cost, and asks once.

Reasons, which stand on the ledger for ever: {_REASONS}.

{_EXIT}

Examples:

  credanchor revoke credential.json --reason holders-request

  credanchor revoke --list withdrawn.csv --reason issued-in-error

  credanchor revoke --batch 12 --reason superseded --yes
"""
SUSPEND_HELP: Final = f"""Suspend credentials until they are reinstated. Takes the same as revoke does.

{_EXIT}

Examples:

  credanchor suspend zoe@example.org --batch 12

  credanchor suspend --list fees-open.csv --reason other
"""
REINSTATE_HELP: Final = f"""Lift the suspension of credentials. Takes the same as revoke does.

{_EXIT}

Example:

  credanchor reinstate --batch 12 --yes
"""

Targets = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE|ID|EMAIL]…", help="Credential files, ids (urn:uuid:…), e-mails.", show_default=False),
]
ListOption = Annotated[
    Path | None, typer.Option("--list", metavar="FILE", help="File with a column id or email; every row counts.")
]
BatchOption = Annotated[
    int | None,
    typer.Option("--batch", metavar="N", help="All of this batch; beside e-mails: only their credentials in it."),
]
AllOption = Annotated[
    bool, typer.Option("--all", help="All credentials of an e-mail, where it has several.", show_default=False)
]

_DONE: Final = {"revoke": "revoked", "suspend": "suspended", "reinstate": "reinstated"}


def revoke(
    reason: ReasonOption,
    targets: Targets = None,
    listed: ListOption = None,
    batch: BatchOption = None,
    takes_all: AllOption = False,
    yes: YesFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Revoke credentials, for good."""
    _change("revoke", targets, listed, batch, reason, home, takes_all=takes_all, yes=yes, as_json=as_json)


def suspend(
    targets: Targets = None,
    reason: ReasonOption = "other",
    listed: ListOption = None,
    batch: BatchOption = None,
    takes_all: AllOption = False,
    yes: YesFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Suspend credentials until they are reinstated."""
    _change("suspend", targets, listed, batch, reason, home, takes_all=takes_all, yes=yes, as_json=as_json)


def reinstate(
    targets: Targets = None,
    reason: ReasonOption = "other",
    listed: ListOption = None,
    batch: BatchOption = None,
    takes_all: AllOption = False,
    yes: YesFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Lift the suspension of credentials."""
    _change("reinstate", targets, listed, batch, reason, home, takes_all=takes_all, yes=yes, as_json=as_json)


def _change(
    verb: str,
    names: list[str] | None,
    listed: Path | None,
    batch: int | None,
    reason_text: str,
    home: Path | None,
    *,
    takes_all: bool,
    yes: bool,
    as_json: bool,
) -> None:
    from registry.store.records import StatusKind
    from registry.wiring import Institution, now

    if not names and listed is None and batch is None:
        raise MalformedError(
            f"there is nothing to {verb}", advice="Give files, ids or e-mails, a --list FILE, or a --batch N."
        )
    reason = parse_reason(reason_text)
    institution = Institution(home, ask_passphrase)
    institution.start_unlocking(institution.settings.status_key)
    with problems_reported(as_json=as_json):
        targets = _targets(institution, names or [], listed, batch, takes_all=takes_all)
    with error_console.status("asking the ledger"):
        service = institution.status
        plan = service.plan(targets, StatusKind(verb), reason)
    if plan.count > 1:
        if not yes:
            _preview(institution, verb, reason, plan)
        ask_yes("Go on?", yes=yes, as_json=as_json)
    with error_console.status("waiting for the ledger"):
        receipts = service.carry_out(plan, now=now())
    if as_json:
        print_json(_content(verb, reason, plan, receipts))
    else:
        _print(verb, reason, plan, receipts)
    raise typer.Exit(1 if plan.refused else 0)


def _targets(
    institution: Institution, names: list[str], listed: Path | None, batch: int | None, *, takes_all: bool
) -> list[StatusTarget]:
    from registry.services.status_list import targets_of_list
    from registry.services.targets import Choice
    from registry.store.records import BatchId

    finder, number = institution.targets, None if batch is None else BatchId(batch)
    if number is not None and not names and listed is None:
        return [finder.of_batch(number)]
    root = None if number is None else finder.root_of(number)
    choice = Choice(batch=number, takes_all=takes_all)
    targets: list[StatusTarget] = []
    for name in names:
        path = Path(name)
        if path.exists():
            targets.append(finder.of_file(name, read_input(path, "the credential", MAX_DOCUMENT_BYTES)))
        else:
            targets += finder.of_text(name, choice)
    if listed is not None:
        targets += targets_of_list(institution.store, finder, listed, choice)
    for target in targets:
        if root not in (None, target.root):
            raise ConflictError(f"{target.name} is not in batch {number}", advice="Leave it out, or --batch.")
    return targets


def _preview(institution: Institution, verb: str, reason: StatusReason, plan: StatusPlan) -> None:
    """Say what would be done, and what it costs, before it is confirmed."""
    from registry.services.costs import preview_cost

    service = institution.status
    calls = [step.call for step in plan.steps]
    cost: Cost = preview_cost(institution.client, service.sender, calls, extra_gas=institution.extra_gas)
    for_good = ", for good" if verb == "revoke" else ""
    error_console.print(f"{verb} [bold]{plan.count:,}[/] credentials{for_good} ({reason.label})")
    names = service.names(plan) if error_console.is_terminal else ()
    if names:
        more = f" and {plan.count - len(names):,} more" if plan.count > len(names) else ""
        error_console.print(f"  whose     {', '.join(map(printable, names))}{more}")
    _print_passed_over(plan)
    error_console.print(f"  costs     {cost.to_text()}")


def _content(verb: str, reason: StatusReason, plan: StatusPlan, receipts: Sequence[Receipt]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "change": verb,
        "reason": reason.label,
        "changedCount": plan.count,
        "changed": [target.name for target in plan.changed],
        "passedOverCount": plan.passed_over_count,
        "refused": [{"name": target.name, "why": why} for target, why in plan.refused],
        "transactions": [
            {
                "hash": to_hex(receipt.transaction_hash),
                "blockNumber": receipt.block_number,
                "gasUsed": receipt.gas_used,
            }
            for receipt in receipts
        ],
    }


def _print(verb: str, reason: StatusReason, plan: StatusPlan, receipts: Sequence[Receipt]) -> None:
    if plan.changed:
        what = printable(plan.changed[0].name) if plan.count == 1 else f"{plan.count:,} credentials"
        console.print(f"[bold green]✔[/] {_DONE[verb]}: {what} ({reason.label})")
    for receipt in receipts:
        sent = to_hex(receipt.transaction_hash)
        console.print(f"  sent      {sent}, block {receipt.block_number}, gas {receipt.gas_used:,}")
    _print_passed_over(plan)
    for target, why in plan.refused[:PROBLEMS_SHOWN]:
        error_console.print(f"[bold red]✘[/] {printable(target.name)} {why}")
    if len(plan.refused) > PROBLEMS_SHOWN:
        error_console.print(f"  … and {len(plan.refused) - PROBLEMS_SHOWN:,} more (--json lists them)")


def _print_passed_over(plan: StatusPlan) -> None:
    if plan.passed_over_count:
        error_console.print(f"  passed over: {plan.passed_over_count:,} of the batch, changed or revoked already")
