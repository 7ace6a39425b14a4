"""A batch's credentials as a ZIP archive, made while it is read: any size of batch takes the same memory.

3f0c….json     one credential with its anchor proof, named by its UUID, in the order of leaves
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from registry.services.outlets import ARCHIVE_TIME
from registry.services.stored import credential_files
from registry.store.engine import Store
from registry.store.records import BatchRecord

PIECE_BYTES: Final = 256 * 1024
"""Handed over at once, at least."""


class _Pieces:
    """Takes what is written, to be fetched piece by piece; has no place that one could go back to."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self._waiting.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""

    def close(self) -> None:
        """Do nothing: what waits is still to be fetched."""

    def take(self) -> bytes:
        piece, self._waiting, self.size = b"".join(self._waiting), [], 0
        return piece


def archive_pieces(store: Store, batch: BatchRecord) -> Generator[bytes]:
    """Give a batch as a ZIP archive, piece by piece; those of people who were erased are left out.

    Args:
        store: The institution's.
        batch: Its batch, anchored.

    Raises:
        StoreError: A credential is not the one that was sealed; what was given until then is no whole archive.
    """
    pieces = _Pieces()
    with store.reading() as connection, ZipFile(pieces, "w", compression=ZIP_DEFLATED) as archive:
        for credential, content in credential_files(connection, batch):
            member = ZipInfo(f"{credential.uuid}.json", ARCHIVE_TIME)
            member.external_attr = 0o600 << 16
            member.compress_type = ZIP_DEFLATED
            archive.writestr(member, content)
            if pieces.size >= PIECE_BYTES:
                yield pieces.take()
    yield pieces.take()
