"""A stolen anchoring key: which of its batches stay good, which become void, and which of those are the institution's.

Pure, over a history that was proven whole and what the database has. A thief's batch is one that the database does not
have: it was never sealed here, so nothing of it is ever anchored again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from anchor.events import BatchAnchored
from anchor.history import IssuerHistory
from anchor.model import Address, Batch, Hash32
from registry.store.records import BatchRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorKeyTheft:
    """What a cut-off comes to."""

    good: Mapping[Hash32, Batch]
    """Anchored by the key before the cut-off: these credentials stay valid."""
    own: tuple[BatchRecord, ...]
    """Void by the cut-off, and the institution's own: to be anchored again, under the same root."""
    foreign: Mapping[Hash32, Batch]
    """Void by the cut-off, and nobody's here: the thief's, or sealed with another database."""
    repaired: tuple[BatchRecord, ...]
    """The institution's own that were anchored again already, by a key that holds."""
    revoked: tuple[BatchRecord, ...]
    """Void by the cut-off, the institution's own, and revoked as a whole: the contract does not take them again."""


def inspect_anchor_key(
    issuer: IssuerHistory, key: Address, since: int, sealed: Iterable[BatchRecord]
) -> AnchorKeyTheft:
    """Sort what a key has anchored.

    Args:
        issuer: Its issuer, of a history proven whole.
        key: The stolen key.
        since: The cut-off, Unix seconds: what it anchored from here on is void.
        sealed: The issuer's batches in the database.
    """
    own = {batch.root: batch for batch in sealed}
    of_key = {root: batch for root, batch in issuer.batches.items() if batch.key == key}
    void = {root: batch for root, batch in of_key.items() if batch.anchored_at >= since}
    once_void = {
        event.root
        for event in issuer.events
        if isinstance(event, BatchAnchored) and event.actor == key and event.at >= since
    }
    again = {root: own[root] for root in issuer.batches if root in own and root in once_void - of_key.keys()}
    # Anchored again by a key that was stolen, too, it is as void as before.
    void_again = {root: again[root] for root in issuer.void_batches() if root in again}
    mine = {root: own[root] for root, batch in void.items() if root in own and own[root].size == batch.size}
    revoked = set(issuer.revoked_batches())
    return AnchorKeyTheft(
        good={root: batch for root, batch in of_key.items() if root not in void},
        own=tuple(batch for root, batch in (void_again | mine).items() if root not in revoked),
        foreign={root: batch for root, batch in void.items() if root not in mine},
        repaired=tuple(batch for root, batch in again.items() if root not in void_again),
        revoked=tuple(batch for root, batch in (void_again | mine).items() if root in revoked),
    )
