"""The whole history, to take away: an archive that anybody can audit again, and a table for spreadsheets.

Both are made while they are sent, from what was shown when they began: any length takes the same memory. One that
breaks off has no end, and is no archive.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterable
from typing import Final

from anchor.cli.histories import csv_pieces
from anchor.event_archive import end_line, header_line, log_line
from anchor.history import History
from anchor.model import Basis
from registry.services.explorer.histories import ROWS_A_PAGE
from registry.services.explorer.queries import Explorer
from registry.store.ledger_copies import CopyRecord

PIECE_BYTES: Final = 64 * 1024
"""Handed over at once, at least."""

_GZIP: Final = 16 + zlib.MAX_WBITS


def archive(explorer: Explorer, copy: CopyRecord, basis: Basis) -> Generator[bytes]:
    """Give the history as an archive of events (docs/spec/event-archive.md), piece by piece.

    Args:
        explorer: Reads it.
        copy: Which one.
        basis: The block up to which it goes.

    Raises:
        NotReadyError: The history was replaced meanwhile, and removed; what was given until then has no end.
        StoreError: The database cannot be read.
    """
    yield header_line(basis.registry)
    for rows in explorer.pages(copy, ROWS_A_PAGE):
        yield b"".join(log_line(row.log) for row in rows)
    yield end_line(basis.block_number, basis.block_hash)


def table(history: History) -> Generator[bytes]:
    """Give the history as CSV, as `credanchor audit --format csv` writes it, piece by piece.

    Args:
        history: From `registry.services.explorer.histories.whole_history`.

    Raises:
        NotReadyError, StoreError: As `archive`.
    """
    for text in csv_pieces(history, None):
        yield text.encode()


def gathered(pieces: Iterable[bytes]) -> Generator[bytes]:
    """Give the same in pieces of some size."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def compressed(pieces: Iterable[bytes]) -> Generator[bytes]:
    """Give the same, as one gzip stream (RFC 1952)."""
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
