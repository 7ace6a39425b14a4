"""`credanchor issuer key request|add|retire|compromise`: an institution's keys, managed by its controller."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.cli.times import parse_time
from anchor.model import Address, Key, KeyScope, to_hex, to_utc
from registry.cli.common import HomeOption, ask_passphrase, read_input, write_output
from registry.cli.key_consent import key_request, own_consent
from registry.cli.parties import terms_facts
from registry.cli.writing import (
    EXIT_HELP,
    KeyOption,
    PrintCallFlag,
    YesFlag,
    carry_out,
    print_call,
    read_address,
)
from registry.errors import ConflictError

if TYPE_CHECKING:
    from anchor.ledger.answers import Receipt
    from registry.services.compromise import Voided
    from registry.services.governance import IssuerFacts
    from registry.services.key_requests import KeyRequest

FORMAT: Final = "credanchor/issuer-key@v1"
"""First member of the JSON output; a change that could break readers changes it."""

START: Final = "start"

app = typer.Typer(help="An institution's keys: ask, add, retire, declare compromised.", no_args_is_help=True)

REQUEST_HELP: Final = f"""Write down what a key shall consent to. The key's machine signs it: credanchor key consent.

An anchoring key anchors batches; a status key revokes and suspends, in one status epoch: the current one, or with
--next-epoch the one that counts after the present status key is declared compromised.

{EXIT_HELP}

Example:

  credanchor issuer key request --scope anchor --out request.json
"""
ADD_HELP: Final = f"""Add a key to the institution, for ever: for the controller. Takes the file that the key signed.

A key in the same home folder needs no files: --name says which, --scope for what.

{EXIT_HELP}

Examples:

  credanchor issuer key add consent.json --key controller

  credanchor issuer key add --name anchor --scope anchor --key controller
"""
RETIRE_HELP: Final = f"""End a key's validity, from the next second on: for the controller. What it did stays good.

For a key that somebody else may have, use compromise instead.

{EXIT_HELP}

Example:

  credanchor issuer key retire anchor --key controller
"""
COMPROMISE_HELP: Final = f"""Declare that somebody else may have a key, since a time: for the controller. For good.

What an anchoring key anchored since then is void: those credentials do not verify any more, and are issued anew with
another key. Credentials anchored before stay good. Says first how many are concerned.

Of a status key the institution's status epoch ends: what was revoked and suspended in it counts no longer, unless a
status key of the next epoch has repeated it. So add such a key first: issuer key request --scope status --next-epoch.

{EXIT_HELP}

Examples:

  credanchor issuer key compromise anchor --since 2026-11-27T08:00:00Z --key controller

  credanchor issuer key compromise 0x… --since start --key controller
"""


class Scope(Enum):
    """What a key may do."""

    ANCHOR = "anchor"
    STATUS = "status"


ScopeOption = Annotated[Scope | None, typer.Option("--scope", help="What the key may do.")]
NextEpochFlag = Annotated[bool, typer.Option("--next-epoch", help="Of a status key: for the next status epoch.")]
ValidFromOption = Annotated[
    str | None,
    typer.Option("--valid-from", metavar="TIME", help="ISO 8601. Default: from the block in which it is added."),
]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Its 0x address, or its name if it is here.")]


@app.command("request", help=REQUEST_HELP)
def request(
    scope: Annotated[Scope, typer.Option("--scope", help="What the key may do.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write.")],
    next_epoch: NextEpochFlag = False,
    valid_from: ValidFromOption = None,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How long the consent can be used.")] = 7,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write down what a key shall consent to."""
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    asked = key_request(place, KeyScope[scope.name], next_epoch=next_epoch, starts_at=_start(valid_from), days=days)
    write_output(out, asked.to_text())
    if as_json:
        print_json({"format": FORMAT, "file": str(out), **_terms_content(asked)})
        return
    console.print(f"[bold green]✔[/] written: {printable(str(out))}. Where the key is, now run:")
    console.print(f"  credanchor key consent {printable(out.name)} --key NAME --out consent.json")


@app.command("add", help=ADD_HELP)
def add(
    consent: Annotated[
        Path | None, typer.Argument(metavar="CONSENT", help="File that the key signed.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="KEY", help="Instead of a file: a key here, or a remote signer's.")
    ] = None,
    scope: ScopeOption = None,
    next_epoch: NextEpochFlag = False,
    valid_from: ValidFromOption = None,
    key: KeyOption = None,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a key to the institution."""
    from anchor.events import KeyAdded
    from anchor.ledger.contract import RegistryContract, require_event
    from registry.services.key_requests import MAX_FILE_BYTES, parse_consent
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    if consent is not None and name is None and scope is None and not next_epoch and valid_from is None:
        signed = parse_consent(read_input(consent, "the consent", MAX_FILE_BYTES))
    elif consent is None and name is not None and scope is not None:
        signed = own_consent(
            place,
            name,
            key_request(place, KeyScope[scope.name], next_epoch=next_epoch, starts_at=_start(valid_from), days=1),
        )
    else:
        raise typer.BadParameter("give the file that the key signed, or --name and --scope of a key here")
    if signed.request.registry != place.registry:
        raise ConflictError(
            f"the consent is for {signed.request.registry.to_text()}, and the settings name {place.registry.to_text()}",
            advice="Let the key sign a new request: `credanchor issuer key request`.",
        )
    call = RegistryContract(place.registry).add_key(signed.request.consent_of(signed.key), signed.signature)
    facts = [("key", to_hex(signed.key)), *terms_facts(signed.request)]
    if only_print:
        print_call(place, call, FORMAT, facts, as_json=as_json)
        return

    def record(receipt: Receipt) -> KeyAdded:
        return require_event(receipt, place.registry, KeyAdded)

    event = carry_out(place, call, key, record, facts=facts, yes=yes, as_json=as_json)
    added = signed.request.scope.name.lower()
    if as_json:
        content: dict[str, Any] = {
            "format": FORMAT,
            "key": to_hex(event.key),
            "issuer": event.issuer_id,
            "scope": added,
        }
        content |= {"statusEpoch": event.status_epoch, "validFrom": event.valid_from}
        print_json(content | {"transaction": to_hex(event.log.transaction_hash)})
        return
    console.print(
        f"[bold green]✔[/] added: {to_hex(event.key)}, {added} key of issuer {event.issuer_id} "
        f"from {to_utc(event.valid_from)} on"
    )
    console.print(f"  sent  {to_hex(event.log.transaction_hash)}, block {event.log.block_number}")


@app.command("retire", help=RETIRE_HELP)
def retire(
    target: KeyArgument,
    key: KeyOption = None,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """End a key's validity."""
    from anchor.events import KeyRetired
    from anchor.ledger.contract import RegistryContract, require_event
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    retired = read_address(target, place)
    with error_console.status("asking the node"):
        record_then = place.governance.key(retired)
    call = RegistryContract(place.registry).retire_key(retired)
    facts = [*_key_facts(retired, record_then), ("effect", "it ends with the next second; what it did stays good")]
    if only_print:
        print_call(place, call, FORMAT, facts, as_json=as_json)
        return

    def record(receipt: Receipt) -> KeyRetired:
        return require_event(receipt, place.registry, KeyRetired)

    event = carry_out(place, call, key, record, facts=facts, yes=yes, as_json=as_json)
    if as_json:
        content: dict[str, Any] = {"format": FORMAT, "key": to_hex(event.key), "validUntil": event.valid_until}
        print_json(content | {"transaction": to_hex(event.log.transaction_hash)})
        return
    console.print(f"[bold green]✔[/] retired: {to_hex(event.key)}, valid until {to_utc(event.valid_until)}")
    console.print(f"  sent  {to_hex(event.log.transaction_hash)}, block {event.log.block_number}")


@app.command("compromise", help=COMPROMISE_HELP)
def compromise(
    target: KeyArgument,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="ISO 8601, or “start”: ever since the key was valid.")
    ],
    key: KeyOption = None,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Declare that somebody else may have a key."""
    from anchor.events import KeyCompromised
    from anchor.ledger.contract import RegistryContract, require_event
    from registry.services.compromise import voided_by
    from registry.workplace import Workplace

    moment = None if since == START else parse_time(since)
    place = Workplace(home, ask_passphrase)
    stolen = read_address(target, place)
    with error_console.status("asking the node"):
        record_then = place.governance.key(stolen)
        cut_off = record_then.valid_from if moment is None else moment
        facts = [*_key_facts(stolen, record_then), ("since", to_utc(cut_off))]
        if record_then.scope == KeyScope.ANCHOR.value:
            void = voided_by(place.client, place.registry, stolen, cut_off)
            facts.append(("effect", _void_effect(void)))
        else:
            facts.append(("effect", _epoch_effect(place.governance.issuer(record_then.issuer_id), record_then)))
    call = RegistryContract(place.registry).compromise_key(stolen, since=cut_off)
    if only_print:
        print_call(place, call, FORMAT, facts, as_json=as_json)
        return

    def record(receipt: Receipt) -> KeyCompromised:
        return require_event(receipt, place.registry, KeyCompromised)

    event = carry_out(place, call, key, record, facts=facts, yes=yes, as_json=as_json)
    if as_json:
        content: dict[str, Any] = {"format": FORMAT, "key": to_hex(event.key), "compromisedSince": event.since}
        content["effect"] = dict(facts)["effect"]
        print_json(content | {"transaction": to_hex(event.log.transaction_hash)})
        return
    console.print(f"[bold green]✔[/] declared compromised: {to_hex(event.key)}, since {to_utc(event.since)}")
    console.print(f"  sent  {to_hex(event.log.transaction_hash)}, block {event.log.block_number}")
    console.print("  credanchor audit names every batch and credential concerned.")


def _start(valid_from: str | None) -> int:
    return 0 if valid_from is None else parse_time(valid_from)


def _key_facts(key: Address, record: Key) -> list[tuple[str, str]]:
    scope = KeyScope(record.scope).name.lower()
    return [("key", f"{to_hex(key)}, {scope} key of issuer {record.issuer_id} since {to_utc(record.valid_from)}")]


def _void_effect(void: Voided) -> str:
    if void.batch_count == 0:
        return "no batch becomes void, says the node"
    batches = "1 batch" if void.batch_count == 1 else f"{void.batch_count:,} batches"
    return f"{batches} with {void.credential_count:,} credentials become void, says the node; issue them anew"


def _epoch_effect(issuer: IssuerFacts, record: Key) -> str:
    current, following = issuer.record.status_epoch, issuer.next_status_epoch
    if record.status_epoch == current:
        return (
            f"status epoch {current} ends: what was revoked and suspended in it counts no longer, but only what a key "
            f"of epoch {following} has repeated"
        )
    if record.status_epoch == following:
        return f"status epoch {following}, which this key was to write, is skipped; epoch {current} goes on counting"
    return f"none on what counts: its status epoch {record.status_epoch} is over"


def _terms_content(asked: KeyRequest) -> dict[str, Any]:
    return {
        "registry": asked.registry.to_text(),
        "issuer": asked.issuer_id,
        "scope": asked.scope.name.lower(),
        "statusEpoch": asked.status_epoch,
        "validFrom": asked.valid_from or None,
        "deadline": asked.deadline,
    }
