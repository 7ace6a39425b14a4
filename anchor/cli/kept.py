"""What an audit keeps in a folder for the next one: an archive of events, and a checkpoint.

`events.jsonl` is the archive, to publish or to give away; `checkpoint` is the auditor's own. The archive is longer than
the checkpoint says only if a run was cut short: what is too much is cut off, and read again.
"""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Final, overload

from anchor.checkpoint import Checkpoint, checkpoint_to_bytes, parse_checkpoint
from anchor.errors import MalformedError
from anchor.event_archive import MAX_LINE_BYTES, ArchiveEnd, end_line, header_line, log_line, read_archive
from anchor.events import AnyEvent, RawLog
from anchor.logs import parse_log
from anchor.model import Hash32, RegistryId

ARCHIVE: Final = "events.jsonl"
CHECKPOINT: Final = "checkpoint"


class Archive:
    """An archive that is written while it is read: logs first, their end once they are proven to be all.

    Args:
        folder: Where it is kept.
        registry: The registry that it is of.
        size: Bytes that count; what is behind them is cut off. 0: it starts anew.

    Raises:
        MalformedError: It cannot be written, or is shorter.
    """

    def __init__(self, folder: Path, registry: RegistryId, size: int) -> None:
        self._path: Final = folder / ARCHIVE
        # What was kept stays until what replaces it is proven.
        self._written: Final = self._path if size else folder / f".{ARCHIVE}.new"
        self._registry: Final = registry
        self._start: Final = size
        self._file: Final[IO[bytes]] = _writable(self._written)
        if self._file.seek(0, os.SEEK_END) < size:
            self._file.close()
            raise MalformedError(f"{self._path} is shorter than the checkpoint says", advice="Use --anew.")
        self._file.truncate(size)
        self._file.seek(size)
        if not size:
            self._file.write(header_line(registry))

    def pass_on(self, logs: Iterator[RawLog]) -> Iterator[RawLog]:
        """Write logs down as they pass."""
        for log in logs:
            self._file.write(log_line(log))
            yield log

    def finish(self, block_number: int, block_hash: Hash32) -> int:
        """Say that all logs up to a block are there; give the size in bytes."""
        self._file.write(end_line(block_number, block_hash))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._written.replace(self._path)
        return self._file.tell()

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._file.close()

    def events(self, count: int) -> ArchivedEvents:
        """Give the events of this run, whose number is known."""
        return ArchivedEvents(self._path, self._registry, self._start, count)

    def all_events(self, count: int) -> ArchivedEvents:
        """Give the events of this run and those before it."""
        return ArchivedEvents(self._path, self._registry, 0, count)


class ArchivedEvents(Sequence[AnyEvent]):
    """Events of an archive, read again each time that they are gone through: none of them stays in memory."""

    def __init__(self, path: Path, registry: RegistryId, start: int, count: int) -> None:
        self._path, self._registry, self._start, self._count = path, registry, start, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[AnyEvent]:
        with self._path.open("rb") as file:
            lines: Iterator[bytes] = iter(file)
            if self._start:
                file.seek(self._start)
                lines = _after_header(file, self._registry)
            for log in read_archive(lines, self._registry):
                event = parse_log(log) if isinstance(log, RawLog) else None
                if event is not None:
                    yield event

    @overload
    def __getitem__(self, index: int) -> AnyEvent: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[AnyEvent]: ...
    def __getitem__(self, index: int | slice) -> AnyEvent | Sequence[AnyEvent]:
        if isinstance(index, slice):
            return tuple(self)[index]
        try:
            return next(islice(self, range(self._count)[index], None))
        except StopIteration as error:
            raise IndexError(index) from error


def read_checkpoint(folder: Path, registry: RegistryId) -> tuple[Checkpoint, int] | None:
    """Read the checkpoint of a folder, and the size of the archive that goes with it; None if there is none.

    Raises:
        MalformedError: It cannot be read, or is damaged, or of another registry.
    """
    path = folder / CHECKPOINT
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MalformedError(f"{path} cannot be read: {error.strerror}") from error
    try:
        checkpoint = parse_checkpoint(data, registry)
    except MalformedError as error:
        raise MalformedError(f"{path}: {error}", advice="Keep each registry in a folder of its own.") from error
    return checkpoint, int(checkpoint.state["archiveBytes"])


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of a folder, whole or not at all.

    Raises:
        MalformedError: It cannot be written.
    """
    try:
        number, name = tempfile.mkstemp(prefix=f".{CHECKPOINT}.", dir=folder)
        with os.fdopen(number, "wb") as file:
            file.write(checkpoint_to_bytes(checkpoint))
        Path(name).replace(folder / CHECKPOINT)
    except OSError as error:
        raise MalformedError(f"{folder / CHECKPOINT} cannot be written: {error.strerror}") from error


class GivenArchive:
    """An archive that somebody gave: believed in nothing, read line by line, gzipped or not."""

    def __init__(self, path: Path, registry: RegistryId) -> None:
        self._path, self._registry = path, registry
        self.end: ArchiveEnd | None = None
        """Its last end, once it was read to it."""

    def logs(self) -> Iterator[RawLog]:
        """Read its logs.

        Raises:
            MalformedError: It cannot be read, is no archive of this registry, or has no end.
        """
        ended = False
        try:
            with self._path.open("rb") as raw:
                is_gzip = raw.read(2) == b"\x1f\x8b"
                raw.seek(0)
                lines = _lines(gzip.GzipFile(fileobj=raw)) if is_gzip else _lines(raw)
                for each in read_archive(lines, self._registry):
                    ended = isinstance(each, ArchiveEnd)
                    if isinstance(each, ArchiveEnd):
                        self.end = each
                    else:
                        yield each
        except (OSError, EOFError) as error:
            raise MalformedError(f"{self._path} cannot be read: {error}") from error
        if not ended:
            raise MalformedError(f"{self._path} does not say up to which block it goes", advice="Get it again.")


def _lines(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    # One byte more than is allowed: the reader refuses it, and memory stays bounded.
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line


def _after_header(file: IO[bytes], registry: RegistryId) -> Iterator[bytes]:
    yield header_line(registry)
    yield from _lines(file)


def _writable(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
    except OSError as error:
        raise MalformedError(f"{path} cannot be written: {error.strerror}") from error
