"""Locks between processes: whoever sends for an account, or sets up a testnet, is alone in doing so."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final

from filelock import FileLock, Timeout

from registry.errors import ConflictError


class ProcessLock:
    """A lock on a file, held by one process at a time and set free when that ends, however it ends.

    Args:
        path: The file; its folder is made.
        what: What is done under the lock, for messages: "sends transactions for this account".
        timeout_seconds: How long to wait for another process.
    """

    def __init__(self, path: Path, *, what: str, timeout_seconds: float) -> None:
        self._path: Final = path
        self._what: Final = what
        self._lock: Final = FileLock(path, timeout=timeout_seconds)

    def __enter__(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise ConflictError(
                f"another process {self._what}", advice="Wait until it has ended, then try again."
            ) from None
        except OSError as error:
            raise ConflictError(f"the lock {self._path} cannot be made: {error.strerror}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()
