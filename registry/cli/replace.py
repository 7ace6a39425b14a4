"""`credanchor replace`: a credential with a typo; the corrected one is issued, and the old one revoked."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.errors import CredanchorError
from anchor.merkle import HASH_BYTES
from anchor.model import hash32, to_hex
from anchor.status import StatusReason, parse_reason
from registry.cli.common import HomeOption, ReasonOption, ask_passphrase, id_of_file
from registry.cli.issue import OutOption
from registry.cli.writing import YesFlag, ask_yes
from registry.errors import InputFormatError

if TYPE_CHECKING:
    from uuid import UUID

    from registry.services.costs import Cost
    from registry.services.replace import Correction, Replaced
    from registry.services.targets import StatusTarget
    from registry.wiring import Institution

FORMAT: Final = "credanchor/replace@v1"
"""First member of the JSON output; a change that could break readers changes it."""

HELP: Final = """Replace a credential that has a mistake in the name or e-mail.

The corrected one is issued first, with all else as it was, then the old one revoked; so the learner never has nothing.
Both are linked in the database. It says what that costs, and asks once. Interrupted, the same command goes on: nothing
is issued or revoked twice.

Exit code: 0 replaced · 1 refused · 2 malformed · 3 not finished: the same command again goes on.

Examples:

  credanchor replace credential.json --name 'Zoé Tremblay' --out corrected/

  credanchor replace urn:uuid:8d8a9c1e-0000-4000-8000-000000000001 --email zoe@example.org --yes
"""


def command(
    target: Annotated[str, typer.Argument(metavar="FILE|ID", help="The credential with the mistake.")],
    name: Annotated[str | None, typer.Option("--name", help="The right name. Default: as it is.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="The right e-mail. Default: as it is.")] = None,
    reason_text: ReasonOption = StatusReason.SUPERSEDED.label,
    out: OutOption = None,
    yes: YesFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Replace a credential that has a mistake in the name or e-mail."""
    from registry.services.outlets import prepare_outlet
    from registry.services.replace import read_correction, read_text
    from registry.services.rosters.cells import read_email, read_name
    from registry.wiring import Institution, now

    if name is None and email is None:
        raise InputFormatError("nothing is to be corrected", advice="Give the right --name, or --email, or both.")
    reason, uuid = parse_reason(reason_text), _uuid_of(target)
    # Asked for once, for both keys.
    institution = Institution(home, cache(ask_passphrase))
    (old,) = institution.targets.of_uuid(uuid)
    correction = read_correction(
        institution.store,
        uuid,
        name=read_text(name, read_name, "name"),
        email=read_text(email, read_email, "e-mail"),
    )
    if out is not None:
        prepare_outlet(out)
    institution.start_unlocking(institution.settings.anchor_key)
    institution.start_unlocking(institution.settings.status_key)
    if correction.begun is None:
        cost = _check_beginning(institution, correction, old, reason)
        if not yes:
            _preview(correction, reason, cost)
        ask_yes("Go on?", yes=yes, as_json=as_json)
    frame = institution.frame(correction.achievement, valid_from=now())
    try:
        with error_console.status("waiting for the ledger"):
            replaced = institution.replacer.replace(correction, frame, reason, now=now())
        index = _write_files(institution, replaced, out)
    except CredanchorError as error:
        error.advise("The same command again goes on; nothing is done twice.")
        raise
    if as_json:
        print_json(_content(replaced, reason, index))
    else:
        _print(replaced, reason, index)


def _uuid_of(target: str) -> UUID:
    from registry.services.find import parse_id

    uuid = parse_id(id_of_file(target))
    if uuid is None:
        raise InputFormatError(
            "what is to be replaced is given by its file or id", advice="Look for it with `credanchor find`."
        )
    return uuid


def _check_beginning(institution: Institution, correction: Correction, old: StatusTarget, reason: StatusReason) -> Cost:
    """Check, before anything is sealed, that all of it can be done, and what it costs."""
    from registry.services.costs import preview_cost
    from registry.services.replace import check_replaceable
    from registry.services.standing import states_of
    from registry.store.records import StatusKind

    settings = institution.settings
    with error_console.status("asking the ledger"):
        (state,) = states_of(institution.view, settings.issuer_id, [correction.old])
        check_replaceable(correction, state)
        institution.anchoring.check_ready(settings.issuer_id, settings.issuer_did)
        service = institution.status
        plan = service.plan([old], StatusKind.REVOKE, reason)
        calls = [step.call for step in plan.steps]
        root = hash32(secrets.token_bytes(HASH_BYTES))
        revoking = preview_cost(institution.client, service.sender, calls, extra_gas=institution.extra_gas)
        return institution.cost_of_anchoring(root, 1) + revoking


def _preview(correction: Correction, reason: StatusReason, cost: Cost) -> None:
    error_console.print(f"replace {correction.old.credential.uuid.urn}")
    if error_console.is_terminal:
        before, after = correction.old.credential, correction.recipient
        for was, will_be in ((before.recipient_name, after.name), (before.recipient_email, after.email)):
            if was != will_be:
                error_console.print(f"  {printable(was or 'no e-mail')} → {printable(will_be or 'no e-mail')}")
    error_console.print(f"  issue the corrected one, then revoke this one, for good ({reason.label})")
    error_console.print(f"  costs     {cost.to_text()}")


def _write_files(institution: Institution, replaced: Replaced, out: Path | None) -> str | None:
    from registry.services.files import write_batch
    from registry.services.outlets import prepare_outlet

    if out is None:
        return None
    return str(write_batch(institution.store, replaced.anchored.batch.id, prepare_outlet(out)))


def _content(replaced: Replaced, reason: StatusReason, index: str | None) -> dict[str, Any]:
    anchoring = replaced.anchored.transaction
    return {
        "format": FORMAT,
        "old": replaced.old.urn,
        "new": replaced.new.urn,
        "reason": reason.label,
        "batch": replaced.anchored.batch.id,
        "anchoredAt": replaced.anchored.batch.anchored_at,
        "anchoring": None if anchoring is None else to_hex(anchoring.hash),
        "revocations": [to_hex(receipt.transaction_hash) for receipt in replaced.receipts],
        "index": index,
    }


def _print(replaced: Replaced, reason: StatusReason, index: str | None) -> None:
    console.print(f"[bold green]✔[/] replaced by {replaced.new.urn}, batch {replaced.anchored.batch.id}")
    console.print(f"  revoked   {replaced.old.urn} ({reason.label})")
    if index is None:
        batch = replaced.anchored.batch.id
        console.print(f"  its file: credanchor issue --resume {batch} --out DIR")
    else:
        console.print(f"  files     {printable(str(Path(index).parent))}, listed in {printable(Path(index).name)}")
