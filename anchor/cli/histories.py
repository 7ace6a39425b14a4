"""How a proven history looks: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from rich.table import Table

from anchor.cells import as_cell
from anchor.cli.cycles import no_search_for_cycles
from anchor.cli.occurrences import LABELS, Occurrence, position_words, role_name
from anchor.cli.output import console, document_pieces, plain, printable
from anchor.cli.verdicts import basis_content, basis_words
from anchor.events import IssuerEvent
from anchor.history import ACCREDITOR_ROLE, History, IssuerHistory
from anchor.model import Basis, KeyScope, to_hex, to_utc
from anchor.status import StatusPurpose, StatusReason

FORMAT: Final = "credanchor/audit@v1"
"""First member of the JSON output; a change that could break readers changes it."""

SHOWN_EVENTS: Final = 1_000
"""In the table, the last ones; who wants more reads a file."""

_LAST_COLUMNS: Final = ("transaction", "what")


class Since(NamedTuple):
    """Where an earlier audit stopped: what it proved is not shown again."""

    block_number: int
    proven: int
    """Events up to there."""


class Totals(NamedTuple):
    """What counts of an issuer now."""

    batches: int
    credentials: int
    revoked: int
    """One by one."""
    suspended: int
    revoked_whole: int
    """In batches that are revoked as a whole."""


def totals_of(issuer: IssuerHistory) -> Totals:
    """Count batches that are not void and their credentials, and single credentials' status."""
    epoch, void = issuer.record.status_epoch, set(issuer.void_batches())
    good = [batch for root, batch in issuer.batches.items() if root not in void]
    revoked, suspended = (
        sum(mask.bit_count() for place, mask in issuer.bits[purpose].items() if place.epoch == epoch)
        for purpose in (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION)
    )
    return Totals(
        len(good),
        sum(batch.size for batch in good),
        revoked,
        suspended,
        sum(batch.size for batch in good if batch.is_revoked_in(epoch)),
    )


def print_history(history: History, basis: Basis, did: str | None, since: Since | None = None) -> None:
    """Print every event in order, where that led each issuer, then what proves that there are no other events.

    Args:
        history: What is shown.
        basis: What its proof rests on.
        did: Only this issuer, if one is named.
        since: Where an earlier audit stopped, if only what came after it is shown.
    """
    if since is not None:
        console.print(f"since block {since.block_number}, up to which {since.proven:,} events were proven before:")
    table = Table("block", "time", "issuer", "event", "what", "reason", "by", box=None, pad_edge=False)
    shown = deque(_occurrences(history, did), SHOWN_EVENTS)
    for each in shown:
        table.add_row(
            str(each.event.log.block_number),
            to_utc(each.event.at),
            str(each.event.issuer_id) if isinstance(each.event, IssuerEvent) else "",
            LABELS[each.event.kind],
            printable(each.words()),
            each.reason,
            to_hex(each.event.actor)[:10] + "…",
        )
    if len(shown) == SHOWN_EVENTS:
        console.print(f"the last {SHOWN_EVENTS:,} events; --format csv has them all")
    console.print(table)
    for issuer in _issuers(history, did):
        print_issuer(issuer)
    accreditors = ", ".join(to_hex(account) for account in history.members(ACCREDITOR_ROLE))
    console.print(f"accreditors now: {accreditors or 'nobody'}")
    count = len(history.events) + (since.proven if since is not None else 0)
    console.print(
        f"[bold green]✔ COMPLETE[/]  {count} events lead to the heads in the contract's state; "
        "none is missing, altered or invented"
    )
    console.print(f"  rests on {printable(basis_words(basis))}")


def json_pieces(
    history: History, basis: Basis, did: str | None, since: Since | None = None, *, notes: Iterable[Any] = ()
) -> Iterator[str]:
    """Write a history as a JSON document, event by event: memory for one of them, whatever their number."""
    with no_search_for_cycles():
        content = {**_content(history, basis, did, since), "notes": list(notes)}
        pieces = document_pieces(content, "events", (each.content() for each in _occurrences(history, did)))
        start = next(pieces)
        del content
    yield start
    yield from pieces


def _content(history: History, basis: Basis, did: str | None, since: Since | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "complete": True,
        "since": None if since is None else {"block": since.block_number, "events": since.proven},
        "basis": basis_content(basis),
        "registryHead": to_hex(history.registry_head),
        "roles": roles_content(history),
        "issuers": [issuer_content(each) for each in _issuers(history, did)],
    }


def csv_pieces(history: History, did: str | None) -> Iterator[str]:
    """Write a history as CSV: one row for each event, and for changes of status one for each credential."""
    yield from _csv(["block", "time", "issuer", "event", "subject", "list", "index", "reason", "actor", *_LAST_COLUMNS])
    for each in _occurrences(history, did):
        event = each.event
        issuer_id = event.issuer_id if isinstance(event, IssuerEvent) else ""
        start = [event.log.block_number, to_utc(event.at), issuer_id, event.kind]
        end = [each.reason, to_hex(event.actor), to_hex(event.log.transaction_hash)]
        rows = [[*start, "", position.status_list, position.index, *end, ""] for position in each.positions]
        if not rows:
            rows = [[*start, as_cell(plain(each.subject)), "", "", *end, as_cell(plain(each.words()))]]
        if each.epoch_change is not None:
            undone = {
                "no longer revoked": each.epoch_change.unrevoked,
                "no longer suspended": each.epoch_change.unsuspended,
            }
            for what, positions in undone.items():
                rows += [[*start, "", position.status_list, position.index, *end, what] for position in positions]
            for root in each.epoch_change.unrevoked_batches:
                rows.append([*start, to_hex(root), "", "", *end, "no longer revoked"])
        yield from _csv(*rows)


def _csv(*rows: list[Any]) -> Iterator[str]:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    yield text.getvalue()


def roles_content(history: History) -> list[dict[str, Any]]:
    """Give who had which role, as members of a JSON document."""
    return [
        {"role": role_name(each.role), "account": to_hex(each.account), "since": each.since, "until": each.until}
        for each in history.tenures
    ]


def print_issuer(issuer: IssuerHistory) -> None:
    """Print where events led an issuer."""
    totals = totals_of(issuer)
    batches = f"{totals.batches} batch{'' if totals.batches == 1 else 'es'}"
    console.print(
        f"issuer {issuer.issuer_id}, {printable(issuer.did)}: {totals.credentials} credentials anchored "
        f"in {batches}, {totals.revoked} revoked, {totals.suspended} suspended now"
    )
    if issuer.record.withdrawn_at:
        console.print(f"  [red]accreditation withdrawn[/] from {to_utc(issuer.record.withdrawn_at)} on")
    for root in issuer.void_batches():
        console.print(f"  [red]void[/], anchored with a compromised key: batch {to_hex(root)}")
    for root in issuer.revoked_batches():
        console.print(f"  [red]revoked[/] as a whole: batch {to_hex(root)}")
    for change in issuer.epoch_changes:
        when = f"since status epoch {change.event.epoch} counts"
        if change.unrevoked:
            console.print(f"  no longer revoked {when}: {position_words(change.unrevoked)}")
        if change.unsuspended:
            console.print(f"  no longer suspended {when}: {position_words(change.unsuspended)}")
        for root in change.unrevoked_batches:
            console.print(f"  no longer revoked {when}: batch {to_hex(root)}")


def issuer_content(issuer: IssuerHistory) -> dict[str, Any]:
    """Give where events led an issuer, as members of a JSON document."""
    totals = totals_of(issuer)
    void, revoked, pending = set(issuer.void_batches()), set(issuer.revoked_batches()), issuer.pending_controller
    return {
        "issuer": issuer.issuer_id,
        "did": issuer.did,
        "head": to_hex(issuer.head),
        "controller": to_hex(issuer.record.controller),
        "pendingController": None if pending is None else to_hex(pending),
        "accreditedAt": issuer.record.accredited_at,
        "withdrawnAt": issuer.record.withdrawn_at or None,
        "statusEpoch": issuer.record.status_epoch,
        "nextStatusEpoch": issuer.next_status_epoch,
        "keys": [
            {
                "key": to_hex(address),
                "scope": KeyScope(key.scope).name,
                "statusEpoch": key.status_epoch,
                "validFrom": key.valid_from,
                "validUntil": key.valid_until or None,
                "compromisedAt": key.compromised_at or None,
            }
            for address, key in issuer.keys.items()
        ],
        "anchored": [
            {
                "root": to_hex(root),
                "size": batch.size,
                "key": to_hex(batch.key),
                "anchoredAt": batch.anchored_at,
                "void": root in void,
                "revoked": StatusReason(batch.revoked_reason).label if root in revoked else None,
            }
            for root, batch in issuer.batches.items()
        ],
        "batches": totals.batches,
        "credentials": totals.credentials,
        "revoked": totals.revoked,
        "suspended": totals.suspended,
    }


def _issuers(history: History, did: str | None) -> list[IssuerHistory]:
    return [each for each in history.issuers if did is None or each.did == did]


def _occurrences(history: History, did: str | None) -> Iterator[Occurrence]:
    """Go through the events: all, or those of one issuer."""
    shown = {each.issuer_id for each in _issuers(history, did)}
    for event in history.events:
        if did is None or (isinstance(event, IssuerEvent) and event.issuer_id in shown):
            yield Occurrence(history, event)
