"""What happened in a registry: each issuer's events, what they led to, and who governed it when.

Built by `anchor.replay` alone. Whether it is all that happened, `anchor.audit.check_complete` tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from anchor.errors import HistoryError
from anchor.events import AnyEvent, StatusChanged, StatusEpochChanged
from anchor.model import ZERO_HASH, Address, Batch, Hash32, Issuer, Key, RegistryId, StatusPosition
from anchor.status import StatusPurpose, mask_of, positions_of, word_of

ADMIN_ROLE: Final = ZERO_HASH
"""OpenZeppelin's `DEFAULT_ADMIN_ROLE`: grants and takes roles; one account has it, or nobody."""
ACCREDITOR_ROLE: Final = Hash32(keccak(b"credanchor/role/accreditor"))


class StatusWord(NamedTuple):
    """Which word of an issuer's status bits, in which status epoch."""

    epoch: int
    status_list: int
    word: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTenure:
    """That an account had a role."""

    role: Hash32
    account: Address
    since: int
    until: int | None
    """None: it still has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochChange:
    """That other status epochs count, and what is no longer so because of that.

    Empty when the epoch that counts stayed, and only the one to come next was skipped.
    """

    event: StatusEpochChanged
    unrevoked: tuple[StatusPosition, ...]
    """Credentials that were revoked before, and are not in the epoch that counts now."""
    unsuspended: tuple[StatusPosition, ...]
    unrevoked_batches: tuple[Hash32, ...]
    """Roots of batches that were revoked as a whole before, and are not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerHistory:
    """One issuer: everything that happened, and what it led to."""

    issuer_id: int
    did: str
    did_hash: Hash32
    record: Issuer
    head: Hash32
    pending_controller: Address | None
    """Who was offered control and has not accepted; None: nobody."""
    next_status_epoch: int
    keys: Mapping[Address, Key]
    batches: Mapping[Hash32, Batch]
    """By root, in the order of anchoring; of a root that was anchored again only the last."""
    bits: Mapping[StatusPurpose, Mapping[StatusWord, int]]
    """Status words that were ever written, of every status epoch."""
    events: tuple[AnyEvent, ...]
    epoch_changes: tuple[EpochChange, ...]
    changes: Mapping[tuple[int, int], tuple[StatusChanged, ...]]
    """Status changes by list and word, in order."""

    def positions(self, purpose: StatusPurpose) -> tuple[StatusPosition, ...]:
        """List the credentials whose bit is set in the status epoch that counts, in order of list and index."""
        words = self.bits[purpose].items()
        return set_positions({place: mask for place, mask in words if place.epoch == self.record.status_epoch})

    def changes_of(self, position: StatusPosition) -> tuple[StatusChanged, ...]:
        """List what happened to the status of one credential, in order; of every status epoch."""
        word = word_of(position.index)
        return tuple(
            change
            for change in self.changes.get((position.status_list, word), ())
            if change.masks[change.words.index(word)] & mask_of(position.index)
        )

    def void_batches(self) -> tuple[Hash32, ...]:
        """List the roots whose anchoring is void, because their key was declared compromised since then or before."""
        # Each key's once, not each batch's: there are many more of these.
        cut_offs = {address: key.cut_off for address, key in self.keys.items()}
        return tuple(
            root
            for root, batch in self.batches.items()
            if (cut_off := cut_offs[batch.key]) is not None and cut_off <= batch.anchored_at
        )

    def revoked_batches(self) -> tuple[Hash32, ...]:
        """List the roots of batches that are revoked as a whole."""
        return tuple(root for root, batch in self.batches.items() if batch.is_revoked_in(self.record.status_epoch))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that happened in a registry, as replayed. Whether it is complete, `check_complete` tells."""

    registry: RegistryId
    issuers: tuple[IssuerHistory, ...]
    """Issuer 1 first."""
    registry_head: Hash32
    tenures: tuple[RoleTenure, ...]
    """Who had which role, in the order of granting."""
    events: Sequence[AnyEvent]
    """Of the registry and all issuers, in the order of the chain."""

    def issuer(self, issuer_id: int) -> IssuerHistory:
        """Look up an issuer by number; raise `HistoryError` if there is none."""
        if not 1 <= issuer_id <= len(self.issuers):
            raise HistoryError(f"the registry has no issuer {issuer_id}")
        return self.issuers[issuer_id - 1]

    def changes_of(self, issuer_id: int, position: StatusPosition) -> tuple[StatusChanged, ...]:
        """List what happened to the status of one credential, in order; raise `HistoryError` for no such issuer."""
        return self.issuer(issuer_id).changes_of(position)

    def members(self, role: Hash32) -> tuple[Address, ...]:
        """List the accounts that have a role now, in the order of granting."""
        return tuple(each.account for each in self.tenures if each.role == role and each.until is None)


def is_void(batch: Batch, keys: Mapping[Address, Key]) -> bool:
    """Tell whether an anchoring is void: its key has a cut-off at or before it."""
    cut_off = keys[batch.key].cut_off
    return cut_off is not None and cut_off <= batch.anchored_at


def set_positions(words: Mapping[StatusWord, int]) -> tuple[StatusPosition, ...]:
    """List the positions whose bits are set in some words of one status epoch, in order of list and index."""
    return tuple(
        position
        for place, mask in sorted(words.items())
        for position in positions_of(place.status_list, place.word, mask)
    )
