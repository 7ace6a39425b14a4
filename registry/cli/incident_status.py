"""`credanchor incident status-key`: somebody else may have a status key; what was honest counts on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, error_console
from anchor.errors import LedgerError, MalformedError
from anchor.events import BatchRevoked
from anchor.model import KeyScope, StatusPosition, to_hex, to_utc
from anchor.status import LIST_SIZE
from registry.cli.common import HomeOption, ask_passphrase, read_input
from registry.cli.incident_facts import cut_off_of, own_history, own_issuer, own_key, sent_from_here
from registry.cli.incident_options import DryRunFlag, KeyArgument, NewOption, SinceOption
from registry.cli.incident_steps import Lead, Sender, Step, compromise_step, key_reference, key_steps, settings_step
from registry.cli.writing import EXIT_HELP, KeyOption, PrintCallFlag, YesFlag, read_address
from registry.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anchor.history import IssuerHistory
    from anchor.model import Address, Key
    from registry.services.incidents.status_key import StatusKeyTheft
    from registry.services.status_plan import Step as Transaction
    from registry.workplace import Workplace

HELP: Final = f"""Somebody else may have a status key: undo what he did with it, and let what was right count on.

Proves the registry's whole history. Right is what other keys did, what this key did before the theft, and what it did
since then by transactions that are in this folder's database; everything else is the thief's. A new key repeats what is
right for the next status epoch; then the stolen one is declared compromised, and from that moment on the next epoch
counts: what the thief revoked or suspended is valid again, what he reinstated is suspended again. If it was declared
compromised already, so that honest revocations count no longer, they are repeated at once.

Shows first which credentials that concerns. What the stolen key did rightly from elsewhere is named with --keep: a file
with a status position on each line, LIST,INDEX, as credanchor audit --format csv has them.

Nobody should change statuses until it is done. The same command again does the rest.

{EXIT_HELP}

Examples:

  credanchor incident status-key status --since 2026-11-27T08:00:00Z --new status-2 --key controller --dry-run

  credanchor incident status-key status --since 2026-11-27T08:00:00Z --new status-2 --key controller
"""

_SHOWN: Final = 10
"""Credentials named on the screen; --json names all."""
_ROUNDS: Final = 3
_MAX_KEEP_BYTES: Final = 2**24


def command(
    target: KeyArgument,
    since: SinceOption,
    new: NewOption,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FILE", help="Positions, LIST,INDEX, whose changes were right.")
    ] = None,
    key: KeyOption = None,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    only_print: PrintCallFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Somebody else may have a status key."""
    from registry.services.incidents.status_key import inspect_status_key, staging_steps, wrongly_staged
    from registry.workplace import Workplace

    kept = () if keep is None else _positions(read_input(keep, "the list of what was right", _MAX_KEEP_BYTES))
    place = Workplace(home, ask_passphrase)
    own_issuer(place)  # else a folder that is none seems only to lack the key
    stolen = read_address(target, place)

    def inspect() -> tuple[StatusKeyTheft, tuple[Transaction, ...]]:
        issuer = own_history(place)
        _require_epoch_that_counts(issuer, record)
        theft = inspect_status_key(issuer, stolen, cut_off, sent_from_here(place), kept)
        _require_nothing_wrong(wrongly_staged(issuer, theft))
        return theft, staging_steps(issuer, place.registry, theft)

    with error_console.status("asking the node"):
        record = own_key(place, stolen)
        if record.scope != KeyScope.STATUS.value:
            raise ConflictError("this is an anchoring key", advice="See credanchor incident anchor-key --help.")
        cut_off = cut_off_of(place, record, since)
        controller = place.governance.issuer(record.issuer_id).record.controller
        theft, transactions = inspect()
        steps = [
            *key_steps(place, stolen, new, KeyScope.STATUS, key, next_epoch=record.compromised_at == 0),
            _staging_step(theft, transactions, lambda: _stage(place, new, lambda: inspect()[1])),
            compromise_step(place, stolen, record, cut_off, key),
            settings_step(place, "status_key", new),
        ]
    lead = Lead(
        name="statusKey",
        sender=Sender(key=key, account=controller),
        title="undo the theft of a status key",
        facts=_facts(stolen, cut_off, theft),
        details=_details(stolen, cut_off, theft),
    )
    lead.through(place, steps, yes=yes, dry_run=dry_run, only_print=only_print, as_json=as_json)


def _require_nothing_wrong(wrong: Sequence[StatusPosition]) -> None:
    if wrong:
        raise ConflictError(
            f"the next status epoch revokes {len(wrong)} credentials that nothing honest revokes, and that cannot be "
            "taken back there",
            advice="Declare the key that staged it compromised (issuer key compromise): that skips its epoch. "
            "Then the same command again, with a new key.",
        )


def _require_epoch_that_counts(issuer: IssuerHistory, record: Key) -> None:
    if record.compromised_at or record.status_epoch == issuer.record.status_epoch:
        return
    if record.status_epoch == issuer.next_status_epoch:
        raise ConflictError(
            "this key writes the next status epoch, which does not count yet",
            advice="Declare it compromised: its epoch is skipped. credanchor issuer key compromise",
        )
    raise ConflictError("this key's status epoch is over: nothing that it did counts any more")


def _staging_step(theft: StatusKeyTheft, transactions: Sequence[Transaction], stage: Callable[[], None]) -> Step:
    count = "1 transaction" if len(transactions) == 1 else f"{len(transactions):,} transactions"
    what = (
        f"repeat with the new key {len(theft.revoked):,} revocations, {len(theft.suspended):,} suspensions and "
        f"{len(theft.batches):,} of whole batches, in {count}, and prove that all is there"
    )
    return Step(what=what, is_done=not transactions, do=stage, is_first=True)


def _stage(place: Workplace, new: str, left: Callable[[], Sequence[Transaction]]) -> None:
    """Send what the new key's epoch lacks, until nothing is left."""
    from registry.wiring import Institution, now

    service = Institution(place.home, place.passphrase).status_by(key_reference(new))
    for _ in range(_ROUNDS):
        # Of an earlier run, something may be signed and not sent.
        service.settle_earlier()
        transactions = left()
        if not transactions:
            return
        for each in transactions:
            service.planner.check(each, service.settle(service.send(each, now=now())))
    if left():
        raise LedgerError("statuses are changed all the time, and the new key's epoch does not have all of it")


def _facts(stolen: Address, cut_off: int, theft: StatusKeyTheft) -> list[tuple[str, str]]:
    honest = f"{len(theft.revoked):,} revoked, {len(theft.suspended):,} suspended, {len(theft.batches):,} whole batches"
    restored = f"{len(theft.restored):,} credentials and {len(theft.restored_batches):,} whole batches"
    return [
        ("key", f"{to_hex(stolen)}, stolen since {to_utc(cut_off)}"),
        ("right", f"{honest}: these count on"),
        ("thief’s", f"{len(theft.doubtful):,} transactions that this folder does not know"),
        ("restored", f"{restored} are valid again"),
        *(("", f"list {each.status_list}, index {each.index}") for each in theft.restored[:_SHOWN]),
        *(("", f"and {len(theft.restored) - _SHOWN:,} more; --json names all") for _ in theft.restored[_SHOWN:][:1]),
        *(("", f"batch {to_hex(root)}") for root in theft.restored_batches),
        ("suspended", f"{len(theft.again_suspended):,} credentials that the thief reinstated are suspended again"),
    ]


def _details(stolen: Address, cut_off: int, theft: StatusKeyTheft) -> dict[str, Any]:
    return {
        "key": to_hex(stolen),
        "since": cut_off,
        "honest": {"revoked": len(theft.revoked), "suspended": len(theft.suspended), "batches": len(theft.batches)},
        "doubtful": [
            {
                "transaction": to_hex(event.log.transaction_hash),
                "at": event.at,
                "event": event.kind,
                "reason": event.reason,
                "root": to_hex(event.root) if isinstance(event, BatchRevoked) else None,
            }
            for event in theft.doubtful
        ],
        "restored": [_place(each) for each in theft.restored],
        "restoredBatches": [to_hex(root) for root in theft.restored_batches],
        "suspendedAgain": [_place(each) for each in theft.again_suspended],
    }


def _place(position: StatusPosition) -> dict[str, int]:
    return {"list": position.status_list, "index": position.index}


def _positions(data: bytes) -> tuple[StatusPosition, ...]:
    found = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if not line.strip():
            continue
        status_list, _, index = (part.strip() for part in line.partition(","))
        if not (status_list.isascii() and status_list.isdigit() and index.isascii() and index.isdigit()):
            raise MalformedError(f"line {number} is no status position", advice="Write LIST,INDEX, such as 7,94567.")
        if int(index) >= LIST_SIZE or len(status_list) > len(str(2**32)) or int(status_list) >= 2**32:
            raise MalformedError(f"line {number}: there is no such list or index")
        found.append(StatusPosition(status_list=int(status_list), index=int(index)))
    return tuple(found)
