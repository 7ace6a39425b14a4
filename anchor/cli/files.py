"""Files that a command writes: whole or not at all, for the user alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from anchor.errors import MalformedError


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a text file piece by piece; it appears under its name when it is whole.

    Readable by the user alone: reports have people's names in them.

    Raises:
        MalformedError: It cannot be written.
    """
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(number, "w", encoding="utf-8", newline="", errors="backslashreplace") as file:
                file.writelines(pieces)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MalformedError(
            f"{path} cannot be written: {error.strerror}", advice="Name another file with --out."
        ) from error
