"""Which status counts while an issuer's events go by: of single credentials, and of batches revoked as a whole.

The one place that says how events add up to what a verifier would have found at their time. It may be given all of an
issuer's events, or those that can matter for what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchor.events import AnyEvent, BatchRevoked, StatusChanged, StatusEpochChanged
from anchor.history import StatusWord
from anchor.model import Hash32
from anchor.status import StatusPurpose
from registry.services.doings import purpose_of


class CountingStatus:
    """What counts after the events that were taken so far; memory for the bits that were ever set."""

    def __init__(self) -> None:
        self._epoch = 0
        self._bits: dict[StatusPurpose, dict[StatusWord, int]] = {purpose: {} for purpose in StatusPurpose}
        self._revoked: dict[Hash32, int] = {}

    def take(self, event: AnyEvent) -> None:
        """Take the next event."""
        match event:
            case StatusEpochChanged():
                self._epoch = event.epoch
            case BatchRevoked():
                self._revoked[event.root] = event.epoch
            case StatusChanged():
                bits = self._bits[purpose_of(event)]
                for word, mask in zip(event.words, event.masks, strict=True):
                    place = StatusWord(event.epoch, event.status_list, word)
                    # Events carry the bits that really changed.
                    bits[place] = bits.get(place, 0) ^ mask
            case _:
                pass

    def word(self, purpose: StatusPurpose, status_list: int, word: int) -> int:
        """Give the bits of a word that are set."""
        return self._bits[purpose].get(StatusWord(self._epoch, status_list, word), 0)

    def is_revoked(self, root: Hash32) -> bool:
        """Tell whether a batch is revoked as a whole: in the epoch that counts, or in one after it."""
        return self._revoked.get(root, -1) >= self._epoch

    def revoked_batches(self) -> Iterator[Hash32]:
        """List the batches that are revoked as a whole."""
        return (root for root, epoch in self._revoked.items() if epoch >= self._epoch)
