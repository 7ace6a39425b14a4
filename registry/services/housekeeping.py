"""What the service has kept long enough is removed: messages to webhooks, and answers to writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from registry.errors import StoreError
from registry.services.error_log import log_error
from registry.store.deliveries import remove_old_deliveries
from registry.store.engine import Store
from registry.store.idempotency import forget_answers

EVERY_SECONDS: Final = 3600.0


class Housekeeper:
    """Any number of these may share one database.

    Args:
        store: The database.
        clock: Unix seconds.
        keep_deliveries_seconds: How long messages stay that arrived or were given up.
        keep_answers_seconds: How long a write that comes again under its key is answered as the first time.
    """

    def __init__(
        self, store: Store, *, clock: Callable[[], int], keep_deliveries_seconds: int, keep_answers_seconds: int
    ) -> None:
        self._store: Final = store
        self._clock: Final = clock
        self._keep_deliveries: Final = keep_deliveries_seconds
        self._keep_answers: Final = keep_answers_seconds

    def run(self, stop: threading.Event) -> None:
        """Tidy up now and every hour, until told to stop."""
        while not stop.is_set():
            try:
                self.tidy()
            except StoreError as error:
                log_error(error, worker="housekeeper")
            stop.wait(EVERY_SECONDS)

    def tidy(self) -> None:
        """Remove what is too old, a part at a time: in SQLite nobody else writes meanwhile.

        Raises:
            StoreError: The database cannot be used.
        """
        now = self._clock()
        with self._store.operator_writing() as connection:
            forget_answers(connection, before=now - self._keep_answers)
        is_there_more = True
        while is_there_more:
            with self._store.operator_writing() as connection:
                is_there_more = remove_old_deliveries(connection, before=now - self._keep_deliveries) > 0
