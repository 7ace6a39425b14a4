"""Where a roster's bytes are: in a file that has a name, or in one that has none. Each reader begins at its start."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import IO, BinaryIO, Final, Protocol

from registry.errors import RosterFormatError


class Content(Protocol):
    """The bytes of a roster."""

    def open(self) -> BinaryIO:
        """Give them from the first on; may be done more than once, also at the same time."""
        ...

    @property
    def size(self) -> int:
        """How many there are."""
        ...


class NamedContent:
    """A file of a person's.

    Args:
        path: Where it is.

    Raises:
        RosterFormatError: There is none, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise RosterFormatError(f"the roster {path} is not a file")
            path.open("rb").close()
        except OSError as error:
            raise self._unreadable(error) from error
        self.size: Final = status.st_size

    def open(self) -> BinaryIO:
        """Open the file."""
        try:
            return self._path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> RosterFormatError:
        return RosterFormatError(f"the list {self._path} cannot be read: {error.strerror}")


class UnnamedContent:
    """A file that is open already and may have no name, so that it is gone with the process.

    Args:
        file: The file, all of it written; it stays open as long as there are readers.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file: Final = file
        self.size: Final = os.fstat(file.fileno()).st_size

    def open(self) -> BinaryIO:
        """Give a reader with a place of its own."""
        return io.BufferedReader(_Reader(self._file.fileno()), _BUFFER_BYTES)


_BUFFER_BYTES: Final = 1 << 16


class _Reader(io.RawIOBase):
    """Reads an open file without moving the place of others that read it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Final = descriptor
        self._at = 0

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence, os.fstat(self._descriptor).st_size)
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # of bytes alone
        found = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
