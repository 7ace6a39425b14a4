"""Recipients on their way from a roster to a batch: checked, shuffled, and on disk rather than in memory.

Every recipient gets a random key of 64 bits; their order by key is the order of the batch's leaves. So the shuffle is
uniform, whatever their number, and needs no more memory than one bucket of neighbouring keys.

Upholds: what comes out is what went in. The file, if there are so many that one is needed, has no name and is gone with
the process: it holds personal data.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Set
from typing import Final, NamedTuple

import orjson

from registry.services.recipient import NOTHING_MORE, Recipient

_BUCKET_BITS: Final = 8
_BUCKETS: Final = 1 << _BUCKET_BITS
_BUCKET_SHIFT: Final = 64 - _BUCKET_BITS
_FLUSHED_AT: Final = 64
"""Recipients of one bucket that are written in one piece."""
_KEYS_AT_ONCE: Final = 4096
_BYTES_IN_MEMORY: Final = 8 << 20
"""Some 80,000 recipients."""
PARTITION_SIZE: Final = 4096
"""Recipients that a partition has at least, but for the last: some 6 MB of canonical bytes."""


class Partition(NamedTuple):
    """Neighbours in a batch's order; goes to another process as it is."""

    size: int
    pieces: tuple[bytes, ...]
    """JSON arrays of [key, number, name, e-mail, …]."""


class RecipientSpool:
    """Recipients, added in the order of a roster and taken out in that of a batch."""

    def __init__(self) -> None:
        self._file: Final = tempfile.SpooledTemporaryFile(_BYTES_IN_MEMORY)  # noqa: SIM115 - lives as long as the spool
        weakref.finalize(self, self._file.close)
        self._buckets: Final[list[list[tuple[object, ...]]]] = [[] for _ in range(_BUCKETS)]
        self._pieces: Final[list[list[tuple[int, int]]]] = [[] for _ in range(_BUCKETS)]
        """For each bucket (offset, bytes) in the file."""
        self._counts: Final = array("Q", bytes(8 * _BUCKETS))
        self._keys: Final = _random_keys()
        self._end = 0

    @classmethod
    def of(cls, recipients: Iterable[Recipient]) -> RecipientSpool:
        """Make a spool of recipients, numbered from 1."""
        spool = cls()
        for number, recipient in enumerate(recipients, start=1):
            spool.add(number, recipient)
        return spool

    def add(self, number: int, recipient: Recipient) -> None:
        """Take in a recipient.

        Args:
            number: Of the row in the roster, for finding it again.
            recipient: As it stands there.
        """
        key = next(self._keys)
        place = key >> _BUCKET_SHIFT
        bucket = self._buckets[place]
        # Most rosters have names and e-mails only.
        bucket.append((key, number, *(recipient if recipient[2:] != NOTHING_MORE else recipient[:2])))
        if len(bucket) == _FLUSHED_AT:
            self._flush(place)

    def count(self, without: Set[int] = frozenset()) -> int:
        """Count the recipients but for the rows to leave out."""
        return sum(partition.size for partition in self.partitions(without)) if without else self._total()

    def partitions(self, without: Set[int] = frozenset()) -> Iterator[Partition]:
        """Give all recipients in the batch's order, as partitions.

        Args:
            without: Numbers of rows to leave out.
        """
        pieces: list[bytes] = []
        size = 0
        for place in range(_BUCKETS):
            self._flush(place)
            found = [self._read(offset, length) for offset, length in self._pieces[place]]
            if without:
                kept = [entry for piece in found for entry in orjson.loads(piece) if entry[1] not in without]
                found, size = [orjson.dumps(kept)], size + len(kept)
            else:
                size += self._counts[place]
            pieces += found
            if size >= PARTITION_SIZE:
                yield Partition(size, tuple(pieces))
                pieces, size = [], 0
        if size:
            yield Partition(size, tuple(pieces))

    def numbered(self) -> Iterator[tuple[int, Recipient]]:
        """Give all recipients with the numbers of their rows, in the batch's order."""
        for partition in self.partitions():
            for entry in in_order(partition):
                yield entry[1], Recipient(*entry[2:])

    def _read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)

    def _total(self) -> int:
        return sum(self._counts) + sum(map(len, self._buckets))

    def _flush(self, place: int) -> None:
        bucket = self._buckets[place]
        if bucket:
            piece = orjson.dumps(bucket)
            self._file.seek(self._end)
            self._file.write(piece)
            self._pieces[place].append((self._end, len(piece)))
            self._end += len(piece)
            self._counts[place] += len(bucket)
            bucket.clear()


def in_order(partition: Partition) -> list[tuple[int, int, str, str | None]]:
    """Read a partition: (key, number, then what a `Recipient` holds), in the order of the keys."""
    entries = [entry for piece in partition.pieces for entry in orjson.loads(piece)]
    entries.sort()
    return entries


def _random_keys() -> Iterator[int]:
    while True:
        yield from array("Q", os.urandom(8 * _KEYS_AT_ONCE))
