"""`credanchor incident controller|close`: control of an institution handed over, and its end."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from anchor.cli.output import JsonFlag, error_console
from anchor.model import Address, KeyScope, to_hex, to_utc
from registry.cli.common import HomeOption, ask_passphrase
from registry.cli.incident_facts import own_history, own_issuer
from registry.cli.incident_options import DryRunFlag
from registry.cli.incident_steps import Lead, Sender, Step, retire_step, send
from registry.cli.writing import EXIT_HELP, KeyOption, PrintCallFlag, YesFlag, read_address
from registry.errors import ConflictError

CONTROLLER_HELP: Final = f"""Hand control of the institution over to another account, such as a multisig: in two steps.

The controller offers it (--to); the new one takes it over (--accept). Until then nothing has changed, and another offer
takes the place of the first; one to the controller itself takes it back. Keys and credentials stay as they are.

{EXIT_HELP}

Examples:

  credanchor incident controller --to 0xMULTISIG --key controller

  credanchor incident controller --accept --print-call
"""
CLOSE_HELP: Final = f"""The institution closes for good: its keys end, and what it issued stays verifiable.

Every key that is still good is retired: from the next second on nobody issues in its name any more, nor changes a
status. With --keep-status the status keys stay, for a trustee who may have to revoke. What was anchored stays valid for
as long as the ledger is there; no server of the institution is needed for it. Before you end the service, publish the
archive of its history (credanchor audit --help), and give holders their files and bundles.

The accreditor then ends the accreditation: credanchor issuer withdraw.

{EXIT_HELP}

Example:

  credanchor incident close --key controller
"""
_NOBODY: Final = Address(bytes(20))


def controller(
    to: Annotated[str | None, typer.Option("--to", metavar="ADDRESS", help="Who shall control it: offers it.")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Take it over: for whoever was offered it.")] = False,
    key: KeyOption = None,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Hand control over to another account."""
    from anchor.ledger.contract import RegistryContract
    from registry.workplace import Workplace

    if (to is None) is not accept:
        raise typer.BadParameter("give --to ADDRESS to offer control, or --accept to take it over")
    place = Workplace(home, ask_passphrase)
    number = own_issuer(place)
    target = None if to is None else read_address(to, place)
    with error_console.status("asking the node"):
        issuer = place.governance.issuer(number)
    pending = issuer.pending_controller
    shown = [("controller", to_hex(issuer.record.controller)), ("offered to", to_hex(pending) if pending else "nobody")]
    contract = RegistryContract(place.registry)
    if target is None:
        # Of whoever takes over, only the address is known here, from the key that sends.
        taker = None if key is None else place.key(key).address
        is_done = taker is not None and taker == issuer.record.controller
        if pending is None and not is_done:
            raise ConflictError("nobody was offered control", advice="The controller offers it with --to ADDRESS.")
        what, call = "take over control", contract.accept_controller(issuer_id=number)
        sender = Sender(key=key, account=pending, role="whom control was offered to")
    else:
        # Offered to whoever has it, or to nobody, an offer is taken back.
        is_taken_back = target in (issuer.record.controller, _NOBODY)
        is_done = pending is None if is_taken_back else target == pending
        what = "take back the offer of control" if is_taken_back else f"offer control to {to_hex(target)}"
        call = contract.transfer_controller(issuer_id=number, controller=_NOBODY if is_taken_back else target)
        sender = Sender(key=key, account=issuer.record.controller)
    step = Step(what=what, is_done=is_done, do=lambda: send(place, call, key), call=lambda: call)
    lead = Lead(name="controller", sender=sender, title=what, facts=shown, details={"issuer": number})
    lead.through(place, [step], yes=yes, dry_run=dry_run, only_print=only_print, as_json=as_json)


def close(
    keep_status: Annotated[bool, typer.Option("--keep-status", help="Let the status keys stay.")] = False,
    key: KeyOption = None,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """The institution closes for good."""
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    with error_console.status("proving the history"):
        issuer = own_history(place)
    steps = []
    for address, record in issuer.keys.items():
        scope = KeyScope(record.scope)
        if keep_status and scope is KeyScope.STATUS:
            continue
        what = f"end the {'anchoring' if scope is KeyScope.ANCHOR else 'status'} key {to_hex(address)}"
        steps.append(retire_step(place, address, record, what, key))
    void = set(issuer.void_batches()) | set(issuer.revoked_batches())
    good = [batch for root, batch in issuer.batches.items() if root not in void]
    withdrawn = issuer.record.withdrawn_at
    facts = [
        ("issuer", f"{issuer.issuer_id}, {issuer.did}"),
        (
            "stays",
            f"{len(good):,} batches, {sum(batch.size for batch in good):,} credentials: verifiable as before",
        ),
        ("accreditation", f"ends {to_utc(withdrawn)}" if withdrawn else "goes on until the accreditor withdraws it"),
    ]
    lead = Lead(
        name="close",
        sender=Sender(key=key, account=issuer.record.controller),
        title="close the institution",
        facts=facts,
        details={"issuer": issuer.issuer_id},
    )
    lead.through(place, steps, yes=yes, dry_run=dry_run, only_print=only_print, as_json=as_json)
