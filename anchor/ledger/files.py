"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600
"""For secrets: the owner alone."""
PUBLIC: Final = 0o644


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file that is not there yet.

    Args:
        path: Where; its folder is there.
        data: What.
        mode: `PRIVATE` or `PUBLIC`, from the first moment on.

    Raises:
        FileExistsError: There is one already; it stays as it is.
        OSError: It cannot be written.
    """
    with _draft(path, data, mode) as draft:
        os.link(draft, path)  # unlike a rename, refuses to overwrite


def write_over(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file in the place of the one that may be there.

    Args:
        path: Where; its folder is there.
        data: What.
        mode: `PRIVATE` or `PUBLIC`.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    with _draft(path, data, mode) as draft:
        draft.replace(path)


@contextmanager
def _draft(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    draft = path.with_name(f".{secrets.token_hex(8)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
