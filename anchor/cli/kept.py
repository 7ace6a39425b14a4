"""What an audit keeps in a folder for the next one: an archive of events, and a checkpoint.

`events.jsonl` is the archive, to publish or to give away; `checkpoint` is the auditor's own. The archive is longer than
the checkpoint says only if a run was cut short: what is too much is cut off, and read again.
"""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Final, overload

from anchor.checkpoint import Checkpoint, checkpoint_to_bytes, parse_checkpoint
from anchor.errors import HistoryError, MalformedError, UndeterminedError
from anchor.event_archive import MAX_LINE_BYTES, ArchiveEnd, end_line, header_line, log_line, read_archive
from anchor.events import AnyEvent, RawLog
from anchor.logs import first_head, next_head, parse_log
from anchor.model import Hash32, RegistryId

ARCHIVE: Final = "events.jsonl"
CHECKPOINT: Final = "checkpoint"
LOCK: Final = ".lock"

Heads = Mapping[int | None, Hash32]
"""By issuer; the registry-wide one by None."""


@contextmanager
def alone_in(folder: Path | None) -> Iterator[None]:
    """Keep other runs out of a folder, if one is named: two that write the same files would mix them.

    Raises:
        UndeterminedError: Another run is at work there.
        MalformedError: It cannot be used.
    """
    if folder is None:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("ab")
    except OSError as error:
        raise MalformedError(f"{folder} cannot be used: {error.strerror}") from error
    with lock:
        try:
            import fcntl
        except ModuleNotFoundError:
            # Windows: there nothing keeps them out but who starts them.
            yield
            return
        try:
            # Let go when the file is closed, also by a crash.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UndeterminedError(
                f"another run of credanchor audit is at work in {folder}",
                advice="Wait until it is done, or name another folder with --keep.",
            ) from error
        yield


class Archive:
    """An archive that is written while it is read: logs first, their end once they are proven to be all.

    Args:
        folder: Where it is kept.
        checkpoint: Where an earlier run ended, which this one goes on from; None: the archive starts anew.
        registry: The registry that it is of.

    Raises:
        MalformedError: It cannot be written, or is shorter than the checkpoint says.
    """

    def __init__(self, folder: Path, checkpoint: Checkpoint | None, registry: RegistryId) -> None:
        self._path: Final = folder / ARCHIVE
        self._checkpoint_path: Final = folder / CHECKPOINT
        self._registry: Final = registry
        self._start: Final = 0 if checkpoint is None else _archive_bytes(checkpoint)
        # What was kept stays until what replaces it is proven.
        self._written: Final = self._path if checkpoint is not None else folder / f".{ARCHIVE}.new"
        if checkpoint is None:
            # Of a run that was cut short; or a link, which must lead nowhere.
            self._written.unlink(missing_ok=True)
        first = header_line(registry) if checkpoint is None else _end_of(checkpoint)
        self._end_at: Final = max(0, self._start - len(first))
        """Where the end of an earlier run stands."""
        self._is_longer = checkpoint is None
        self._file: Final[IO[bytes]] = _writable(self._written)
        try:
            if checkpoint is not None:
                self._check_end(checkpoint)
            # Written before anything is cut off: whenever this run ends, the archive has what the checkpoint says.
            self._file.seek(self._end_at)
            self._file.write(first)
            self._file.truncate()
        except BaseException:
            self.close()
            raise

    def _check_end(self, checkpoint: Checkpoint) -> None:
        """Check that the checkpoint's end is where it says, or that of a run that was cut short before its own."""
        if self._file.seek(0, os.SEEK_END) < self._start:
            raise MalformedError(f"{self._path} is shorter than the checkpoint says", advice="Use --anew.")
        self._file.seek(self._end_at)
        lines = [header_line(self._registry), self._file.readline(MAX_LINE_BYTES)]
        try:
            end = next(read_archive(lines, self._registry), None)
        except MalformedError:
            end = None
        if isinstance(end, ArchiveEnd) and (
            end.block_number > checkpoint.block_number
            or (end.block_number, end.block_hash) == (checkpoint.block_number, checkpoint.block_hash)
        ):
            return
        raise MalformedError(f"{self._path} was changed: it does not go with the checkpoint", advice="Use --anew.")

    def add(self, event: AnyEvent) -> None:
        """Write an event down. Logs of other kinds are not kept: they may be anything."""
        self._is_longer = True
        self._file.write(log_line(event.log))

    def finish(self, block_number: int, block_hash: Hash32) -> int:
        """Say that all logs up to a block are there; give the size in bytes."""
        if not self._is_longer:
            # Of a registry in which nothing happens the archive does not grow either.
            self._file.seek(self._end_at)
        self._file.write(end_line(block_number, block_hash))
        self._file.truncate()
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._written != self._path:
            # No checkpoint is better than one that goes with the archive that was there before.
            self._checkpoint_path.unlink(missing_ok=True)
            self._written.replace(self._path)
        return self._file.tell()

    def close(self) -> None:
        """Close the file; what was written stays."""
        # On a full disk what is left of it cannot be written: that was told already, or the checkpoint is not there.
        with suppress(OSError):
            self._file.close()

    def events(self, before: Heads, after: Heads, count: int) -> ArchivedEvents:
        """Give the events of this run, by the heads before and after them, and their number."""
        start = self._start if self._is_longer else self._end_at
        return ArchivedEvents(self._path, self._registry, start, before, after, count)

    def all_events(self, after: Heads, count: int) -> ArchivedEvents:
        """Give the events of this run and those before it."""
        return ArchivedEvents(self._path, self._registry, 0, {}, after, count)


class ArchivedEvents(Sequence[AnyEvent]):
    """Events of an archive, read again each time that they are gone through: none of them stays in memory.

    They are held against the heads that were proven, for a file may have been changed since.

    Raises:
        MalformedError: While they are gone through: they are not those that were proven.
    """

    def __init__(self, path: Path, registry: RegistryId, start: int, before: Heads, after: Heads, count: int) -> None:
        self._path, self._registry, self._start, self._count = path, registry, start, count
        self._before, self._after = before, after

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[AnyEvent]:
        heads = dict(self._before)
        with self._path.open("rb") as file:
            lines = _lines(file)
            if self._start:
                file.seek(self._start)
                lines = chain([header_line(self._registry)], lines)
            for log in read_archive(lines, self._registry):
                event = self._event(log) if isinstance(log, RawLog) else None
                if event is None:
                    continue
                for issuer_id, stated in event.heads.items():
                    head = heads.get(issuer_id) or first_head(self._registry, issuer_id)
                    if next_head(head, event.event_hash) != stated:
                        raise self._changed()
                    heads[issuer_id] = stated
                yield event
        if heads != self._after:
            raise self._changed()

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

    def _event(self, log: RawLog) -> AnyEvent | None:
        try:
            return parse_log(log)
        except HistoryError as error:
            raise self._changed() from error

    def _changed(self) -> MalformedError:
        return MalformedError(
            f"{self._path} was changed: its events do not lead to the heads that were proven", advice="Use --anew."
        )


def heads_of(state: dict[str, Any]) -> Heads:
    """Give the heads of what `Replay.content` gave."""
    heads: dict[int | None, Hash32] = {None: state["registryHead"]}
    for number, issuer in enumerate(state["issuers"], start=1):
        heads[number] = issuer["head"]
    return heads


def read_checkpoint(folder: Path, registry: RegistryId) -> Checkpoint | None:
    """Read the checkpoint of a folder; None if there is none.

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
        return parse_checkpoint(data, registry)
    except MalformedError as error:
        raise MalformedError(
            f"{path}: {error}", advice="Keep each registry in a folder of its own, or use --anew."
        ) from error


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of a folder, whole or not at all.

    Raises:
        MalformedError: It cannot be written.
    """
    try:
        number, name = tempfile.mkstemp(prefix=f".{CHECKPOINT}.", dir=folder)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(checkpoint_to_bytes(checkpoint))
                file.flush()
                os.fsync(number)
            Path(name).replace(folder / CHECKPOINT)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
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
        except (OSError, EOFError, zlib.error) as error:
            raise MalformedError(f"{self._path} cannot be read: {error}") from error
        if not ended:
            raise MalformedError(f"{self._path} does not say up to which block it goes", advice="Get it again.")


def _lines(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    # One byte more than is allowed: the reader refuses it, and memory stays bounded.
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line


def _end_of(checkpoint: Checkpoint) -> bytes:
    return end_line(checkpoint.block_number, checkpoint.block_hash)


def _archive_bytes(checkpoint: Checkpoint) -> int:
    """Tell how many bytes of the archive go with a checkpoint; its end is the last line of them."""
    return int(checkpoint.state["archiveBytes"])


def _writable(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
    except OSError as error:
        raise MalformedError(f"{path} cannot be written: {error.strerror}") from error
