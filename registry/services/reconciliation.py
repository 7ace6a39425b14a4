"""Reconciliation: what an institution's database says, held against the ledger's history, each difference named.

Pure, over a history that was proven whole. What is on its way is no difference. A change that the ledger has and the
database has not was made by whoever has the key: another program with another database, or a thief; which of the two,
only the institution knows. Nobody is named: credentials are status positions here, as on the ledger.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from anchor.events import (
    BatchAnchored,
    BatchRevoked,
    ControllerTransferred,
    ControllerTransferStarted,
    CredentialsRevoked,
    StatusChanged,
)
from anchor.history import IssuerHistory
from anchor.model import Address, Hash32, KeyScope, StatusPosition, to_utc
from anchor.status import LIST_SIZE, StatusPurpose, positions_of
from registry.services.differences import Difference, DifferenceKind
from registry.store.reconciliation import AskedRevocation, AskedStatus
from registry.store.records import BatchRecord, BatchState

_SEALED_SECONDS: Final = 3600
"""So long a batch may be sealed before it is anchored: its transaction is about to be sent, or waits for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What the institution has of its own."""

    did: str
    anchor_key: Address
    status_key: Address
    controller: Address | None
    """Who is to control the issuer; None: that is not settled, and is not compared."""
    batches: tuple[BatchRecord, ...]
    revocations: tuple[AskedRevocation, ...]
    transactions: Collection[Hash32]
    """Hashes of all that it ever signed."""


def reconcile(issuer: IssuerHistory, own: Own, statuses: Iterable[AskedStatus], *, now: int) -> Iterator[Difference]:
    """Name each difference between an institution's database and the ledger.

    Args:
        issuer: Its history, proven whole, with all events.
        own: What the database and the settings say.
        statuses: What was asked for credentials, in order of list and index; read once, as it is wanted.
        now: The time of the block up to which the history goes, Unix seconds.
    """
    yield from _settings(issuer, own, now)
    yield from _control(issuer, own)
    yield from _batches(issuer, own, now)
    yield from _revoked_batches(issuer, own)
    yield from _statuses(issuer, own, statuses)


def _settings(issuer: IssuerHistory, own: Own, now: int) -> Iterator[Difference]:
    if issuer.did != own.did:
        yield Difference(kind=DifferenceKind.OTHER_DID, detail=issuer.did)
    if 0 < issuer.record.withdrawn_at <= now:
        yield Difference(kind=DifferenceKind.WITHDRAWN, detail=f"since {to_utc(issuer.record.withdrawn_at)}")
    for address, scope in ((own.anchor_key, KeyScope.ANCHOR), (own.status_key, KeyScope.STATUS)):
        key, name = issuer.keys.get(address), scope.name.lower()
        if key is None:
            yield Difference(kind=DifferenceKind.NO_SUCH_KEY, key=address, detail=f"for {name}")
        elif key.cut_off is not None and key.cut_off <= now:
            yield Difference(kind=DifferenceKind.KEY_ENDED, key=address, detail=f"for {name}")
        elif key.scope != scope.value:
            yield Difference(kind=DifferenceKind.WRONG_KEY, key=address, detail=f"it is not for {name}")
        elif scope is KeyScope.STATUS and key.status_epoch != issuer.record.status_epoch:
            epochs = f"it writes status epoch {key.status_epoch}, and {issuer.record.status_epoch} counts"
            yield Difference(kind=DifferenceKind.WRONG_KEY, key=address, detail=epochs)


def _control(issuer: IssuerHistory, own: Own) -> Iterator[Difference]:
    controller, pending = issuer.record.controller, issuer.pending_controller
    if pending is not None and pending == own.controller:
        return  # it is being handed over as was settled
    if own.controller not in {None, controller}:
        taken = [each for each in issuer.events if isinstance(each, ControllerTransferred)]
        yield Difference(
            kind=DifferenceKind.OTHER_CONTROLLER,
            key=controller,
            transaction=taken[-1].log.transaction_hash if taken else None,
            detail=f"since {to_utc(taken[-1].at)}" if taken else "since the accreditation",
        )
    if pending is not None:
        offer = [each for each in issuer.events if isinstance(each, ControllerTransferStarted)][-1]
        yield Difference(
            kind=DifferenceKind.CONTROL_OFFERED,
            key=pending,
            transaction=offer.log.transaction_hash,
            detail=f"offered {to_utc(offer.at)}",
        )


def _batches(issuer: IssuerHistory, own: Own, now: int) -> Iterator[Difference]:
    sealed = {batch.root: batch for batch in own.batches}
    void = set(issuer.void_batches())
    for root, record in sealed.items():
        batch = issuer.batches.get(root)
        if batch is None:
            if record.state is BatchState.ANCHORED:
                yield Difference(kind=DifferenceKind.NOT_ON_LEDGER, root=root)
            elif record.state is BatchState.FAILED or (
                record.state is BatchState.SEALED and record.sealed_at + _SEALED_SECONDS < now
            ):
                yield Difference(kind=DifferenceKind.NEVER_ANCHORED, root=root, detail=record.failure or "")
        elif batch.size != record.size:
            # Nothing here anchors by the root alone: then, too, verifiers take each credential for altered.
            sizes = f"{batch.size or 'not stated'} on the ledger, {record.size} here"
            yield Difference(kind=DifferenceKind.OTHER_SIZE, root=root, key=batch.key, detail=sizes)
        elif root in void and not batch.is_revoked_in(issuer.record.status_epoch):
            # Revoked as well, it cannot be anchored again, and need not.
            yield Difference(kind=DifferenceKind.VOID, root=root, key=batch.key)
        elif record.state is not BatchState.ANCHORED:
            yield Difference(kind=DifferenceKind.NOT_NOTED, root=root)
    anchored = {event.root: event for event in issuer.events if isinstance(event, BatchAnchored)}
    for root, batch in issuer.batches.items():
        if root not in sealed:
            detail = f"{batch.size or 'unstated number of'} credentials, {to_utc(batch.anchored_at)}"
            kind = DifferenceKind.FOREIGN_VOID if root in void else DifferenceKind.FOREIGN_BATCH
            transaction = anchored[root].log.transaction_hash
            yield Difference(kind=kind, root=root, key=batch.key, transaction=transaction, detail=detail)


def _revoked_batches(issuer: IssuerHistory, own: Own) -> Iterator[Difference]:
    revoked = set(issuer.revoked_batches())
    asked = {each.root: each for each in own.revocations}
    last = {event.root: event for event in issuer.events if isinstance(event, BatchRevoked)}
    for root in sorted(revoked - asked.keys()):
        event = last[root]
        if event.log.transaction_hash not in own.transactions:
            yield Difference(
                kind=DifferenceKind.BATCH_REVOKED_ELSEWHERE,
                root=root,
                key=event.actor,
                transaction=event.log.transaction_hash,
            )
    for root, each in asked.items():
        if root not in revoked and not each.is_open:
            yield Difference(kind=DifferenceKind.BATCH_REVOCATION_MISSING, root=root)


def _statuses(issuer: IssuerHistory, own: Own, statuses: Iterable[AskedStatus]) -> Iterator[Difference]:
    revoked, suspended = (
        set(issuer.positions(purpose)) for purpose in (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION)
    )
    changes = _LastChanges(issuer)
    ranges = sorted((batch.first_position, batch.first_position + batch.size) for batch in own.batches)
    for asked in statuses:
        place = asked.position
        is_revoked, is_suspended = place in revoked, place in suspended
        revoked.discard(place)
        suspended.discard(place)
        if asked.is_open:
            continue
        if is_revoked != asked.is_revoked:
            kind = DifferenceKind.REVOKED_ELSEWHERE if is_revoked else DifferenceKind.REVOCATION_MISSING
            yield changes.named(kind, place, StatusPurpose.REVOCATION)
        if is_suspended != asked.is_suspended:
            kind = DifferenceKind.SUSPENDED_ELSEWHERE if is_suspended else DifferenceKind.REINSTATED_ELSEWHERE
            yield changes.named(kind, place, StatusPurpose.SUSPENSION)
    # What is left nobody ever asked for here.
    for positions, kind, purpose in (
        (revoked, DifferenceKind.REVOKED_ELSEWHERE, StatusPurpose.REVOCATION),
        (suspended, DifferenceKind.SUSPENDED_ELSEWHERE, StatusPurpose.SUSPENSION),
    ):
        for place in sorted(positions):
            found = kind if _is_within(ranges, place) else DifferenceKind.UNKNOWN_POSITION
            yield changes.named(found, place, purpose)


class _LastChanges:
    """Finds who changed a status last; goes through the events once, and only if somebody asks."""

    def __init__(self, issuer: IssuerHistory) -> None:
        self._issuer: Final = issuer
        self._found: dict[tuple[bool, StatusPosition], StatusChanged] | None = None

    def named(self, kind: DifferenceKind, place: StatusPosition, purpose: StatusPurpose) -> Difference:
        """Name a difference, and who made it."""
        if self._found is None:
            self._found = dict(self._read())
        last = self._found.get((purpose is StatusPurpose.REVOCATION, place))
        if kind is DifferenceKind.REVOCATION_MISSING or last is None:
            return Difference(kind=kind, position=place)
        return Difference(
            kind=kind, position=place, key=last.actor, transaction=last.log.transaction_hash, detail=to_utc(last.at)
        )

    def _read(self) -> Iterator[tuple[tuple[bool, StatusPosition], StatusChanged]]:
        for event in self._issuer.events:
            if isinstance(event, StatusChanged) and event.epoch == self._issuer.record.status_epoch:
                is_revocation = isinstance(event, CredentialsRevoked)
                for word, mask in zip(event.words, event.masks, strict=True):
                    for place in positions_of(event.status_list, word, mask):
                        yield (is_revocation, place), event


def _is_within(ranges: Sequence[tuple[int, int]], place: StatusPosition) -> bool:
    """Tell whether a position is within one of ranges that are in order and do not overlap."""
    number = place.status_list * LIST_SIZE + place.index
    at = bisect_right(ranges, number, key=lambda each: each[0]) - 1
    return at >= 0 and number < ranges[at][1]
