"""`credanchor incident …`: leads through what to do when a key is to be renewed, or somebody else may have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from anchor.cli.output import JsonFlag, error_console
from anchor.model import KeyScope, to_hex, to_utc
from registry.cli import incident_control, incident_status
from registry.cli.common import HomeOption, ask_passphrase
from registry.cli.incident_facts import cut_off_of, is_withdrawn, own_history, own_issuer, own_key, sealed_here
from registry.cli.incident_options import DryRunFlag, KeyArgument, NewOption, SinceOption
from registry.cli.incident_steps import Lead, Sender, Step, compromise_step, key_steps, retire_step, settings_step
from registry.cli.writing import EXIT_HELP, KeyOption, PrintCallFlag, YesFlag, read_address
from registry.errors import ConflictError

if TYPE_CHECKING:
    from anchor.model import Address
    from registry.services.incidents.anchor_key import AnchorKeyTheft
    from registry.store.records import BatchRecord
    from registry.workplace import Workplace

app = typer.Typer(
    help="Leads through incidents: keys renewed, lost, stolen; control handed over.", no_args_is_help=True
)

_AGAIN: Final = "Whatever goes wrong in between, the same command again does the rest."

ROTATE_HELP: Final = f"""Renew a key: a new one is made and added, the settings name it, the old one ends.

What the old key did stays good. For a key that nobody else can have. {_AGAIN}

{EXIT_HELP}

Example:

  credanchor incident rotate anchor --new anchor-2027 --key controller
"""
ANCHOR_KEY_HELP: Final = f"""Somebody else may have an anchoring key: end what he does with it, and keep what is yours.

Proves the registry's whole history, and says what the key has anchored: before the theft, which stays valid; since then
by you, which becomes void and is anchored again with a new key, so that the files that holders have verify as before;
and since then by others, which becomes void for good. Then, after you say yes: a new key is made and added, the stolen
one declared compromised, your own batches anchored again. {_AGAIN}

{EXIT_HELP}

Examples:

  credanchor incident anchor-key anchor --since 2026-11-27T08:00:00Z --new anchor-2 --key controller --dry-run

  credanchor incident anchor-key anchor --since 2026-11-27T08:00:00Z --new anchor-2 --key controller
"""

app.command("status-key", help=incident_status.HELP)(incident_status.command)
app.command("controller", help=incident_control.CONTROLLER_HELP)(incident_control.controller)
app.command("close", help=incident_control.CLOSE_HELP)(incident_control.close)


@app.command("rotate", help=ROTATE_HELP)
def rotate(
    target: KeyArgument,
    new: NewOption,
    key: KeyOption = None,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Renew a key."""
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    own_issuer(place)  # else a folder that is none seems only to lack the key
    old = read_address(target, place)
    with error_console.status("asking the node"):
        record = own_key(place, old)
        scope = KeyScope(record.scope)
        setting = "anchor_key" if scope is KeyScope.ANCHOR else "status_key"
        steps = [
            *key_steps(place, old, new, scope, key),
            settings_step(place, setting, new),
            retire_step(place, old, record, "end the old key; what it did stays good", key),
        ]
        controller = place.governance.issuer(record.issuer_id).record.controller
    kind = scope.name.lower()
    facts = [("key", f"{to_hex(old)}, {kind} key of issuer {record.issuer_id} since {to_utc(record.valid_from)}")]
    lead = Lead(
        name="rotate",
        sender=Sender(key=key, account=controller),
        title=f"renew the {kind} key",
        facts=facts,
        details={"key": to_hex(old)},
    )
    lead.through(place, steps, yes=yes, dry_run=dry_run, only_print=only_print, as_json=as_json)


@app.command("anchor-key", help=ANCHOR_KEY_HELP)
def anchor_key(
    target: KeyArgument,
    since: SinceOption,
    new: NewOption,
    key: KeyOption = None,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Somebody else may have an anchoring key."""
    from registry.services.incidents.anchor_key import inspect_anchor_key
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    own_issuer(place)  # else a folder that is none seems only to lack the key
    stolen = read_address(target, place)
    with error_console.status("asking the node"):
        record = own_key(place, stolen)
        if record.scope != KeyScope.ANCHOR.value:
            raise ConflictError("this is a status key", advice="See credanchor incident status-key --help.")
        cut_off = cut_off_of(place, record, since)
        issuer = own_history(place)
        sealed = sealed_here(place)
        theft = inspect_anchor_key(issuer, stolen, cut_off, sealed)
        has_ended = is_withdrawn(place, issuer)
        steps = [compromise_step(place, stolen, record, cut_off, key)]
        if not has_ended:
            steps = [
                *key_steps(place, stolen, new, KeyScope.ANCHOR, key),
                settings_step(place, "anchor_key", new),
                *steps,
                *_reanchoring_steps(place, theft),
            ]
    lead = Lead(
        name="anchorKey",
        sender=Sender(key=key, account=issuer.record.controller),
        title="undo the theft of an anchoring key",
        facts=_theft_facts(stolen, cut_off, theft, has_ended=has_ended, is_empty=not sealed),
        details={
            "key": to_hex(stolen),
            "since": cut_off,
            "isWithdrawn": has_ended,
            "goodBatches": [to_hex(root) for root in theft.good],
            "ownBatches": [to_hex(batch.root) for batch in (*theft.repaired, *theft.own)],
            "revokedBatches": [to_hex(batch.root) for batch in theft.revoked],
            "foreignBatches": [to_hex(root) for root in theft.foreign],
        },
    )
    lead.through(place, steps, yes=yes, dry_run=dry_run, only_print=only_print, as_json=as_json)


def _reanchoring_steps(place: Workplace, theft: AnchorKeyTheft) -> list[Step]:
    def again(batch: BatchRecord) -> Step:
        return Step(
            what=f"anchor batch {batch.id} again, {batch.size:,} credentials",
            is_done=batch in theft.repaired,
            do=lambda: _reanchor(place, batch),
        )

    return [again(batch) for batch in (*theft.repaired, *theft.own)]


def _reanchor(place: Workplace, batch: BatchRecord) -> None:
    from registry.services.incidents.reanchoring import reanchor
    from registry.wiring import Institution, now

    # Read again: by now the settings name the new key.
    institution = Institution(place.home, place.passphrase)
    reanchor(institution.store, institution.anchoring, batch.id, now=now())


def _theft_facts(
    stolen: Address, cut_off: int, theft: AnchorKeyTheft, *, has_ended: bool, is_empty: bool
) -> list[tuple[str, str]]:
    own = (*theft.repaired, *theft.own)
    then = "void for good: the accreditation has ended" if has_ended else "to be anchored again"
    facts = [
        ("key", f"{to_hex(stolen)}, void since {to_utc(cut_off)}"),
        ("stays", f"{_batches(len(theft.good), sum(each.size for each in theft.good.values()))} of before, valid"),
        ("yours", f"{_batches(len(own), sum(each.size for each in own))} since then, {then}"),
        (
            "others’",
            f"{_batches(len(theft.foreign), sum(each.size for each in theft.foreign.values()))}, void for good",
        ),
    ]
    facts += [("", f"{to_hex(root)}, of {to_utc(each.anchored_at)}") for root, each in theft.foreign.items()]
    if theft.foreign and is_empty:
        facts += [
            ("", "this folder's database has no batches: what was issued from another machine counts as others’"),
            ("", "until this command is given there, too"),
        ]
    if theft.revoked:
        count = _batches(len(theft.revoked), sum(each.size for each in theft.revoked))
        facts += [
            ("revoked", f"{count} of yours, as a whole: void, and cannot be anchored again while revoked"),
            ("", "if a thief revoked them: first credanchor incident status-key, then this command again"),
        ]
    return facts


def _batches(count: int, credentials: int) -> str:
    batches = "1 batch" if count == 1 else f"{count:,} batches"
    return f"{batches} with {credentials:,} credential{'' if credentials == 1 else 's'}"
