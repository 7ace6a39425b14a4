"""Reconciliation: what an institution's database says, held against the ledger's history, each difference named.

Pure, over a history that was proven whole. What is on its way is no difference; nor is what changed while the ledger
was read: the database counts as it was before that and as it was after, and only what differs from both is named. A
change that the ledger has and the database has not was made by whoever has the key: another program with another
database, or a thief; which of the two, only the institution knows. Nobody is named: credentials are status positions
here, as on the ledger.

Status is compared word by word: what is held is bits, and who made the changes that differ. Events are gone through
once, and only if somebody is to be named.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from anchor.events import AnyEvent
from anchor.history import IssuerHistory, StatusWord
from anchor.model import Address, Hash32, KeyScope, StatusPosition, to_utc
from anchor.status import LIST_SIZE, WORD_BITS, StatusPurpose
from registry.services.differences import Difference, DifferenceKind
from registry.services.doings import LastDoings, WordOf, bits_of
from registry.store.reconciliation import AskedWord, AskedWords, OwnBatch
from registry.store.records import BatchState

_SEALED_SECONDS: Final = 3600
"""So long a batch may be sealed before it is anchored: its transaction is about to be sent, or waits for others."""
_WHOLE_WORD: Final = (1 << WORD_BITS) - 1

KnowsTransactions = Callable[[Collection[Hash32]], Collection[Hash32]]
"""Tells which of some transactions the institution ever signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What is settled of an institution, outside its database."""

    did: str
    anchor_key: Address
    status_key: Address
    controller: Address | None
    """Who is to control the issuer; None: that is not settled, and is not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What an institution's database has at one moment."""

    batches: Mapping[Hash32, OwnBatch]
    """By root, in order."""
    revocations: Mapping[Hash32, bool]
    """Of batches as a whole: whether they are still on their way."""
    statuses: AskedWords


def reconcile(
    issuer: IssuerHistory,
    events: Iterable[AnyEvent],
    settled: Settled,
    stored: tuple[Stored, Stored],
    knows: KnowsTransactions,
    *,
    now: int,
) -> Iterator[Difference]:
    """Name each difference between an institution's database and the ledger.

    Args:
        issuer: Its history, proven whole; its events may be left out.
        events: All of the registry's, in the order of the chain; read once at most.
        settled: What the settings say.
        stored: What the database had before the ledger was read, and what after that.
        knows: Asked about few transactions.
        now: The time of the block up to which the history goes, Unix seconds.
    """
    before, after = stored
    foreign = [root for root in issuer.batches if root not in before.batches and root not in after.batches]
    unasked = set(issuer.revoked_batches()) - before.revocations.keys() - after.revocations.keys()
    words = tuple(_differing_words(issuer, before, after))
    doings = LastDoings(
        issuer,
        events,
        roots=unasked.union(foreign),
        masks={place: mask for word in words for place, mask in word.changed_on_ledger()},
    )
    yield from _settings(issuer, settled, now)
    yield from _control(issuer, settled, doings)
    yield from _batches(issuer, before, after, now)
    yield from _foreign_batches(issuer, foreign, doings)
    yield from _revoked_batches(unasked, doings, knows)
    yield from _missing_revocations(issuer, before, after)
    for word in words:
        yield from word.differences(doings)


def _settings(issuer: IssuerHistory, settled: Settled, now: int) -> Iterator[Difference]:
    if issuer.did != settled.did:
        yield Difference(kind=DifferenceKind.OTHER_DID, detail=issuer.did)
    if 0 < issuer.record.withdrawn_at <= now:
        yield Difference(kind=DifferenceKind.WITHDRAWN, detail=f"since {to_utc(issuer.record.withdrawn_at)}")
    for address, scope in ((settled.anchor_key, KeyScope.ANCHOR), (settled.status_key, KeyScope.STATUS)):
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


def _control(issuer: IssuerHistory, settled: Settled, doings: LastDoings) -> Iterator[Difference]:
    controller, pending = issuer.record.controller, issuer.pending_controller
    if pending is not None and pending == settled.controller:
        return  # it is being handed over as was settled
    if settled.controller not in {None, controller}:
        taken = doings.took_control()
        yield Difference(
            kind=DifferenceKind.OTHER_CONTROLLER,
            key=controller,
            transaction=taken.transaction if taken else None,
            detail=f"since {to_utc(taken.at)}" if taken else "since the accreditation",
        )
    if pending is not None:
        offer = doings.offered_control()
        assert offer is not None  # noqa: S101 - it is pending: somebody offered it
        yield Difference(
            kind=DifferenceKind.CONTROL_OFFERED,
            key=pending,
            transaction=offer.transaction,
            detail=f"offered {to_utc(offer.at)}",
        )


def _batches(issuer: IssuerHistory, before: Stored, after: Stored, now: int) -> Iterator[Difference]:
    void = set(issuer.void_batches())
    for root, record in after.batches.items():
        found, earlier = _of_batch(issuer, record, now, is_void=root in void), before.batches.get(root)
        if found is None or earlier is None:
            continue
        if found == _of_batch(issuer, earlier, now, is_void=root in void):
            yield found


def _of_batch(issuer: IssuerHistory, record: OwnBatch, now: int, *, is_void: bool) -> Difference | None:
    root, batch = record.root, issuer.batches.get(record.root)
    if batch is None:
        if record.state is BatchState.ANCHORED:
            return Difference(kind=DifferenceKind.NOT_ON_LEDGER, root=root)
        is_late = record.state is BatchState.SEALED and record.sealed_at + _SEALED_SECONDS < now
        if is_late or record.state is BatchState.FAILED:
            return Difference(kind=DifferenceKind.NEVER_ANCHORED, root=root, detail=record.failure or "")
    elif batch.size != record.size:
        # Nothing here anchors by the root alone: then, too, verifiers take each credential for altered.
        sizes = f"{batch.size or 'not stated'} on the ledger, {record.size} here"
        return Difference(kind=DifferenceKind.OTHER_SIZE, root=root, key=batch.key, detail=sizes)
    elif is_void and not batch.is_revoked_in(issuer.record.status_epoch):
        # Revoked as well, it cannot be anchored again, and need not.
        return Difference(kind=DifferenceKind.VOID, root=root, key=batch.key)
    elif record.state is not BatchState.ANCHORED:
        return Difference(kind=DifferenceKind.NOT_NOTED, root=root)
    return None


def _foreign_batches(issuer: IssuerHistory, foreign: Sequence[Hash32], doings: LastDoings) -> Iterator[Difference]:
    void = set(issuer.void_batches()) if foreign else ()
    for root in foreign:
        batch = issuer.batches[root]
        yield Difference(
            kind=DifferenceKind.FOREIGN_VOID if root in void else DifferenceKind.FOREIGN_BATCH,
            root=root,
            key=batch.key,
            transaction=doings.anchored(root).transaction,
            detail=f"{batch.size or 'unstated number of'} credentials, {to_utc(batch.anchored_at)}",
        )


def _revoked_batches(unasked: Collection[Hash32], doings: LastDoings, knows: KnowsTransactions) -> Iterator[Difference]:
    last = {root: doings.revoked(root) for root in sorted(unasked)}
    known = set(knows([each.transaction for each in last.values()]))
    for root, each in last.items():
        if each.transaction not in known:
            yield Difference(
                kind=DifferenceKind.BATCH_REVOKED_ELSEWHERE, root=root, key=each.key, transaction=each.transaction
            )


def _missing_revocations(issuer: IssuerHistory, before: Stored, after: Stored) -> Iterator[Difference]:
    revoked = set(issuer.revoked_batches())
    for root, is_open in after.revocations.items():
        if root not in revoked and not is_open and before.revocations.get(root) is False:
            yield Difference(kind=DifferenceKind.BATCH_REVOCATION_MISSING, root=root)


class _Masks(NamedTuple):
    """In what the credentials of one word differ: a bit each."""

    revoked_elsewhere: int
    revocation_missing: int
    suspended_elsewhere: int
    reinstated_elsewhere: int
    revoked_unknown: int
    suspended_unknown: int


_NAMED: Final = (
    (DifferenceKind.REVOKED_ELSEWHERE, StatusPurpose.REVOCATION),
    (DifferenceKind.REVOCATION_MISSING, StatusPurpose.REVOCATION),
    (DifferenceKind.SUSPENDED_ELSEWHERE, StatusPurpose.SUSPENSION),
    (DifferenceKind.REINSTATED_ELSEWHERE, StatusPurpose.SUSPENSION),
    (DifferenceKind.UNKNOWN_POSITION, StatusPurpose.REVOCATION),
    (DifferenceKind.UNKNOWN_POSITION, StatusPurpose.SUSPENSION),
)
"""What each of these masks says, and of which bits."""


class _DifferingWord(NamedTuple):
    status_list: int
    word: int
    masks: _Masks

    def changed_on_ledger(self) -> Iterator[tuple[WordOf, int]]:
        """Say of which bits somebody is to be named; of a revocation that is missing, nobody."""
        for purpose in StatusPurpose:
            mask = 0
            for (kind, whose), each in zip(_NAMED, self.masks, strict=True):
                if whose is purpose and kind is not DifferenceKind.REVOCATION_MISSING:
                    mask |= each
            if mask:
                yield WordOf(purpose, self.status_list, self.word), mask

    def differences(self, doings: LastDoings) -> Iterator[Difference]:
        """Name them in order of index; of one credential, what is of revocation first."""
        named = [(*which, mask) for which, mask in zip(_NAMED, self.masks, strict=True) if mask]
        # Of each purpose, a bit is in one mask at most.
        named.sort(key=lambda each: each[1] is StatusPurpose.SUSPENSION)
        union = 0
        for _, _, mask in named:
            union |= mask
        for bit in bits_of(union):
            for kind, purpose, mask in named:
                if mask >> bit & 1:
                    yield self._difference(kind, purpose, bit, doings)

    def _difference(self, kind: DifferenceKind, purpose: StatusPurpose, bit: int, doings: LastDoings) -> Difference:
        position = StatusPosition(status_list=self.status_list, index=self.word * WORD_BITS + bit)
        last = doings.changed(WordOf(purpose, self.status_list, self.word), bit)
        if kind is DifferenceKind.REVOCATION_MISSING or last is None:
            return Difference(kind=kind, position=position)
        return Difference(
            kind=kind, position=position, key=last.key, transaction=last.transaction, detail=to_utc(last.at)
        )


def _differing_words(issuer: IssuerHistory, before: Stored, after: Stored) -> Iterator[_DifferingWord]:
    """Compare what was asked for with the bits that count, word by word, in order."""
    epoch, places, nothing = issuer.record.status_epoch, {*before.statuses, *after.statuses}, AskedWord()
    for words in issuer.bits.values():
        places.update((place.status_list, place.word) for place in words if place.epoch == epoch)
    covers = [_Coverage(each.batches.values()) for each in (before, after)]
    revoked, suspended = (issuer.bits[each] for each in (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION))
    for place in sorted(places):
        key = StatusWord(epoch, *place)
        bits = revoked.get(key, 0), suspended.get(key, 0)
        first, second = (
            _masks(bits, each.statuses.get(place, nothing), cover, place)
            for each, cover in zip((before, after), covers, strict=True)
        )
        both = _Masks(*(mask & other for mask, other in zip(first, second, strict=True)))
        if any(both):
            yield _DifferingWord(*place, both)


def _masks(bits: tuple[int, int], asked: AskedWord, covers: _Coverage, place: tuple[int, int]) -> _Masks:
    revoked, suspended = bits
    judged = _WHOLE_WORD & ~asked.open
    more_revoked, more_suspended = revoked & ~asked.revoked & judged, suspended & ~asked.suspended & judged
    known = asked.known
    if (more_revoked | more_suspended) & ~known:
        known |= covers.mask(*place)
    return _Masks(
        revoked_elsewhere=more_revoked & known,
        revocation_missing=asked.revoked & ~revoked & judged,
        suspended_elsewhere=more_suspended & known,
        reinstated_elsewhere=asked.suspended & ~suspended & judged,
        revoked_unknown=more_revoked & ~known,
        suspended_unknown=more_suspended & ~known,
    )


class _Coverage:
    """Which positions are of a batch here."""

    def __init__(self, batches: Iterable[OwnBatch]) -> None:
        self._ranges: Final = sorted((each.first_position, each.first_position + each.size) for each in batches)

    def mask(self, status_list: int, word: int) -> int:
        """Give the bits of a word that are within a batch; batches do not overlap."""
        start = status_list * LIST_SIZE + word * WORD_BITS
        at, mask = max(0, bisect_right(self._ranges, start, key=lambda each: each[0]) - 1), 0
        for first, end in self._ranges[at:]:
            if first >= start + WORD_BITS:
                break
            low, high = max(0, first - start), min(WORD_BITS, end - start)
            if low < high:
                mask |= (1 << high) - (1 << low)
        return mask
