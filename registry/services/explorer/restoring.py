"""Gives the replay of a copy's events back to a process that has not replayed them: from a checkpoint, or all of them.

Upholds: whatever is wrong with a checkpoint, all events are replayed, and that decides. A checkpoint that this process
went on from, and with which something went wrong, is not gone on from again, nor any other but its own.
"""

from __future__ import annotations

import threading
from typing import Final

from anchor.errors import HistoryError
from anchor.model import RegistryId
from registry.services.error_log import log_error
from registry.services.explorer.checkpoints import Checkpoints
from registry.services.explorer.content import read_tag, tag_of
from registry.services.explorer.running import Running
from registry.services.explorer.turn import Turn
from registry.store.engine import Store
from registry.store.ledger_copies import CopyRecord
from registry.store.ledger_events import ROWS_A_PAGE, EventReader

EVENTS_BETWEEN: Final = 20_000
"""A checkpoint is written after so many events, or after an eighth of all if that is more: so each second of writing,
which takes as long as there is much of batches and status words, saves several of replaying."""
EVENTS_AT_END: Final = 500
"""When a process ends, one is written for so many: fewer are replayed at once."""
SHARE: Final = 8


class Restorer:
    """Restores, and writes checkpoints to restore from.

    Args:
        store: The database.
        registry: Whose history.
        turn: Of this process.
    """

    def __init__(self, store: Store, registry: RegistryId, turn: Turn) -> None:
        self._store: Final = store
        self._registry: Final = registry
        self._checkpoints: Final = Checkpoints(store, registry, turn)
        self._own: bytes | None = None
        """Digest of the last checkpoint that rests on nothing but events that this process replayed."""
        self._trusts_others = True

    def distrust(self, running: Running | None) -> None:
        """Take it that the checkpoint from which the replay went on, if any, may be why something went wrong."""
        if running is not None and running.went_on_from and self._trusts_others:
            self._trusts_others = False
            log_error(HistoryError("what was gone on from may be wrong; all events are replayed"), worker="history")

    def save(self, running: Running, *, at_end: bool = False) -> None:
        """Write a checkpoint if it is worth it.

        Args:
            running: All of whose events are kept, at the end of a block.
            at_end: The process ends.

        Raises:
            ConflictError: It is another process's turn.
            HistoryError: The last event cannot stand alone.
        """
        between = EVENTS_AT_END if at_end else max(EVENTS_BETWEEN, running.count // SHARE)
        if running.count - running.saved >= between:
            digest = self._checkpoints.save(running)
            self._own = None if running.went_on_from else digest

    def restored(self, copy: CopyRecord, stop: threading.Event) -> Running | None:
        """Give what the events of a copy led to; None: told to stop.

        Raises:
            HistoryError: They are not those that were kept.
        """
        try:
            running = self._gone_on(copy)
            if running is not None:
                return self._replayed(running, copy, stop)
        except HistoryError as error:
            # Without the places in the code, which are as they should be.
            log_error(HistoryError(f"{error}; all events are replayed"), worker="history")
            self._trusts_others = False
        return self._replayed(Running(self._registry, copy.id), copy, stop)

    def _gone_on(self, copy: CopyRecord) -> Running | None:
        row = self._checkpoints.find(copy)
        if row is None or not (self._trusts_others or row.digest == self._own):
            return None
        running = self._checkpoints.load(copy, row)
        if row.digest == self._own:
            running.went_on_from = 0
        if running.count == copy.proven and not _is_as_proven(running, copy):
            raise HistoryError("the checkpoint's heads are not those that were proven")
        return running

    def _replayed(self, running: Running, copy: CopyRecord, stop: threading.Event) -> Running | None:
        while running.count < copy.events:
            if stop.is_set():
                return None
            with self._store.operator_reading() as connection:
                rows = EventReader(connection, self._registry, copy.id, copy.events).page(running.count, ROWS_A_PAGE)
            for row in rows:
                running.restore(row.log)
                if running.count == copy.proven and not _is_as_proven(running, copy):
                    rows = ()
            if not rows:
                raise HistoryError("the events in the database are not those that were kept there")
        running.kept, running.read_to = copy.events, copy.read_to
        return running


def _is_as_proven(running: Running, copy: CopyRecord) -> bool:
    history = running.result()
    running.counts(history)
    running.settle()
    return read_tag(copy.content) == tag_of(copy.id, history)
