"""Where files go: a folder, or a ZIP archive.

Upholds: a file is there whole or not at all; none of somebody else's is written over. Files are readable by their
owner alone, for they hold names, and the index e-mails.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from registry.errors import ConflictError

ARCHIVE_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""Of all members: the same batch makes the same archive."""


class Outlet(Protocol):
    """Takes files; as a context manager, which puts all of them in place at the end, or drops what an error left."""

    def __enter__(self) -> Outlet:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""

    def write(self, name: str, content: bytes) -> Path:
        """Write a file; give where it is.

        Args:
            name: With slashes for folders in it.
            content: All of it.

        Raises:
            ConflictError: Another file has this name, or it cannot be written.
        """


def prepare_outlet(path: Path) -> Outlet:
    """See, before anything is issued, that files can be written.

    Args:
        path: A folder, which is made if need be; or, ending in `.zip`, an archive that is not there yet.

    Raises:
        ConflictError: They cannot.
    """
    return Archive(path) if path.suffix.lower() == ".zip" else Folder(path)


class Folder:
    """A folder; each file is in place as soon as it is written."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        _probe(path)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing is left to do."""

    def write(self, name: str, content: bytes) -> Path:
        """Write a file, unless it is there with this content."""
        path = self._path / name
        try:
            if path.exists():
                if path.read_bytes() == content:
                    return path
                raise ConflictError(f"there is another file {path}", advice="Choose another folder with --out.")
            path.parent.mkdir(mode=0o700, exist_ok=True)
            draft = _draft_of(path)
            try:
                with _private_file(draft) as file:
                    file.write(content)
                draft.replace(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise ConflictError(f"the file {path} cannot be written: {error.strerror}") from error
        return path


class Archive:
    """A ZIP archive; it is there when all files are in it."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._draft: Final = _draft_of(path)
        if path.exists():
            raise ConflictError(f"there is a file {path} already", advice="Choose another name with --out.")
        _probe(path.parent)

    def __enter__(self) -> Archive:
        try:
            self._file = _private_file(self._draft)
        except OSError as error:
            raise self._failed(error) from error
        self._zip = ZipFile(self._file, "w", compression=ZIP_DEFLATED, compresslevel=6)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        try:
            if kind is not None:
                return
            self._zip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            os.link(self._draft, self._path)  # unlike a rename, refuses to overwrite
        except OSError as error:
            raise self._failed(error) from error
        finally:
            # After an error there may be no room for the archive's directory either.
            with suppress(OSError, ValueError):
                self._zip.close()
            with suppress(OSError):
                self._file.close()
            self._draft.unlink(missing_ok=True)

    def write(self, name: str, content: bytes) -> Path:
        """Add a file."""
        member = ZipInfo(name, ARCHIVE_TIME)
        member.external_attr = 0o600 << 16
        member.compress_type = ZIP_DEFLATED
        try:
            self._zip.writestr(member, content)
        except OSError as error:
            raise self._failed(error) from error
        return self._path / name

    def _failed(self, error: OSError) -> ConflictError:
        return ConflictError(f"the archive {self._path} cannot be written: {error.strerror}")


def _probe(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".credanchor-{secrets.token_hex(8)}"
        probe.touch(mode=0o600, exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ConflictError(f"no files can be written to {folder}: {error.strerror}") from error


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")


def _private_file(path: Path) -> IO[bytes]:
    # The descriptor carries the permissions.
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
