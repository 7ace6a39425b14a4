"""A stolen status key: which changes of status were honest, and what the next epoch must have for them to count on.

Pure, over a history that was proven whole. Honest is what other keys did, what the stolen one did before the theft, and
what it did since then by transactions that the institution itself has kept. Everything else the stolen key did counts
as the thief's, unless somebody says so of single credentials: neither program nor database can know better.

The next epoch starts empty. What is put there before the stolen key is declared compromised takes effect in the same
moment as the thief's changes lose theirs, so that no honest revocation is missing even for one block. Where somebody
declared it compromised before anything was there, the same is put into the epoch that counts by now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from anchor.events import BatchRevoked, CredentialsReinstated, CredentialsRevoked, StatusChanged
from anchor.history import IssuerHistory, StatusWord, set_positions
from anchor.ledger.contract import RegistryContract
from anchor.model import Address, Hash32, RegistryId, StatusPosition
from anchor.status import StatusPurpose, StatusReason, mask_of, positions_of, word_of
from registry.services.status_plan import Step, batch_step, words_step
from registry.store.records import StatusKind

MAX_WORDS: Final = 512
"""Of one call (`MAX_WORDS` of ICredentialRegistry.sol)."""

Bits = Mapping[StatusPosition, int]
"""For each credential the reason, a code, for which its bit is to be set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusKeyTheft:
    """What is honest, what is the thief's, and what that changes."""

    revoked: Bits
    """Honestly revoked in the epoch of the stolen key."""
    suspended: Bits
    """Honestly suspended, and not reinstated since."""
    batches: Mapping[Hash32, int]
    """Batches honestly revoked as a whole, with the reason."""
    doubtful: tuple[StatusChanged | BatchRevoked, ...]
    """By the stolen key since the theft, and not by a transaction of the institution: the thief's."""
    restored: tuple[StatusPosition, ...]
    """Credentials that the thief revoked or suspended: they are valid again in the end."""
    restored_batches: tuple[Hash32, ...]
    again_suspended: tuple[StatusPosition, ...]
    """Credentials that the thief reinstated: they are suspended again in the end."""
    target_epoch: int
    """The status epoch that must have what is honest."""


def inspect_status_key(
    issuer: IssuerHistory,
    key: Address,
    since: int,
    own_transactions: Collection[Hash32],
    kept: Collection[StatusPosition] = (),
) -> StatusKeyTheft:
    """Tell honest changes of the stolen key's epoch from the thief's.

    Args:
        issuer: Its issuer, of a history proven whole.
        key: The stolen key.
        since: When it was stolen at the earliest, Unix seconds.
        own_transactions: Hashes of the institution's own transactions.
        kept: Credentials of which somebody says that what the stolen key did to them was right after all.
    """
    epoch, is_over = issuer.keys[key].status_epoch, issuer.keys[key].status_epoch < issuer.record.status_epoch
    revoked: dict[StatusPosition, int] = {}
    suspended: dict[StatusPosition, int] = {}
    batches: dict[Hash32, int] = {}
    doubtful: list[StatusChanged | BatchRevoked] = []
    for event in issuer.events:
        # What was put into the next epoch does not count yet, so that it decides nothing here.
        if not isinstance(event, StatusChanged | BatchRevoked) or not (
            event.epoch == epoch or (event.epoch > epoch and (is_over or isinstance(event, BatchRevoked)))
        ):
            continue
        is_honest = event.actor != key or event.at < since or event.log.transaction_hash in own_transactions
        if not is_honest:
            doubtful.append(event)
        if isinstance(event, StatusChanged):
            positions = set(_positions(event))
            _apply(event, positions if is_honest else positions & set(kept), revoked, suspended)
        elif is_honest:
            batches[event.root] = event.reason
    then_revoked, then_suspended = (
        _set_in(issuer, purpose, epoch) for purpose in (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION)
    )
    wanted = revoked.keys() | suspended.keys()
    return StatusKeyTheft(
        revoked=revoked,
        suspended=suspended,
        batches=batches,
        doubtful=tuple(doubtful),
        restored=tuple(sorted((then_revoked - revoked.keys()) | (then_suspended - wanted))),
        restored_batches=tuple(
            root
            for root, batch in issuer.batches.items()
            if batch.revoked_reason and batch.revoked_epoch == epoch and root not in batches
        ),
        again_suspended=tuple(sorted(suspended.keys() - then_suspended)),
        target_epoch=issuer.record.status_epoch if is_over else issuer.next_status_epoch,
    )


def staging_steps(issuer: IssuerHistory, registry: RegistryId, theft: StatusKeyTheft) -> tuple[Step, ...]:
    """Put what the epoch that must have it lacks into transactions for its status key.

    Args:
        issuer: Its history as of now: what is there already is not sent again.
        registry: The registry.
        theft: What must count on.
    """
    contract, number, epoch = RegistryContract(registry), issuer.issuer_id, theft.target_epoch
    wrong = _set_in(issuer, StatusPurpose.SUSPENSION, epoch) - theft.suspended.keys()
    changes: tuple[tuple[StatusKind, Bits, Mapping[StatusWord, int]], ...] = (
        (StatusKind.REVOKE, theft.revoked, issuer.bits[StatusPurpose.REVOCATION]),
        (StatusKind.SUSPEND, theft.suspended, issuer.bits[StatusPurpose.SUSPENSION]),
        (StatusKind.REINSTATE, dict.fromkeys(wrong, StatusReason.OTHER.value), {}),
    )
    return (
        *(
            words_step(contract, number, kind, reason, status_list, words)
            for kind, bits, staged in changes
            for status_list, reason, words in _calls(bits, staged, epoch)
        ),
        *(
            batch_step(contract, number, root, StatusReason(code))
            for root, code in theft.batches.items()
            if not issuer.batches[root].is_revoked_in(epoch)
        ),
    )


def wrongly_staged(issuer: IssuerHistory, theft: StatusKeyTheft) -> tuple[StatusPosition, ...]:
    """List credentials that the epoch to come revokes, though nothing honest does: it cannot be taken back there."""
    return tuple(sorted(_set_in(issuer, StatusPurpose.REVOCATION, theft.target_epoch) - theft.revoked.keys()))


def _set_in(issuer: IssuerHistory, purpose: StatusPurpose, epoch: int) -> set[StatusPosition]:
    words = issuer.bits[purpose].items()
    return set(set_positions({place: mask for place, mask in words if place.epoch == epoch}))


def _apply(
    event: StatusChanged,
    positions: Collection[StatusPosition],
    revoked: dict[StatusPosition, int],
    suspended: dict[StatusPosition, int],
) -> None:
    if isinstance(event, CredentialsRevoked):
        revoked |= dict.fromkeys(positions, event.reason)
    elif isinstance(event, CredentialsReinstated):
        for position in positions:
            suspended.pop(position, None)
    else:
        suspended |= dict.fromkeys(positions, event.reason)


def _positions(event: StatusChanged) -> Iterator[StatusPosition]:
    for word, mask in zip(event.words, event.masks, strict=True):
        yield from positions_of(event.status_list, word, mask)


def _calls(
    bits: Bits, staged: Mapping[StatusWord, int], epoch: int
) -> Iterator[tuple[int, StatusReason, dict[int, int]]]:
    """Group what is not there yet by list and reason, a call's worth at a time."""
    groups: defaultdict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for position, reason in bits.items():
        word, mask = word_of(position.index), mask_of(position.index)
        if staged.get(StatusWord(epoch, position.status_list, word), 0) & mask:
            continue
        words = groups[position.status_list, reason]
        words[word] = words.get(word, 0) | mask
    for (status_list, code), words in sorted(groups.items()):
        ordered = sorted(words.items())
        for start in range(0, len(ordered), MAX_WORDS):
            yield status_list, StatusReason(code), dict(ordered[start : start + MAX_WORDS])
