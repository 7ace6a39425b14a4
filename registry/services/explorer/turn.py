"""Whose turn it is to bring a registry's history up to date: one process at a time, wherever it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection

from anchor.model import RegistryId
from registry.errors import ConflictError, StoreError
from registry.services.error_log import log_error
from registry.store.engine import Store
from registry.store.ledger_copies import claim_sync, get_sync, hold_sync, release_sync


class Turn:
    """The turn of one process; it ends by itself when nothing is heard of it any more.

    Args:
        store: The database.
        registry: Whose history.
        name: Of the process, unlike any other's.
        clock: Unix seconds.
        lease_seconds: How long others wait for a word from it.
    """

    def __init__(
        self, store: Store, registry: RegistryId, name: str, clock: Callable[[], int], lease_seconds: int
    ) -> None:
        self._store: Final = store
        self._registry: Final = registry
        self._name: Final = name
        self._clock: Final = clock
        self._lease_seconds: Final = lease_seconds

    def take(self) -> bool:
        """Take the turn, or go on with it; tell whether it is this process's."""
        now = self._clock()
        with self._store.operator_reading() as connection:
            if not get_sync(connection, self._registry).is_free(self._name, now):
                return False
        with self._store.operator_writing() as connection:
            return claim_sync(connection, self._registry, self._name, now=now, lease_seconds=self._lease_seconds)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep it as long as the block lasts, however long nodes take to answer."""
        done = threading.Event()
        thread = threading.Thread(target=self._extend, args=(done,), name="ledger lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @contextmanager
    def writing(self, **values: Any) -> Iterator[Connection]:
        """Give a transaction in which something is changed, as long as it is this process's turn.

        Args:
            values: Columns of `ledger_syncs` to change.

        Raises:
            ConflictError: Another process has the turn; nothing was changed.
            StoreError: The database cannot be written.
        """
        with self._store.operator_writing() as connection:
            hold_sync(
                connection,
                self._registry,
                self._name,
                now=self._clock(),
                lease_seconds=self._lease_seconds,
                **values,
            )
            yield connection

    def give_up(self) -> None:
        """Let another one take it at once."""
        try:
            with self._store.operator_writing() as connection:
                release_sync(connection, self._registry, self._name)
        except StoreError as error:
            log_error(error, worker=self._name)  # it ends by itself

    def _extend(self, done: threading.Event) -> None:
        while not done.wait(self._lease_seconds / 3):
            try:
                with self.writing():
                    pass
            except ConflictError:
                return  # found out again with the next write
            except StoreError as error:
                log_error(error, worker=self._name)
