"""What the explorer shows of rows of the database: events, issuers, batches, and what of a position counts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from anchor.errors import HistoryError
from anchor.events import BatchAnchored, BatchRevoked
from anchor.logs import parse_log
from anchor.model import Batch, Hash32, Key
from anchor.status import StatusPurpose
from registry.services.explorer.content import read_issuer
from registry.services.explorer.views import BatchView, EventView, IssuerView
from registry.store.ledger_events import EventRow, WordChange
from registry.store.ledger_issuers import IssuerRow

_PURPOSES: Final = {
    "credentialsRevoked": StatusPurpose.REVOCATION,
    "credentialsSuspended": StatusPurpose.SUSPENSION,
    "credentialsReinstated": StatusPurpose.SUSPENSION,
}


def issuer_view(row: IssuerRow) -> IssuerView:
    """Read an issuer."""
    return read_issuer(row.issuer_id, row.did_hash, row.content)


def event_of(row: EventRow) -> EventView:
    """Read an event that is kept.

    Raises:
        HistoryError: It is none: the database was changed.
    """
    event = parse_log(row.log)
    if event is None:
        raise HistoryError(f"{row.log.place}: no event of a registry")
    return EventView(number=row.number, event=event, credentials=row.credentials)


def views_of(rows: Collection[EventRow]) -> tuple[EventView, ...]:
    """Read events that are kept."""
    return tuple(map(event_of, rows))


def root_of(row: EventRow) -> Hash32:
    """Tell the root that an anchoring is of."""
    event = event_of(row).event
    assert isinstance(event, BatchAnchored)  # noqa: S101 - what was asked for
    return event.root


def batch_view(issuer: IssuerView, root: Hash32, views: tuple[EventView, ...]) -> BatchView:
    """Show a batch, from the events that name its root."""
    number, anchored, revoked = 0, None, None
    for view in views:
        if isinstance(view.event, BatchAnchored):
            number, anchored, revoked = view.number, view.event, None
        elif isinstance(view.event, BatchRevoked):
            revoked = view.event
    assert anchored is not None  # noqa: S101 - the replay lets nothing be revoked that was not anchored
    batch = Batch(
        key=anchored.actor,
        anchored_at=anchored.at,
        size=anchored.size,
        revoked_reason=0 if revoked is None else revoked.reason,
        revoked_epoch=0 if revoked is None else revoked.epoch,
    )
    key = next(each.key for each in issuer.keys if each.address == batch.key)
    return BatchView(
        issuer=issuer,
        root=root,
        number=number,
        batch=batch,
        key=key,
        is_void=_is_void(batch, key),
        is_revoked=batch.is_revoked_in(issuer.record.status_epoch),
        events=views,
    )


def _is_void(batch: Batch, key: Key) -> bool:
    return key.cut_off is not None and key.cut_off <= batch.anchored_at


def counting(changes: Collection[WordChange], epoch: int) -> dict[StatusPurpose, int]:
    """Name the events that set what is set in a status epoch."""
    counting: dict[StatusPurpose, int] = {}
    for change in changes:
        if change.epoch == epoch:
            purpose = _PURPOSES[change.kind]
            if change.kind == "credentialsReinstated":
                counting.pop(purpose, None)
            else:
                counting[purpose] = change.number
    return counting
