"""ZIP archives as a verifier reads them: in memory, member by member; nothing is ever unpacked onto the disk.

Upholds: an archive made to exhaust time or memory is refused; a member that two programs could take for two different
files (a name twice, a link, a way out of the archive) is malformed instead of being one of them.
"""

from __future__ import annotations

import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from anchor.errors import CredentialFormatError

MAX_MEMBERS: Final = 100_000
"""A term of the largest universities; more are several archives."""
MAX_TOTAL_BYTES: Final = 4 * 2**30
"""Of all members that are read, unpacked: 100,000 with a picture in each. A minute's work; a bomb has no end."""
MAX_RATIO: Final = 200
"""Unpacked to packed. Credentials reach 20, DEFLATE can 1,032: what is beyond is made to be large."""
_SMALL_BYTES: Final = 65_536
"""A member up to here may have any ratio: a short text of one letter is no bomb."""
MAX_DIRECTORY_BYTES: Final = 16 * 2**20
"""Of the archive's table of contents, which is read at once: 100,000 members with names of 100 letters."""

_DAMAGED: Final = (BadZipFile, NotImplementedError, EOFError, zlib.error, ValueError, OSError)
"""What zipfile raises where an archive or a member is damaged, or packed in a way that it does not know."""
_ENCRYPTED: Final = 0x1
_APPLE_FOLDER: Final = "__MACOSX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file in an archive."""

    name: str
    content: bytes | CredentialFormatError
    """Or why it is not read."""


def read_members(file: IO[bytes], suffixes: tuple[str, ...], max_bytes: int) -> Iterator[Member]:
    """Read the members of an archive whose names end in one of the suffixes; hidden ones are passed over.

    Args:
        file: The archive, opened for reading, in a place where it can be read back and forth.
        suffixes: In lower case, such as `.json`.
        max_bytes: Longest member that is read.

    Raises:
        CredentialFormatError: It is no ZIP archive, is damaged, or has more in it than is read.
    """
    try:
        with ZipFile(_Careful(file)) as archive:
            wanted = [each for each in archive.infolist() if _is_wanted(each, suffixes)]
            if len(wanted) > MAX_MEMBERS:
                raise CredentialFormatError(
                    f"the archive has {len(wanted)} files; at most {MAX_MEMBERS} are read", advice="Split it."
                )
            yield from _read_all(archive, wanted, max_bytes)
    except _DAMAGED as error:
        if isinstance(error, CredentialFormatError):
            raise
        raise CredentialFormatError("the archive is no ZIP file, or is damaged") from error


def _read_all(archive: ZipFile, wanted: list[ZipInfo], max_bytes: int) -> Iterator[Member]:
    times = Counter(each.filename for each in wanted)
    total = 0
    for each in wanted:
        problem = _problem(each, times, max_bytes)
        if problem is not None:
            yield Member(name=each.filename, content=CredentialFormatError(problem))
            continue
        # The size stated counts: zipfile gives no more than that, whatever the packed data would make.
        total += each.file_size
        if total > MAX_TOTAL_BYTES:
            raise CredentialFormatError(f"the archive unpacks to more than {MAX_TOTAL_BYTES} bytes", advice="Split it.")
        yield Member(name=each.filename, content=_read_one(archive, each))


def _read_one(archive: ZipFile, info: ZipInfo) -> bytes | CredentialFormatError:
    try:
        with archive.open(info) as member:
            return member.read()
    except _DAMAGED:
        return CredentialFormatError("it cannot be unpacked: damaged, or packed in a way that is not known here")


def _is_wanted(info: ZipInfo, suffixes: tuple[str, ...]) -> bool:
    parts = PurePosixPath(info.filename).parts
    hidden = any(part == _APPLE_FOLDER or (part.startswith(".") and part != "..") for part in parts)
    return not info.is_dir() and not hidden and info.filename.lower().endswith(suffixes)


def _problem(info: ZipInfo, times: Counter[str], max_bytes: int) -> str | None:
    name, mode = info.filename, info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted: unpack the archive with its password, and check the folder"
    if times[name] > 1:
        return "its name stands twice in the archive; which of the two counts depends on who unpacks it"
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":":
        return "its name leads out of the archive"
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "it is a link, or something else that is no file"
    if info.file_size > max(_SMALL_BYTES, MAX_RATIO * info.compress_size):
        return f"it unpacks to more than {MAX_RATIO} times its size, as only files made for that do"
    if info.file_size > max_bytes:
        return f"it has more than {max_bytes} bytes"
    return None


class _Careful:
    """A file that does not give more at once than the table of contents may have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file: Final = file
        self.seek: Final = file.seek
        self.tell: Final = file.tell
        self.seekable: Final = file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise CredentialFormatError("the archive's table of contents is too long", advice="Split it.")
        return self._file.read(size)
