"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import secrets
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
    draft = path.with_name(f".{secrets.token_hex(8)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, refuses to overwrite
    finally:
        draft.unlink()
