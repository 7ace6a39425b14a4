"""What a replay holds much of, batches and status words; packed, it takes a quarter of a dictionary's memory.

Packed, each look takes about twice as long: worth it for what stays in memory, not for what ends with a command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
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


class PackedBatches(PackedMapping[Hash32, Batch]):
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


class PackedWords(PackedMapping[StatusWord, int]):
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


def batch_rows(batches: Mapping[Hash32, Batch]) -> Iterator[list[Any]]:
    """Give batches as plain values, for `put_batches`."""
    for root, each in batches.items():
        yield [root, each.key, each.anchored_at, each.size, each.revoked_reason, each.revoked_epoch]


def put_batches(batches: MutableMapping[Hash32, Batch], rows: Iterable[list[Any]]) -> None:
    """Put in what `batch_rows` gave."""
    for root, key, anchored_at, size, reason, epoch in rows:
        batches[root] = Batch(key=key, anchored_at=anchored_at, size=size, revoked_reason=reason, revoked_epoch=epoch)


def word_rows(words: Mapping[StatusWord, int]) -> Iterator[list[Any]]:
    """Give status words as plain values, for `put_words`."""
    for place, mask in words.items():
        yield [*place, mask]


def put_words(words: MutableMapping[StatusWord, int], rows: Iterable[list[Any]]) -> None:
    """Put in what `word_rows` gave."""
    for *place, mask in rows:
        words[StatusWord(*place)] = mask
