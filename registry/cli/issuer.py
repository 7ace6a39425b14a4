"""`credanchor issuer accredit|withdraw|show`: admission of an institution, its end, and what is proven of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.cli.times import parse_time
from anchor.errors import MalformedError
from anchor.model import Key, KeyScope, to_hex, to_utc
from anchor.status import StatusReason, parse_reason
from registry.cli import issuer_key
from registry.cli.common import HomeOption, ReasonOption, ask_passphrase
from registry.cli.parties import find_issuer, issuer_text, known_keys
from registry.cli.writing import EXIT_HELP, KeyOption, PrintCallFlag, YesFlag, carry_out, print_call, read_address
from registry.errors import ConflictError

if TYPE_CHECKING:
    from anchor.events import AccreditationWithdrawn, IssuerAccredited
    from anchor.ledger.answers import Receipt
    from registry.services.governance import IssuerFacts
    from registry.workplace import Workplace

FORMAT: Final = "credanchor/issuer@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(help="Institutions of a registry: admission, keys, withdrawal.", no_args_is_help=True)
app.add_typer(issuer_key.app, name="key")

_REASONS: Final = ", ".join(f"{reason.label} ({reason.value})" for reason in StatusReason)

ACCREDIT_HELP: Final = f"""Admit an institution: for an account with the accreditor's role.

The controller manages the issuer's keys; stolen or lost it is unrecoverable, so it should be a multisig. The DID stands
on the ledger for ever. If the settings here are the institution's own, its number is written into them.

{EXIT_HELP}

Example:

  credanchor issuer accredit did:web:college.example --controller 0x… --key registrar
"""
WITHDRAW_HELP: Final = f"""End an institution's accreditation, from a time on: for accounts with the accreditor's role.

What was anchored before stays good. The end can be moved earlier, never into the past, and never taken back.

Reasons, which stand on the ledger for ever: {_REASONS}.

{EXIT_HELP}

Example:

  credanchor issuer withdraw did:web:college.example --at 2027-01-01 --reason affiliation-ended --key registrar
"""
SHOW_HELP: Final = """Show what is proven of an institution: number, controller, accreditation, epoch, keys known here.

Keys known here are those of the home folder and of its settings; credanchor audit shows all. --save writes the number
and the DID into settings.toml, once the accreditor has admitted the institution.

Exit code: 0 shown · 1 there is no such issuer · 2 malformed or usage · 3 the node does not answer.

Examples:

  credanchor issuer show --save

  credanchor issuer show did:web:college.example
"""

IssuerArgument = Annotated[str, typer.Argument(metavar="ISSUER", help="The institution's DID, or its number.")]


@app.command("accredit", help=ACCREDIT_HELP)
def accredit(
    did: Annotated[str, typer.Argument(metavar="DID", help="The institution's DID.")],
    controller: Annotated[
        str, typer.Option("--controller", metavar="ADDRESS", help="Who manages its keys: an address, or a key's name.")
    ],
    key: KeyOption = None,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Admit an institution."""
    from anchor.events import IssuerAccredited
    from anchor.ledger.contract import RegistryContract, require_event
    from registry.settings import complete_settings
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    account = read_address(controller, place)
    call = RegistryContract(place.registry).accredit(did=did, controller=account)
    facts = [("DID", did), ("controller", to_hex(account)), ("registry", place.registry.to_text())]
    if only_print:
        print_call(place, call, FORMAT, facts, as_json=as_json)
        return
    is_own = place.settings.issuer_did == did and place.settings.issuer_id is None

    def record(receipt: Receipt) -> IssuerAccredited:
        event = require_event(receipt, place.registry, IssuerAccredited)
        if is_own:
            complete_settings(place.home, {"issuer_id": event.issuer_id})
        return event

    event = carry_out(place, call, key, record, facts=facts, yes=yes, as_json=as_json)
    if as_json:
        content: dict[str, Any] = {"format": FORMAT, "issuer": event.issuer_id, "did": did}
        print_json(content | {"controller": to_hex(account), "transaction": to_hex(event.log.transaction_hash)})
        return
    console.print(f"[bold green]✔[/] accredited: {printable(did)} is issuer {event.issuer_id}")
    console.print(f"  sent  {to_hex(event.log.transaction_hash)}, block {event.log.block_number}")
    if not is_own:
        console.print("  The institution now runs: credanchor issuer show --save")


@app.command("withdraw", help=WITHDRAW_HELP)
def withdraw(
    issuer: IssuerArgument,
    reason: ReasonOption,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="First moment without accreditation, ISO 8601. Default: at once."),
    ] = None,
    key: KeyOption = None,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """End an institution's accreditation."""
    from anchor.events import AccreditationWithdrawn
    from anchor.ledger.contract import RegistryContract, require_event
    from registry.workplace import Workplace

    code, end = parse_reason(reason), 0 if at is None else parse_time(at)
    place = Workplace(home, ask_passphrase)
    with error_console.status("asking the node"):
        found = find_issuer(place, issuer)
    call = RegistryContract(place.registry).withdraw(issuer_id=found.issuer_id, at=end, reason=code.value)
    facts = [
        ("issuer", issuer_text(found, issuer)),
        ("ends", to_utc(end) if end else "with the next second of the ledger"),
        ("reason", code.label),
        ("registry", place.registry.to_text()),
    ]
    if only_print:
        print_call(place, call, FORMAT, facts, as_json=as_json)
        return

    def record(receipt: Receipt) -> AccreditationWithdrawn:
        return require_event(receipt, place.registry, AccreditationWithdrawn)

    event = carry_out(place, call, key, record, facts=facts, yes=yes, as_json=as_json)
    if as_json:
        content: dict[str, Any] = {"format": FORMAT, "issuer": event.issuer_id, "withdrawnAt": event.withdrawn_at}
        print_json(content | {"reason": code.label, "transaction": to_hex(event.log.transaction_hash)})
        return
    console.print(
        f"[bold green]✔[/] withdrawn: the accreditation of issuer {event.issuer_id} ends {to_utc(event.withdrawn_at)}"
    )
    console.print(f"  sent  {to_hex(event.log.transaction_hash)}, block {event.log.block_number}")


@app.command("show", help=SHOW_HELP)
def show(
    issuer: Annotated[
        str | None,
        typer.Argument(metavar="ISSUER", help="DID or number. Default: of the settings.", show_default=False),
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Write number and DID into settings.toml.")] = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what is proven of an institution."""
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    with error_console.status("asking the node"):
        found = find_issuer(place, issuer)
        names = known_keys(place)
        keys = place.governance.keys(names.values())
    own = {name: keys[each] for name, each in names.items() if each in keys and keys[each].issuer_id == found.issuer_id}
    candidates = (issuer, place.settings.issuer_did)
    did = next((each for each in candidates if found.is_called(each)), None)
    if save:
        _save(place, found, did)
    if as_json:
        print_json(_content(found, did, {name: (names[name], record) for name, record in own.items()}))
        return
    _print_issuer(found, did)
    for name, record in own.items():
        console.print(f"  {_key_words(name, to_hex(names[name]), record)}")
    if save:
        console.print(f"[bold green]✔[/] written to {printable(str(place.home / 'settings.toml'))}")


def _save(place: Workplace, found: IssuerFacts, did: str | None) -> None:
    from registry.settings import complete_settings

    if did is None:
        raise MalformedError("the DID is not known: the ledger holds its hash", advice="Name the issuer by its DID.")
    if place.settings.issuer_did not in {None, did}:
        raise ConflictError("the settings are another institution's", advice="Use another home folder: --home.")
    complete_settings(place.home, {"issuer_id": found.issuer_id, "issuer_did": did})


def _print_issuer(found: IssuerFacts, did: str | None) -> None:
    record = found.record
    console.print(f"issuer {found.issuer_id}: {printable(did or f'DID with hash {to_hex(found.did_hash)}')}")
    console.print(f"  accredited    {to_utc(record.accredited_at)}")
    if record.withdrawn_at:
        console.print(f"  [red]withdrawn[/]     from {to_utc(record.withdrawn_at)} on")
    console.print(f"  controller    {to_hex(record.controller)}")
    if found.pending_controller is not None:
        console.print(f"  offered to    {to_hex(found.pending_controller)}, who has not accepted")
    console.print(f"  status epoch  {record.status_epoch}, next {found.next_status_epoch}")


def _key_words(name: str, key: str, record: Key) -> str:
    scope = KeyScope(record.scope)
    words = [f"valid from {to_utc(record.valid_from)}"]
    if scope is KeyScope.STATUS:
        words.append(f"status epoch {record.status_epoch}")
    if record.valid_until:
        words.append(f"[red]retired[/] {to_utc(record.valid_until)}")
    if record.compromised_at:
        words.append(f"[red]compromised[/] since {to_utc(record.compromised_at)}")
    return f"{scope.name.lower()} key    {key} ({printable(name)}), {', '.join(words)}"


def _content(found: IssuerFacts, did: str | None, keys: dict[str, tuple[bytes, Key]]) -> dict[str, Any]:
    pending = found.pending_controller
    return {
        "format": FORMAT,
        "issuer": found.issuer_id,
        "did": did,
        "didHash": to_hex(found.did_hash),
        "controller": to_hex(found.record.controller),
        "pendingController": None if pending is None else to_hex(pending),
        "accreditedAt": found.record.accredited_at,
        "withdrawnAt": found.record.withdrawn_at or None,
        "statusEpoch": found.record.status_epoch,
        "nextStatusEpoch": found.next_status_epoch,
        "keys": [
            {
                "name": name,
                "key": to_hex(key),
                "scope": KeyScope(record.scope).name.lower(),
                "statusEpoch": record.status_epoch,
                "validFrom": record.valid_from,
                "validUntil": record.valid_until or None,
                "compromisedAt": record.compromised_at or None,
            }
            for name, (key, record) in keys.items()
        ],
    }
