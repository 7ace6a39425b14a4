"""Keeps what is read of a registry's history: which copy it goes into, what is shown of it, and what is forgotten.

Upholds: what is shown changes in one transaction, and only to what was proven; a copy whose events are not those that
were kept is shown no more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from anchor.errors import HistoryError, LedgerUnavailableError
from anchor.events import AnyEvent
from anchor.history import History
from anchor.ledger.client import LedgerClient
from anchor.ledger.complete import is_on_chain
from anchor.model import Basis, BlockHeader, RegistryId, TrustedRegistry
from registry.services.error_log import log_error
from registry.services.explorer.content import issuer_bytes, ledger_bytes, read_block_hash, read_tag, tag_of, total
from registry.services.explorer.running import Running
from registry.services.explorer.turn import Turn
from registry.store.engine import Store
from registry.store.ledger_copies import (
    CopyRecord,
    SyncRecord,
    add_copy,
    change_copy,
    change_sync,
    drop_unproven,
    get_copy,
    get_sync,
    is_any_retired,
    remove_retired,
)
from registry.store.ledger_events import EventReader, accounts_of, add_account, add_events, add_tallies
from registry.store.ledger_issuers import IssuerRow, put_issuers

KEEP_RETIRED_SECONDS: Final = 3_600
"""How long a copy stays whose place was taken: somebody may be downloading it."""


class Keeper:
    """What one process does to the database, as long as it is its turn.

    Args:
        store: The database.
        registry: Whose history.
        turn: Of this process.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, registry: RegistryId, turn: Turn, clock: Callable[[], int]) -> None:
        self._store: Final = store
        self._registry: Final = registry
        self._turn: Final = turn
        self._clock: Final = clock
        self._running: Running | None = None

    def forget(self) -> None:
        """Take it that another process may have changed what is kept."""
        self._running = None

    def is_up_to_date(self, block: BlockHeader) -> bool:
        """Tell whether what is shown was proven at this block; if so, nothing is in the way any more."""
        sync, shown, read = self.stand()
        if shown is None or shown != read or shown.events != shown.proven:
            return False
        if read_block_hash(shown.content) != block.hash:
            return False
        if sync.problem is not None:
            with self._turn.writing(problem=None):
                pass
        return True

    def tidy(self) -> bool:
        """Remove a part of the copies that are of no use any more; tell whether there may be more."""
        before = self._clock() - KEEP_RETIRED_SECONDS
        with self._store.operator_reading() as connection:
            if not is_any_retired(connection, self._registry, before=before):
                return False
        with self._turn.writing() as connection:
            remove_retired(connection, self._registry, before=before)
        return True

    def copy_for(self, node: LedgerClient, block: BlockHeader) -> CopyRecord:
        """Give the copy to read into: the one that is there, as long as its events are on the chain, or a new one.

        Raises:
            LedgerUnavailableError: The node has not answered, or the block is before what was read already.
        """
        copy = self.stand()[2]
        if copy is None:
            return self._begin()
        if block.number < copy.read_to:
            raise LedgerUnavailableError(
                f"the newest block that is vouched for, {block.number}, is before {copy.read_to}, up to which events "
                "were read"
            )
        if copy.block is None or is_on_chain(node, copy.block.number, copy.block.hash):
            return copy
        return self._taken_back(node, copy) or self._begin()

    def _taken_back(self, node: LedgerClient, copy: CopyRecord) -> CopyRecord | None:
        """Go back to the last event that was proven, if its block is on the chain still: most blocks have none."""
        with self._store.operator_reading() as connection:
            last = EventReader(connection, self._registry, copy.id, copy.proven).newest(limit=1)
        if not last or not is_on_chain(node, last[0].log.block_number, last[0].log.block_hash):
            return None
        log = last[0].log
        running = self._running
        with self._turn.writing() as connection:
            drop_unproven(connection, copy)
            change_copy(
                connection,
                copy.id,
                events=copy.proven,
                read_to=log.block_number,
                block_number=log.block_number,
                block_hash=log.block_hash,
            )
        if running is not None and (running.copy, running.kept) == (copy.id, copy.proven):
            running.read_to = log.block_number
        return self.stand()[2]

    def running_of(self, copy: CopyRecord, stop: threading.Event) -> Running | None:
        """Give what the events of a copy led to; None: told to stop, or the copy was of no use."""
        running = self._running
        if running is None or (running.copy, running.kept, running.read_to) != (copy.id, copy.events, copy.read_to):
            self._running = None
            try:
                running = self._restored(copy, stop)
            except HistoryError as error:
                log_error(error, worker="history")
                self._give_copy_up(copy)
                return None
        if running is not None:
            self._running = running
        return running

    def keep(self, running: Running, events: Sequence[AnyEvent], read_to: int) -> None:
        """Keep events that were taken, all up to a block; they are not shown yet.

        Raises:
            ConflictError: It is another process's turn.
            HistoryError: One cannot be kept.
        """
        with self._turn.writing() as connection:
            if events:
                add_events(connection, running.copy, running.kept + 1, events)
            for number, event in enumerate(events, start=running.kept + 1):
                for account in accounts_of(event):
                    if account not in running.accounts:
                        add_account(connection, running.copy, account, number)
                        running.accounts.add(account)
            change_copy(connection, running.copy, events=running.count, read_to=read_to)
        running.kept, running.read_to = running.count, read_to

    def show(self, running: Running, history: History, basis: Basis, pin: TrustedRegistry) -> None:
        """Show what was proven, in one moment.

        Raises:
            ConflictError: It is another process's turn.
        """
        counts, now = running.counts(history), self._clock()
        rows = [
            IssuerRow(issuer.issuer_id, issuer.did, issuer.did_hash, issuer_bytes(issuer, counts[number], last_at))
            for number in running.changed()
            for issuer, last_at in [(history.issuer(number), running.last_of(number))]
        ]
        content = ledger_bytes(
            history,
            pin,
            basis,
            total(counts.values(), running.count),
            first_at=running.first_at,
            last_at=running.last_at,
            tag=tag_of(running.copy, history),
        )
        _, shown, copy = self.stand()
        proven = 0 if copy is None else copy.proven
        with self._turn.writing(shown_ref=running.copy, read_ref=running.copy, problem=None) as connection:
            if running.count > proven:
                add_tallies(connection, running.copy, proven + 1, running.count)
            put_issuers(connection, running.copy, rows)
            change_copy(
                connection,
                running.copy,
                proven=running.count,
                block_number=basis.block_number,
                block_hash=basis.block_hash,
                content=content,
                proven_at=now,
            )
            if shown is not None and shown.id != running.copy:
                change_copy(connection, shown.id, retired_at=now)
        running.settle()

    def discard(self, copy: CopyRecord) -> None:
        """Forget what was read and could not be proven."""
        self._running = None
        if copy.block is None:
            self._give_copy_up(copy)
            return
        with self._turn.writing() as connection:
            drop_unproven(connection, copy)
            change_copy(connection, copy.id, events=copy.proven, read_to=copy.block.number)

    def _begin(self) -> CopyRecord:
        with self._turn.writing() as connection:
            copy = add_copy(connection, self._registry)
            change_sync(connection, self._registry, read_ref=copy.id)
        return copy

    def _restored(self, copy: CopyRecord, stop: threading.Event) -> Running | None:
        """Replay what is kept.

        Raises:
            HistoryError: That is not what was kept.
        """
        running = Running(self._registry, copy.id)
        while running.count < copy.events:
            if stop.is_set():
                return None
            with self._store.operator_reading() as connection:
                rows = EventReader(connection, self._registry, copy.id, copy.events).page(running.count)
            for row in rows:
                running.restore(row.log)
                if running.count == copy.proven and not self._is_as_proven(running, copy):
                    rows = ()
            if not rows:
                raise HistoryError("the events in the database are not those that were kept there")
        running.kept, running.read_to = copy.events, copy.read_to
        return running

    def _is_as_proven(self, running: Running, copy: CopyRecord) -> bool:
        history = running.result()
        running.counts(history)
        running.settle()
        return read_tag(copy.content) == tag_of(copy.id, history)

    def _give_copy_up(self, copy: CopyRecord) -> None:
        shown = self.stand()[1]
        is_shown = shown is not None and shown.id == copy.id
        values = {"read_ref": None, **({"shown_ref": None} if is_shown else {})}
        with self._turn.writing(**values) as connection:
            change_copy(connection, copy.id, retired_at=self._clock())

    def stand(self) -> tuple[SyncRecord, CopyRecord | None, CopyRecord | None]:
        """Look up how things stand: the copy that is shown, and the one that is read into."""
        with self._store.operator_reading() as connection:
            sync = get_sync(connection, self._registry)
            shown = None if sync.shown is None else get_copy(connection, sync.shown)
            read = None if sync.read is None else get_copy(connection, sync.read)
        return sync, shown, read
