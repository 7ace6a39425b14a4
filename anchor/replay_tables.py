"""What a replay holds much of, in little memory: an issuer's batches, and its status words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Any, Final

from anchor.history import StatusWord
from anchor.model import Address, Batch, Hash32
from anchor.packed import PackedMapping
from anchor.status import WORD_BITS

_HASH_BYTES: Final = 32
_BATCH: Final = Struct(">IQIBH")
"""Number of the key, time of anchoring, size, reason and status epoch: as wide as the contract's or wider."""
_WORD: Final = Struct(">HIH")
_MASK_BYTES: Final = WORD_BITS // 8


class BatchTable(PackedMapping[Hash32, Batch]):
    """Batches by root, in the order of anchoring."""

    def __init__(self) -> None:
        super().__init__(_HASH_BYTES, _BATCH.size)
        self._keys: Final[list[Address]] = []
        """Those that anchored, each once."""
        self._numbers: Final[dict[Address, int]] = {}

    def key_to_bytes(self, key: Hash32) -> bytes:
        """Write a root."""
        return key

    def key_of_bytes(self, data: bytes) -> Hash32:
        """Read a root."""
        return Hash32(data)

    def value_to_bytes(self, value: Batch) -> bytes:
        """Write a batch."""
        number = self._numbers.setdefault(value.key, len(self._keys))
        if number == len(self._keys):
            self._keys.append(value.key)
        return _BATCH.pack(number, value.anchored_at, value.size, value.revoked_reason, value.revoked_epoch)

    def value_of_bytes(self, data: bytes) -> Batch:
        """Read a batch."""
        number, anchored_at, size, reason, epoch = _BATCH.unpack(data)
        return Batch(
            key=self._keys[number], anchored_at=anchored_at, size=size, revoked_reason=reason, revoked_epoch=epoch
        )

    def rows(self) -> Iterator[list[Any]]:
        """Give all as plain values, for `add_rows`."""
        for root, each in self.pairs():
            yield [root, each.key, each.anchored_at, each.size, each.revoked_reason, each.revoked_epoch]

    def add_rows(self, rows: Iterable[list[Any]]) -> None:
        """Add what `rows` gave."""
        for root, key, anchored_at, size, reason, epoch in rows:
            self[root] = Batch(key=key, anchored_at=anchored_at, size=size, revoked_reason=reason, revoked_epoch=epoch)


class WordTable(PackedMapping[StatusWord, int]):
    """Status words, as masks, in the order in which they were first written."""

    def __init__(self) -> None:
        super().__init__(_WORD.size, _MASK_BYTES)

    def key_to_bytes(self, key: StatusWord) -> bytes:
        """Write which word it is."""
        return _WORD.pack(*key)

    def key_of_bytes(self, data: bytes) -> StatusWord:
        """Read which word it is."""
        return StatusWord(*_WORD.unpack(data))

    def value_to_bytes(self, value: int) -> bytes:
        """Write a mask."""
        return value.to_bytes(_MASK_BYTES, "big")

    def value_of_bytes(self, data: bytes) -> int:
        """Read a mask."""
        return int.from_bytes(data, "big")

    def rows(self) -> Iterator[list[Any]]:
        """Give all as plain values, for `add_rows`."""
        for place, mask in self.pairs():
            yield [*place, mask]

    def add_rows(self, rows: Iterable[list[Any]]) -> None:
        """Add what `rows` gave."""
        for *place, mask in rows:
            self[StatusWord(*place)] = mask
