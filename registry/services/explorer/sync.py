"""Brings the database's copy of a registry's history up to date: reads events, replays them, proves that they are all.

Upholds: nothing is shown that was not proven complete by the heads in the contract's state, at a block that is vouched
for as the operator's policy wants. What was read before that is kept apart, and forgotten if the proof fails; what was
shown stays shown meanwhile, as of its own block.

    1  the newest block that is vouched for                                              anchor.ledger.complete
    2  events up to it, a few thousand at a time, each replayed before it is kept        anchor.replay
    3  proof that they are all; only then, in one transaction, they are shown

A step does a bounded part of that. Of several processes one has its turn at a time; whoever takes it over replays what
is kept, so that damage to the database is found, too. If the block at which the history was proven is not on the chain
any more, it is read anew into another copy, which takes the place of the old one once it is proven.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from anchor.errors import CredanchorError, HistoryError, LedgerError, LedgerUnavailableError, UndeterminedError
from anchor.events import AnyEvent
from anchor.history import History
from anchor.ledger.client import LedgerClient, clients_of
from anchor.ledger.complete import VouchedRegistry, is_on_chain
from anchor.ledger.vouching import combined
from anchor.model import BlockHeader, Policy, RegistryId, TrustedRegistry
from registry.errors import ConflictError, SettingsError, StoreError
from registry.services.error_log import log_error
from registry.services.explorer.content import issuer_bytes, ledger_bytes, read_tag, tag_of, total
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

LEASE_SECONDS: Final = 60
EVENTS_AT_ONCE: Final = 2_000
"""Kept in one transaction, and some more to the end of a block: in SQLite nobody else writes meanwhile."""
EVENTS_A_STEP: Final = 20_000
"""After so many the newest block is asked for again: nodes have proofs of the last few only."""
BLOCKS_AT_ONCE: Final = 1_000_000
"""Then it is kept that they were read, be there events in them or not."""
KEEP_RETIRED_SECONDS: Final = 3_600
"""How long a copy stays whose place was taken: somebody may be downloading it."""

_NOT_WHOLE: Final = "the events that the ledger's nodes gave are not the whole history"
_NO_ANSWER: Final = "no node of the ledger gave an answer that could be used"
_NOT_VOUCHED: Final = "nothing vouches for a newer block as the operator's policy wants"
_NO_POLICY: Final = "the operator's policy cannot be used, or does not trust this registry"


class HistorySync:
    """Any number of these may share one database.

    Args:
        store: The database.
        registry: Whose history.
        policy: Reads the operator's policy: nodes, pins, what vouches for a block.
        name: Of this process, unlike any other's.
        clock: Unix seconds.
        seconds: How often to look for a newer block.
        lease_seconds: How long others leave it alone without a word from this one.
    """

    def __init__(
        self,
        store: Store,
        registry: RegistryId,
        policy: Callable[[], Policy],
        *,
        name: str,
        clock: Callable[[], int],
        seconds: float,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self._turn: Final = Turn(store, registry, name, clock, lease_seconds)
        self._store: Final = store
        self._registry: Final = registry
        self._policy: Final = policy
        self._name: Final = name
        self._clock: Final = clock
        self._seconds: Final = seconds
        self._nodes: Sequence[LedgerClient] = ()
        self._addresses: tuple[str, ...] = ()
        self._running: Running | None = None

    def run(self, stop: threading.Event) -> None:
        """Keep the history up to date until told to stop."""
        while not stop.is_set():
            try:
                is_there_more = self.step(stop)
            except StoreError as error:
                log_error(error, worker=self._name)
                is_there_more = False
            if not is_there_more:
                stop.wait(self._seconds)
        self._turn.give_up()
        self._disconnect()

    def step(self, stop: threading.Event) -> bool:
        """Do the next part, if it is this process's turn; tell whether there is more to do at once.

        Args:
            stop: When it is set, it ends early, with what it has.

        Raises:
            StoreError: The database cannot be used.
        """
        if not self._turn.take():
            self._running = None
            return False
        try:
            with self._turn.holding():
                return self._advance(stop)
        except ConflictError:
            self._running = None
            return False
        except StoreError:
            self._running = None
            raise
        except CredanchorError as error:
            self._note(error)
            return False

    def _note(self, error: CredanchorError) -> None:
        """Say what is in the way, in words for everybody; what exactly, where the operator sees it."""
        match error:
            case HistoryError():
                problem = _NOT_WHOLE
            case LedgerError():
                problem = _NO_ANSWER
            case UndeterminedError():
                problem = _NOT_VOUCHED
            case _:
                problem = _NO_POLICY
        if self._stand()[0].problem == problem:
            return
        log_error(error, worker=self._name)
        try:
            with self._turn.writing(problem=problem):
                pass
        except ConflictError:
            self._running = None

    # A step.

    def _advance(self, stop: threading.Event) -> bool:
        policy = self._policy()
        pin = policy.pin_of(self._registry)
        if pin is None:
            raise SettingsError(f"the policy does not trust the registry {self._registry.to_text()}")
        self._connect(policy)
        vouched = VouchedRegistry(self._nodes, pin, policy, self._clock())
        if self._is_up_to_date(vouched.block):
            return self._tidy()
        failures: list[LedgerError] = []
        refuted: HistoryError | None = None
        for node in vouched.sources():
            try:
                return self._read_from(node, vouched, pin, stop)
            except LedgerError as error:
                failures.append(error)
            except HistoryError as error:
                # Whatever one node gives is no proof against what another may give.
                refuted = error
        raise combined(failures) if refuted is None else refuted

    def _connect(self, policy: Policy) -> None:
        if policy.nodes != self._addresses:
            self._disconnect()
            self._nodes, self._addresses = clients_of(policy), policy.nodes

    def _disconnect(self) -> None:
        for node in self._nodes:
            node.close()

    def _is_up_to_date(self, block: BlockHeader) -> bool:
        sync, shown, read = self._stand()
        if (
            shown is None
            or shown != read
            or shown.block is None
            or shown.block.hash != block.hash
            or shown.events != shown.proven
        ):
            return False
        if sync.problem is not None:
            with self._turn.writing(problem=None):
                pass
        return True

    def _tidy(self) -> bool:
        """Remove a part of the copies that are of no use any more; tell whether there may be more."""
        before = self._clock() - KEEP_RETIRED_SECONDS
        with self._store.operator_reading() as connection:
            if not is_any_retired(connection, self._registry, before=before):
                return False
        with self._turn.writing() as connection:
            remove_retired(connection, self._registry, before=before)
        return True

    def _read_from(
        self, node: LedgerClient, vouched: VouchedRegistry, pin: TrustedRegistry, stop: threading.Event
    ) -> bool:
        block = vouched.block
        node.require_chain(self._registry.chain_id)
        copy = self._copy_for(node, block)
        running = self._running_of(copy, stop)
        if running is None:
            return not stop.is_set()
        try:
            if not self._take(node, running, block, stop):
                return not stop.is_set()
            history = running.result()
            vouched.check(history)
        except HistoryError as error:
            self._discard(copy)
            # Events are named by block number, the proof by block hash: after a reorganisation they are of two chains.
            if not is_on_chain(node, block.number, block.hash):
                raise LedgerUnavailableError("the chain was reorganised meanwhile") from error
            raise
        self._show(running, history, vouched, pin)
        return False

    def _copy_for(self, node: LedgerClient, block: BlockHeader) -> CopyRecord:
        """Give the copy to read into: the one that is there, as long as its block is on the chain, or a new one."""
        copy = self._stand()[2]
        if copy is None:
            return self._begin()
        if block.number < copy.read_to:
            raise LedgerUnavailableError(
                f"the newest block that is vouched for, {block.number}, is before {copy.read_to}, up to which events "
                "were read"
            )
        if copy.block is not None and not is_on_chain(node, copy.block.number, copy.block.hash):
            return self._begin()
        return copy

    def _begin(self) -> CopyRecord:
        with self._turn.writing() as connection:
            copy = add_copy(connection, self._registry)
            change_sync(connection, self._registry, read_ref=copy.id)
        return copy

    def _running_of(self, copy: CopyRecord, stop: threading.Event) -> Running | None:
        """Give what the events of a copy led to; None: told to stop, or the copy was of no use."""
        running = self._running
        if running is None or (running.copy, running.kept, running.read_to) != (copy.id, copy.events, copy.read_to):
            self._running = None
            try:
                running = self._restored(copy, stop)
            except HistoryError as error:
                log_error(error, worker=self._name)
                self._give_copy_up(copy)
                return None
        if running is not None:
            self._running = running
        return running

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

    def _take(self, node: LedgerClient, running: Running, block: BlockHeader, stop: threading.Event) -> bool:
        """Take and keep events up to a block; tell whether that was all of them.

        Raises:
            HistoryError: One does not fit.
        """
        limit = running.count + EVENTS_A_STEP
        while running.read_to < block.number:
            last = min(running.read_to + BLOCKS_AT_ONCE, block.number)
            events: list[AnyEvent] = []
            number = running.read_to
            try:
                for log in node.logs(self._registry.address, running.read_to + 1, last):
                    if len(events) >= EVENTS_AT_ONCE and log.block_number != number:
                        self._keep(running, events, number)
                        events = []
                        if running.count >= limit or stop.is_set():
                            return False
                    event = running.take(log)
                    number = log.block_number
                    if event is not None:
                        events.append(event)
            except LedgerError:
                # Answers have whole blocks: what came before this one stays good.
                self._keep(running, events, number)
                raise
            self._keep(running, events, last)
            if stop.is_set():
                return False
        return True

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

    def _show(self, running: Running, history: History, vouched: VouchedRegistry, pin: TrustedRegistry) -> None:
        """Show what was proven, in one moment."""
        counts, now = running.counts(history), self._clock()
        rows = [
            IssuerRow(issuer.issuer_id, issuer.did, issuer.did_hash, issuer_bytes(issuer, counts[number], last_at))
            for number in running.changed()
            for issuer, last_at in [(history.issuer(number), running.last_of(number))]
        ]
        content = ledger_bytes(
            history,
            pin,
            vouched.basis,
            total(counts.values(), running.count),
            first_at=running.first_at,
            last_at=running.last_at,
            tag=tag_of(running.copy, history),
        )
        _, shown, copy = self._stand()
        proven = 0 if copy is None else copy.proven
        with self._turn.writing(shown_ref=running.copy, read_ref=running.copy, problem=None) as connection:
            if running.count > proven:
                add_tallies(connection, running.copy, proven + 1, running.count)
            put_issuers(connection, running.copy, rows)
            change_copy(
                connection,
                running.copy,
                proven=running.count,
                block_number=vouched.block.number,
                block_hash=vouched.block.hash,
                content=content,
                proven_at=now,
            )
            if shown is not None and shown.id != running.copy:
                change_copy(connection, shown.id, retired_at=now)
        running.settle()

    def _discard(self, copy: CopyRecord) -> None:
        """Forget what was read and could not be proven."""
        self._running = None
        if copy.block is None:
            self._give_copy_up(copy)
            return
        with self._turn.writing() as connection:
            drop_unproven(connection, copy)
            change_copy(connection, copy.id, events=copy.proven, read_to=copy.block.number)

    def _give_copy_up(self, copy: CopyRecord) -> None:
        shown = self._stand()[1]
        is_shown = shown is not None and shown.id == copy.id
        values = {"read_ref": None, **({"shown_ref": None} if is_shown else {})}
        with self._turn.writing(**values) as connection:
            change_copy(connection, copy.id, retired_at=self._clock())

    def _stand(self) -> tuple[SyncRecord, CopyRecord | None, CopyRecord | None]:
        """Look up how things stand: the copy that is shown, and the one that is read into."""
        with self._store.operator_reading() as connection:
            sync = get_sync(connection, self._registry)
            shown = None if sync.shown is None else get_copy(connection, sync.shown)
            read = None if sync.read is None else get_copy(connection, sync.read)
        return sync, shown, read
