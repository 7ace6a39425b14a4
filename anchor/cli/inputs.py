"""What `verify` is given: files, folders, ZIP archives, pictures, lists and addresses, one after the other.

    badge.json · badge.png · badges.zip     told apart by what is in them; a bundle is a file like a credential
    folder/                                 all of these in it and below; hidden folders are passed over
    list.csv · list.txt                     addresses and paths, a line or a column; named on the command line only
    https://college.example/1.json          fetched because it was given, from that host alone
    -                                       standard input: a credential, an archive, or a list

Upholds: what is found is handed over one by one, and nothing of it is kept here, so that any number can be read. What
cannot be read is an answer like any other, never the end of the rest.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import IO, Final

from anchor.bundle import MAX_BUNDLE_BYTES, looks_like_bundle
from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.addresses import Fetched
from anchor.cli.archives import read_members
from anchor.cli.baked import MAX_PICTURE_BYTES, baked_credential, is_picture, may_be_baked
from anchor.cli.lists import LIST_SUFFIXES, MAX_LIST_BYTES, is_address, read_list
from anchor.errors import CredentialFormatError, FetchError, MalformedError
from anchor.model import Hash32

STANDARD_INPUT: Final = "-"
MAX_STREAM_BYTES: Final = 256 * 2**20
"""Of standard input, which cannot be read back and forth, so that an archive there is held in memory."""

_CREDENTIAL_SUFFIXES: Final = (".json", ".png", ".svg")
_ARCHIVE_SUFFIX: Final = ".zip"
_ARCHIVE_STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_START_BYTES: Final = 512
"""What a file is told by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a credential comes from."""

    path: str = ""
    """File, archive or list; `-` for standard input; empty for an address given by itself."""
    member: str = ""
    """Which file of an archive."""
    address: str = ""
    """Where it was fetched from, without what may be secret in it."""
    contacted: tuple[str, ...] = ()
    """Hosts that were asked, because the user gave the address."""

    @property
    def name(self) -> str:
        """Name it for people."""
        if self.address:
            return self.address
        path = "standard input" if self.path == STANDARD_INPUT else self.path
        return f"{path}: {self.member}" if self.member else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing to check."""

    source: Source
    content: bytes | MalformedError | FetchError
    """A credential's bytes, so it is hoped; or why there are none."""
    is_named: bool
    """The user named this very file, so it has to be a credential; in folders and archives there may be other files."""

    @property
    def sha256(self) -> Hash32 | None:
        """Hash the bytes; None when none came, or not all: of what is too long, only a part is read."""
        if not isinstance(self.content, bytes) or len(self.content) > MAX_DOCUMENT_BYTES:
            return None
        return Hash32(sha256(self.content).digest())


FetchAll = Callable[[list[str], bool], Iterable[Fetched]]
"""Fetches addresses, in order; the flag tells whether from public hosts only."""


def read_inputs(arguments: Iterable[str], fetch_all: FetchAll) -> Iterator[Found]:
    """Read everything that was named, in order.

    Args:
        arguments: As on the command line.
        fetch_all: What fetches addresses.

    Raises:
        MalformedError: A folder or list cannot be read or has nothing in it.
    """
    for are_addresses, group in groupby(arguments, is_address):
        if are_addresses:
            # Typed by the user, so that also machines in his own network are meant.
            yield from _fetched("", list(group), fetch_all, public_only=False)
            continue
        for argument in group:
            if argument == STANDARD_INPUT:
                yield from _read_stream(fetch_all)
            elif _type_of(Path(argument)) == S_IFDIR:
                yield from _read_folder(Path(argument))
            elif argument.lower().endswith(LIST_SUFFIXES):
                yield from _read_list(argument, fetch_all)
            else:
                yield from _read_file(Path(argument), is_named=True)


def _type_of(path: Path) -> int | None:
    """Tell files from folders and the rest, as `stat` names them; None if there is nothing, or nothing can be."""
    try:
        return S_IFMT(path.stat().st_mode)
    except (OSError, ValueError):
        return None


def _read_folder(folder: Path) -> Iterator[Found]:
    empty = True
    for path in _files_below(folder):
        for found in _read_file(path, is_named=False):
            empty = False
            yield found
    if empty:
        raise CredentialFormatError(
            f"the folder {folder} has no .json file, nor a ZIP archive or picture with credentials",
            advice="Lists of addresses are named by themselves: credanchor verify list.csv",
        )


def _files_below(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise CredentialFormatError(f"{error.filename} cannot be read: {error.strerror}") from error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            is_wanted = name.lower().endswith((*_CREDENTIAL_SUFFIXES, _ARCHIVE_SUFFIX)) and not name.startswith(".")
            # Not a pipe, which would never end.
            if is_wanted and path.is_file():
                yield path


def _read_file(path: Path, *, is_named: bool) -> Iterator[Found]:
    source = Source(path=str(path))
    try:
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
            if start.startswith(_ARCHIVE_STARTS) or path.suffix.lower() == _ARCHIVE_SUFFIX:
                yield from read_archive(source, file)
                return
            content = _content(start, file)
    except OSError as error:
        content = CredentialFormatError(f"the file cannot be read: {error.strerror}")
    except ValueError:
        # A name with a null character in it.
        content = CredentialFormatError("the file cannot be read: no file has such a name")
    yield from _as_found(source, content, is_named=is_named)


def _content(start: bytes, file: IO[bytes]) -> bytes | MalformedError:
    limit = (
        MAX_PICTURE_BYTES if is_picture(start) else MAX_BUNDLE_BYTES if looks_like_bundle(start) else MAX_DOCUMENT_BYTES
    )
    return start + file.read(limit + 1 - len(start))


def _as_found(source: Source, content: bytes | MalformedError, *, is_named: bool) -> Iterator[Found]:
    """Hand over one file, or the credential that is in it if it is a picture; other pictures are passed over."""
    if isinstance(content, bytes) and is_picture(content):
        # What calls itself JSON was meant to be a credential.
        is_meant = is_named or (source.member or source.path).lower().endswith(".json")
        baked: bytes | MalformedError | None
        try:
            baked = baked_credential(content)
        except MalformedError as error:
            baked = error if is_meant or may_be_baked(content) else None
        if baked is None:
            if not is_meant:
                return
            baked = CredentialFormatError("the picture has no credential in it")
        content = baked
    yield Found(source=source, content=content, is_named=is_named)


def read_archive(source: Source, file: IO[bytes]) -> Iterator[Found]:
    """Hand over the credentials in a ZIP archive one by one; one that cannot be read is malformed itself.

    Args:
        source: The archive.
        file: It, opened for reading, in a place where it can be read back and forth.
    """
    empty = True
    try:
        for member in read_members(file, (*_CREDENTIAL_SUFFIXES, _ARCHIVE_SUFFIX), MAX_BUNDLE_BYTES):
            its_source = replace(source, member=member.name)
            content: bytes | MalformedError = member.content
            if isinstance(content, bytes) and content.startswith(_ARCHIVE_STARTS):
                content = CredentialFormatError("an archive within an archive is not read: unpack it, and check that")
            for found in _as_found(its_source, content, is_named=False):
                empty = False
                yield found
        if empty:
            raise CredentialFormatError("the archive has no .json file, nor a picture with a credential")
    except CredentialFormatError as error:
        yield Found(source=source, content=error, is_named=True)


def _read_stream(fetch_all: FetchAll) -> Iterator[Found]:
    data = sys.stdin.buffer.read(MAX_STREAM_BYTES + 1)
    source = Source(path=STANDARD_INPUT)
    if len(data) > MAX_STREAM_BYTES:
        raise CredentialFormatError(
            f"standard input has more than {MAX_STREAM_BYTES} bytes", advice="Give it as a file."
        )
    if data.startswith(_ARCHIVE_STARTS):
        yield from read_archive(source, io.BytesIO(data))
    elif is_picture(data) or data.lstrip()[:1] in (b"{", b"[", b""):
        limit = MAX_BUNDLE_BYTES if looks_like_bundle(data) else MAX_PICTURE_BYTES
        yield from _as_found(source, data[: limit + 1], is_named=True)
    else:
        yield from _read_entries(STANDARD_INPUT, data, Path(), fetch_all)


def _read_list(argument: str, fetch_all: FetchAll) -> Iterator[Found]:
    path = Path(argument)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise CredentialFormatError(f"the list {path} cannot be read: {error.strerror}") from error
    yield from _read_entries(argument, data, path.parent, fetch_all)


def _read_entries(name: str, data: bytes, folder: Path, fetch_all: FetchAll) -> Iterator[Found]:
    """Read what a list names. Its paths are relative to the list; they name files, and neither folders nor lists."""
    for are_addresses, group in groupby(read_list(data), is_address):
        if are_addresses:
            yield from _fetched(name, list(group), fetch_all, public_only=True)
            continue
        for entry in group:
            path = folder / entry
            # Windows would log in to a server that is named so, with the user's name.
            is_server = entry.startswith(("\\\\", "//"))
            if is_server or _type_of(path) not in (None, S_IFREG):
                problem = CredentialFormatError("the list names something that is no file")
                yield Found(source=Source(path=entry), content=problem, is_named=True)
            else:
                yield from _read_file(path, is_named=True)


def _fetched(path: str, addresses: list[str], fetch_all: FetchAll, *, public_only: bool) -> Iterator[Found]:
    for each in fetch_all(addresses, public_only):
        source = Source(path=path, address=each.name, contacted=each.contacted)
        if isinstance(each.content, FetchError):
            yield Found(source=source, content=each.content, is_named=True)
        elif each.content.startswith(_ARCHIVE_STARTS):
            yield from read_archive(source, io.BytesIO(each.content))
        else:
            yield from _as_found(source, each.content, is_named=True)
