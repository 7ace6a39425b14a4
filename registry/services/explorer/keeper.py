"""Keeps what is read of a registry's history: which copy it goes into, what is shown of it, and what is forgotten.

Upholds: what is shown changes in one transaction, and only to what was proven; a copy whose events are not those that
were kept is shown no more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from anchor.errors import HistoryError, LedgerError, LedgerUnavailableError
from anchor.events import AnyEvent, RawLog
from anchor.history import History
from anchor.ledger.client import LedgerClient
from anchor.ledger.complete import is_on_chain
from anchor.model import Basis, BlockHeader, RegistryId, TrustedRegistry
from registry.services.error_log import log_error
from registry.services.explorer.content import issuer_bytes, ledger_bytes, read_block_hash, tag_of, total
from registry.services.explorer.recheck import Recheck
from registry.services.explorer.restoring import Restorer
from registry.services.explorer.running import Running
from registry.services.explorer.turn import Turn
from registry.store.engine import Store
from registry.store.ledger_checkpoints import remove_checkpoints
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
from registry.store.ledger_events import (
    ROWS_A_PAGE,
    EventReader,
    EventRow,
    accounts_of,
    add_account,
    add_events,
    add_tallies,
)
from registry.store.ledger_issuers import IssuerRow, put_issuers

EVENTS_AT_ONCE: Final = 2_000
"""Kept in one transaction, and some more to the end of a block: in SQLite nobody else writes meanwhile."""
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
        self._restorer: Final = Restorer(store, registry, turn)
        self._running: Running | None = None
        self._recheck: Recheck | None = None

    def forget(self) -> None:
        """Take it that another process may have changed what is kept."""
        self._running = self._recheck = None

    def distrust(self, running: Running | None = None) -> None:
        """Take it that the checkpoint from which the replay went on, if it did, may be why something went wrong."""
        self._restorer.distrust(running or self._running)

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
            remove_checkpoints(connection, copy.id, after=copy.proven)
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
            self.forget()
            try:
                running = self._restorer.restored(copy, stop)
            except HistoryError as error:
                log_error(error, worker="history")
                self._give_copy_up(copy)
                return None
            if running is not None and running.went_on_from:
                self._recheck = Recheck(self._store, self._registry, running)
        if running is not None:
            self._running = running
        return running

    def take(
        self, running: Running, logs: Iterable[RawLog], up_to: int, *, limit: int | None, stop: threading.Event
    ) -> bool:
        """Take and keep logs; they are not shown yet.

        Args:
            running: Takes them.
            logs: In order.
            up_to: Number of the block up to which they are all.
            limit: After so many events in all it ends early; None: not because of that.
            stop: When it is set, it ends early.

        Returns:
            Whether all of them were taken.

        Raises:
            ConflictError: It is another process's turn.
            HistoryError: One does not fit.
            LedgerError: What gave them failed; those that came before are kept.
        """
        events: list[AnyEvent] = []
        number = running.read_to
        try:
            for log in logs:
                if len(events) >= EVENTS_AT_ONCE and log.block_number != number:
                    self._keep(running, events, number)
                    events = []
                    self._restorer.save(running)
                    if stop.is_set() or (limit is not None and running.count >= limit):
                        return False
                event = running.take(log)
                number = log.block_number
                if event is not None:
                    events.append(event)
        except LedgerError:
            # Answers have whole blocks: what came before this one stays good.
            self._keep(running, events, number)
            raise
        self._keep(running, events, up_to)
        return not stop.is_set()

    def take_over(self, running: Running, node: LedgerClient, stop: threading.Event) -> bool:
        """Take from the copy that is shown, if it is another one, what is on the chain still: no node need give it.

        Returns:
            Whether that is done.

        Raises:
            ConflictError, HistoryError, LedgerUnavailableError: As `take`.
        """
        shown = self.stand()[1]
        if shown is None or shown.id == running.copy:
            return True
        common = self._common_block(node, shown)
        if common is None or common <= running.read_to:
            return True
        return self.take(running, self._logs(shown, running.count, common), common, limit=None, stop=stop)

    def _logs(self, copy: CopyRecord, after: int, up_to: int) -> Iterator[RawLog]:
        while rows := self._rows(copy, after):
            for row in rows:
                if row.log.block_number > up_to:
                    return
                yield row.log
            after = rows[-1].number

    def _rows(self, copy: CopyRecord, after: int, limit: int = ROWS_A_PAGE) -> tuple[EventRow, ...]:
        with self._store.operator_reading() as connection:
            return EventReader(connection, self._registry, copy.id, copy.proven).page(after, limit)

    def _common_block(self, node: LedgerClient, copy: CopyRecord) -> int | None:
        """Find the last block with events of a copy that is on the chain; None: there is none."""
        low, high, common = 0, copy.proven, None
        while low < high:
            middle = (low + high + 1) // 2
            found = self._rows(copy, middle - 1, 1)
            if not found:
                return None
            log = found[0].log
            if is_on_chain(node, log.block_number, log.block_hash):
                low, common = middle, log.block_number
            else:
                high = middle - 1
        return common

    def _keep(self, running: Running, events: Sequence[AnyEvent], read_to: int) -> None:
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
            IssuerRow(issuer.issuer_id, issuer.did, issuer.did_hash, content)
            for number in running.changed()
            for issuer in [history.issuer(number)]
            for content in [
                issuer_bytes(issuer, counts[number], running.last_of(number), running.undone_before(number))
            ]
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
                remove_checkpoints(connection, shown.id)
                change_copy(connection, shown.id, retired_at=now)
        running.settle()
        self._restorer.save(running)

    def recheck(self, stop: threading.Event) -> bool:
        """Read some of the events again that were not read when this process began; tell whether there are more.

        Raises:
            ConflictError: It is another process's turn.
        """
        recheck = self._recheck
        if recheck is None:
            return False
        try:
            recheck.step(stop)
        except HistoryError as error:
            log_error(error, worker="history")
            self.forget()
            copy = self.stand()[2]
            if copy is not None and copy.id == recheck.copy:
                self._give_copy_up(copy)
            return True
        if recheck.is_done:
            self._recheck = None
        return not recheck.is_done

    def put_down(self) -> None:
        """Write down where it stands, for the process that comes after this one.

        Raises:
            ConflictError: It is another process's turn.
            StoreError: The database cannot be used.
        """
        running = self._running
        if running is not None and running.count == running.kept:
            self._restorer.save(running, at_end=True)

    def discard(self, copy: CopyRecord) -> None:
        """Forget what was read and could not be proven."""
        self.forget()
        if copy.block is None:
            self._give_copy_up(copy)
            return
        with self._turn.writing() as connection:
            drop_unproven(connection, copy)
            remove_checkpoints(connection, copy.id, after=copy.proven)
            change_copy(connection, copy.id, events=copy.proven, read_to=copy.block.number)

    def _begin(self) -> CopyRecord:
        with self._turn.writing() as connection:
            copy = add_copy(connection, self._registry)
            change_sync(connection, self._registry, read_ref=copy.id)
        return copy

    def _give_copy_up(self, copy: CopyRecord) -> None:
        shown = self.stand()[1]
        is_shown = shown is not None and shown.id == copy.id
        values = {"read_ref": None, **({"shown_ref": None} if is_shown else {})}
        with self._turn.writing(**values) as connection:
            remove_checkpoints(connection, copy.id)
            change_copy(connection, copy.id, retired_at=self._clock())

    def stand(self) -> tuple[SyncRecord, CopyRecord | None, CopyRecord | None]:
        """Look up how things stand: the copy that is shown, and the one that is read into."""
        with self._store.operator_reading() as connection:
            sync = get_sync(connection, self._registry)
            shown = None if sync.shown is None else get_copy(connection, sync.shown)
            read = None if sync.read is None else get_copy(connection, sync.read)
        return sync, shown, read
