"""A batch's credentials, filled in, on their way into the database: on disk rather than in memory.

The file, if there are so many that one is needed, has no name and is gone with the process: it holds personal data.
"""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections.abc import Iterator
from typing import Final

from registry.services.filling import FilledPartition

_BYTES_IN_MEMORY: Final = 8 << 20
"""Some 40,000 credentials."""


class FilledBatch:
    """Partitions, taken out in the order in which they were put in.

    Args:
        first_position: The batch's first status position, list * LIST_SIZE + index.
    """

    def __init__(self, first_position: int) -> None:
        self.first_position: Final = first_position
        self._file: Final = tempfile.SpooledTemporaryFile(_BYTES_IN_MEMORY)  # noqa: SIM115 - lives as long as the batch
        weakref.finalize(self, self._file.close)
        self._count = 0

    def add(self, filled: FilledPartition) -> None:
        """Take in the next partition."""
        pickle.dump(tuple(filled), self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def partitions(self) -> Iterator[FilledPartition]:
        """Give all partitions."""
        self._file.seek(0)
        for _ in range(self._count):
            yield FilledPartition(*pickle.load(self._file))  # noqa: S301 - this process wrote it
