"""How credentials stand on the ledger, by state proofs at one block: anchored, revoked (or their batch), suspended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anchor.errors import LedgerUnavailableError
from anchor.evidence import LedgerState, batch_slot, issuer_slot, word_slot
from anchor.model import Batch, Hash32, StatusPosition
from anchor.status import StatusPurpose, mask_of, word_of
from registry.services.find import Found
from registry.services.ledger_state import LedgerView

_EPOCHS_TRIED: Final = 4

WordKey = tuple[int, int]
"""A status list's number and a word in it."""


def key_of(position: StatusPosition) -> WordKey:
    """Name the word that holds a status position."""
    return position.status_list, word_of(position.index)


class CredentialState(Enum):
    """What status a credential has; whether it is valid is for `anchor.verify` to say."""

    NOT_ANCHORED = "notAnchored"
    BATCH_REVOKED = "batchRevoked"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    ACTIVE = "active"
    """Anchored, neither revoked nor suspended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the ledger says of some batches and words of one issuer, all at one block."""

    state: LedgerState
    """What proves it."""
    epoch: int
    """The status epoch that counts."""
    batches: Mapping[Hash32, Batch]
    revoked: Mapping[WordKey, int]
    suspended: Mapping[WordKey, int]

    def is_batch_revoked(self, root: Hash32) -> bool:
        """Tell whether a whole batch is revoked."""
        return self.batches[root].is_revoked_in(self.epoch)

    def state_of(self, root: Hash32, size: int, position: StatusPosition) -> CredentialState:
        """Tell how one credential stands.

        Args:
            root: Of its batch.
            size: Of its batch.
            position: Its status position.
        """
        batch = self.batches[root]
        if batch.anchored_at == 0 or batch.size != size:
            return CredentialState.NOT_ANCHORED
        if self.is_batch_revoked(root):
            return CredentialState.BATCH_REVOKED
        key, mask = key_of(position), mask_of(position.index)
        if self.revoked[key] & mask:
            return CredentialState.REVOKED
        return CredentialState.SUSPENDED if self.suspended[key] & mask else CredentialState.ACTIVE


def read_standing(view: LedgerView, issuer_id: int, roots: Iterable[Hash32], words: Iterable[WordKey]) -> Standing:
    """Prove how batches and words of one issuer stand.

    Args:
        view: The registry on the ledger.
        issuer_id: The issuer.
        roots: Of batches.
        words: Words of its status lists.

    Raises:
        LedgerUnavailableError: The node did not answer.
        WrongLedgerError: It serves another chain.
        UndeterminedError: Its proofs do not hold.
    """
    wanted_roots, wanted_words = sorted(set(roots)), sorted(set(words))
    certain = [issuer_slot(issuer_id), *(batch_slot(issuer_id, root) for root in wanted_roots)]
    # Where the words are depends on the epoch. The first one is the usual one, so that it is asked once.
    epoch = 0
    for _ in range(_EPOCHS_TRIED):
        slots = {
            (purpose, key): word_slot(purpose, issuer_id, epoch, *key)
            for purpose in StatusPurpose
            for key in wanted_words
        }
        state = view.state([*certain, *slots.values()])
        epoch, guessed = state.issuer(issuer_id).status_epoch, epoch
        if epoch == guessed:
            break
    else:
        raise LedgerUnavailableError("the issuer's status epoch changes again and again", advice="Try again.")
    revoked, suspended = (
        {key: state.value(slots[purpose, key]) for key in wanted_words}
        for purpose in (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION)
    )
    return Standing(
        state=state,
        epoch=epoch,
        batches={root: state.batch(issuer_id, root) for root in wanted_roots},
        revoked=revoked,
        suspended=suspended,
    )


def states_of(view: LedgerView, issuer_id: int, found: Sequence[Found]) -> tuple[CredentialState | None, ...]:
    """Prove how credentials stand; None for those of another issuer or registry, which are not asked about.

    Raises:
        LedgerUnavailableError, WrongLedgerError, UndeterminedError: As `read_standing`.
    """
    ours = [(each.batch.issuer.registry, each.batch.issuer.issuer_id) == (view.registry, issuer_id) for each in found]
    asked = [each for each, is_ours in zip(found, ours, strict=True) if is_ours]
    if not asked:
        return (None,) * len(found)
    keys = (key_of(each.credential.position) for each in asked)
    standing = read_standing(view, issuer_id, (each.batch.root for each in asked), keys)
    return tuple(
        standing.state_of(each.batch.root, each.batch.size, each.credential.position) if is_ours else None
        for each, is_ours in zip(found, ours, strict=True)
    )
