"""How a proven history looks: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from rich.table import Table

from anchor.audit import History, IssuerHistory
from anchor.cli.output import console, plain, printable
from anchor.cli.verdicts import basis_content, basis_words
from anchor.events import AnyEvent, BatchAnchored, IssuerAccredited, KeyAdded, StatusChanged
from anchor.model import Basis, KeyScope, StatusPosition, to_hex, to_utc
from anchor.status import StatusPurpose, StatusReason, positions_of

FORMAT: Final = "credanchor/audit@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_LABELS: Final = {
    "issuerAccredited": "issuer accredited",
    "keyAdded": "key added",
    "batchAnchored": "batch anchored",
    "credentialsRevoked": "[red]revoked[/]",
    "credentialsSuspended": "[yellow]suspended[/]",
    "credentialsReinstated": "[green]reinstated[/]",
}
_SHOWN_POSITIONS: Final = 3
"""Status positions named in one row of the table; JSON and CSV name them all."""


def print_history(history: History, basis: Basis, did: str | None) -> None:
    """Print the issuers, then every event in order, then what proves that there are no others."""
    table = Table("block", "time", "issuer", "event", "what", "reason", "by", box=None, pad_edge=False)
    for event in _events(history, did):
        table.add_row(
            str(event.log.block_number),
            to_utc(event.at),
            str(event.issuer_id),
            _LABELS[event.kind],
            printable(_what(event)),
            _reason(event) if isinstance(event, StatusChanged) else "",
            to_hex(event.actor)[:10] + "…",
        )
    console.print(table)
    for issuer in _issuers(history, did):
        counts = _counts(issuer)
        console.print(
            f"issuer {issuer.issuer_id}, {printable(issuer.did)}: {counts['credentials']} credentials anchored "
            f"in {counts['batches']} batch{'' if counts['batches'] == 1 else 'es'}, {counts['revoked']} revoked, "
            f"{counts['suspended']} suspended now"
        )
    console.print(
        f"[bold green]✔ COMPLETE[/]  {len(history.events)} events lead to the heads in the contract's state; "
        "none is missing, altered or invented"
    )
    console.print(f"  rests on {printable(basis_words(basis))}")


def history_content(history: History, basis: Basis, did: str | None) -> dict[str, Any]:
    """Give a history as a JSON document."""
    return {
        "format": FORMAT,
        "complete": True,
        "basis": basis_content(basis),
        "registryHead": to_hex(history.registry_head),
        "issuers": [
            {"issuer": each.issuer_id, "did": each.did, "head": to_hex(each.head), **_counts(each)}
            for each in _issuers(history, did)
        ],
        "events": [_event_content(event) for event in _events(history, did)],
    }


def csv_text(history: History, did: str | None) -> str:
    """Give a history as CSV: one row for each event, and for status changes one for each credential."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["block", "time", "issuer", "event", "subject", "list", "index", "reason", "actor", "transaction"])
    for event in _events(history, did):
        start = [event.log.block_number, to_utc(event.at), event.issuer_id, event.kind]
        end = [to_hex(event.actor), to_hex(event.log.transaction_hash)]
        if isinstance(event, StatusChanged):
            for position in _positions(event):
                rows.writerow([*start, "", position.status_list, position.index, _reason(event), *end])
        else:
            rows.writerow([*start, plain(_subject(event)), "", "", "", *end])
    return text.getvalue()


def _event_content(event: AnyEvent) -> dict[str, Any]:
    content: dict[str, Any] = {
        "event": event.kind,
        "issuer": event.issuer_id,
        "at": event.at,
        "actor": to_hex(event.actor),
        "block": event.log.block_number,
        "transaction": to_hex(event.log.transaction_hash),
        "head": to_hex(event.head),
    }
    if isinstance(event, StatusChanged):
        content |= {
            "list": event.status_list,
            "epoch": event.epoch,
            "indices": [position.index for position in _positions(event)],
            "reason": _reason(event),
        }
    elif isinstance(event, BatchAnchored):
        content |= {"root": _subject(event), "size": event.size}
    elif isinstance(event, KeyAdded):
        content |= {"key": _subject(event), "scope": KeyScope(event.scope).name, "validFrom": event.valid_from}
    else:
        content |= {"did": _subject(event), "controller": to_hex(event.controller)}
    return content


def _what(event: AnyEvent) -> str:
    if isinstance(event, StatusChanged):
        positions = _positions(event)
        named = ", ".join(str(position.index) for position in positions[:_SHOWN_POSITIONS])
        more = f" and {len(positions) - _SHOWN_POSITIONS} more" if len(positions) > _SHOWN_POSITIONS else ""
        return f"list {event.status_list}, index {named}{more}"
    if isinstance(event, BatchAnchored):
        return f"{event.size} credentials, root {_subject(event)[:10]}…"
    if isinstance(event, KeyAdded):
        return f"{_subject(event)[:10]}… for {KeyScope(event.scope).name.lower()}"
    return _subject(event)


def _subject(event: IssuerAccredited | KeyAdded | BatchAnchored) -> str:
    if isinstance(event, BatchAnchored):
        return to_hex(event.root)
    return to_hex(event.key) if isinstance(event, KeyAdded) else event.did


def _positions(event: StatusChanged) -> list[StatusPosition]:
    return [
        position
        for word, mask in zip(event.words, event.masks, strict=True)
        for position in positions_of(event.status_list, word, mask)
    ]


def _reason(event: StatusChanged) -> str:
    return StatusReason(event.reason).label


def _counts(issuer: IssuerHistory) -> dict[str, int]:
    return {
        "batches": len(issuer.batches),
        "credentials": sum(batch.size for batch in issuer.batches.values()),
        "revoked": len(issuer.positions(StatusPurpose.REVOCATION)),
        "suspended": len(issuer.positions(StatusPurpose.SUSPENSION)),
    }


def _issuers(history: History, did: str | None) -> list[IssuerHistory]:
    return [each for each in history.issuers if did is None or each.did == did]


def _events(history: History, did: str | None) -> Iterator[AnyEvent]:
    shown = {each.issuer_id for each in _issuers(history, did)}
    return (event for event in history.events if event.issuer_id in shown)
