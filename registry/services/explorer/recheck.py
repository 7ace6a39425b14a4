"""Reads the events before a checkpoint again, a part at a time, once a process has gone on from it and is up to date.

Upholds: damage to events that nobody read at the start is found some minutes later: their heads must lead to those of
the checkpoint. In memory there is nothing but the heads.
"""

from __future__ import annotations

import threading
from typing import Final

from anchor.errors import HistoryError
from anchor.logs import first_head, next_head, parse_log
from anchor.model import Hash32, RegistryId
from registry.services.explorer.running import Running
from registry.store.engine import Store
from registry.store.ledger_events import ROWS_A_PAGE, EventReader, EventRow

EVENTS_AT_ONCE: Final = 5_000
"""Half a second: then there may be a newer block."""
_NOT_AS_KEPT: Final = "the events in the database are not those that were kept there, and that were checked once"


class Recheck:
    """Where the reading stands.

    Args:
        store: The database.
        registry: Whose history.
        running: What went on from it, before any event was taken.
    """

    def __init__(self, store: Store, registry: RegistryId, running: Running) -> None:
        self.copy: Final = running.copy
        self._store: Final = store
        self._registry: Final = registry
        self._last: Final = running.went_on_from
        self._expected: Final = running.first_heads
        self._heads: Final[dict[int | None, Hash32]] = {}
        self._read = 0

    @property
    def is_done(self) -> bool:
        """Tell whether all were read."""
        return self._read == self._last

    def step(self, stop: threading.Event) -> None:
        """Read some.

        Raises:
            HistoryError: They are not those that were kept.
        """
        end = min(self._read + EVENTS_AT_ONCE, self._last)
        while self._read < end and not stop.is_set():
            with self._store.operator_reading() as connection:
                reader = EventReader(connection, self._registry, self.copy, end)
                rows = reader.page(self._read, ROWS_A_PAGE)
            if not rows or not all(map(self._follows, rows)):
                raise HistoryError(_NOT_AS_KEPT)
        if self.is_done and self._heads != self._expected:
            raise HistoryError(_NOT_AS_KEPT)

    def _follows(self, row: EventRow) -> bool:
        self._read += 1
        try:
            event = parse_log(row.log)
        except HistoryError:
            return False
        if event is None or row.number != self._read:
            return False
        for issuer_id in event.heads:
            before = self._heads.get(issuer_id) or first_head(self._registry, issuer_id)
            self._heads[issuer_id] = next_head(before, event.event_hash)
        return event.heads.items() <= self._heads.items()
