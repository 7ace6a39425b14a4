"""Secret keys in files of the home folder: made at the first time, readable by their owner alone, in no database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from registry.errors import SettingsError

KEY_BYTES: Final = 32


def load_secret(path: Path, what: str) -> bytes:
    """Read a key, making one at the first time.

    Args:
        path: Its file.
        what: What it is called in messages: "approval key".

    Returns:
        32 secret bytes.

    Raises:
        SettingsError: It can be neither read nor made.
    """
    try:
        if not path.exists():
            _write_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"the {what} {path} cannot be used: {error.strerror}") from error
    if len(key) != KEY_BYTES:
        raise SettingsError(f"the {what} {path} is damaged", advice="Restore the home folder from a backup.")
    return key


def _write_key(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, never takes the place of one that another process has just made
    except FileExistsError:
        return
    finally:
        draft.unlink()
