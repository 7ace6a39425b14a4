"""Brings the database's copy of a registry's history up to date: reads events, replays them, proves that they are all.

Upholds: nothing is shown that was not proven complete by the heads in the contract's state, at a block that is vouched
for as the operator's policy wants. What was read before that is kept apart, and forgotten if the proof fails; what was
shown stays shown meanwhile, as of its own block.

    1  the newest block that is vouched for                                              anchor.ledger.complete
    2  events up to it, a few thousand at a time, each replayed before it is kept        anchor.replay
    3  proof that they are all; only then, in one transaction, they are shown

A step does a bounded part of that. Of several processes one has its turn at a time; whoever takes it over replays what
is kept, so that damage to the database is found, too. If blocks with events that were proven are not on the chain any
more, what came before them goes into another copy, which takes the place of the old one once it is proven.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from anchor.errors import CredanchorError, HistoryError, LedgerError, LedgerUnavailableError, UndeterminedError
from anchor.ledger.client import LedgerClient, clients_of
from anchor.ledger.complete import VouchedRegistry, is_on_chain
from anchor.ledger.vouching import combined
from anchor.model import BlockHeader, Policy, RegistryId, TrustedRegistry
from registry.errors import ConflictError, SettingsError, StoreError
from registry.services.error_log import log_error
from registry.services.explorer.keeper import Keeper
from registry.services.explorer.running import Running
from registry.services.explorer.turn import Turn
from registry.store.engine import Store

LEASE_SECONDS: Final = 60
EVENTS_A_STEP: Final = 20_000
"""After so many the newest block is asked for again: nodes have proofs of the last few only."""
BLOCKS_AT_ONCE: Final = 1_000_000
"""Then it is kept that they were read, be there events in them or not."""

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
        self._keeper: Final = Keeper(store, registry, self._turn, clock)
        self._registry: Final = registry
        self._policy: Final = policy
        self._name: Final = name
        self._clock: Final = clock
        self._seconds: Final = seconds
        self._nodes: Sequence[LedgerClient] = ()
        self._addresses: tuple[str, ...] = ()

    def run(self, stop: threading.Event) -> None:
        """Keep the history up to date until told to stop."""
        while not stop.is_set():
            try:
                is_there_more = self.step(stop)
            except Exception as error:  # noqa: BLE001 - nothing is shown because of it; the next round may do better
                log_error(error, worker=self._name)
                if not isinstance(error, StoreError):
                    self._keeper.distrust()
                self._keeper.forget()
                is_there_more = False
            if not is_there_more:
                stop.wait(self._seconds)
        self._put_down()
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
            self._keeper.forget()
            return False
        try:
            with self._turn.holding():
                return self._advance(stop) or self._keeper.recheck(stop)
        except ConflictError:
            self._keeper.forget()
            return False
        except StoreError:
            raise
        except CredanchorError as error:
            self._note(error)
            return False

    def _put_down(self) -> None:
        """Leave a checkpoint, so that the next process need not replay what this one did."""
        try:
            if self._turn.take():
                with self._turn.holding():
                    self._keeper.put_down()
        except CredanchorError as error:
            log_error(error, worker=self._name)  # the next one replays more

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
        if self._keeper.stand()[0].problem == problem:
            return
        log_error(error, worker=self._name)
        try:
            with self._turn.writing(problem=problem):
                pass
        except ConflictError:
            self._keeper.forget()

    # A step.

    def _advance(self, stop: threading.Event) -> bool:
        policy = self._policy()
        pin = policy.pin_of(self._registry)
        if pin is None:
            raise SettingsError(f"the policy does not trust the registry {self._registry.to_text()}")
        self._connect(policy)
        vouched = VouchedRegistry(self._nodes, pin, policy, self._clock())
        if self._keeper.is_up_to_date(vouched.block):
            while not stop.is_set() and self._keeper.tidy():
                pass
            return False
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

    def _read_from(
        self, node: LedgerClient, vouched: VouchedRegistry, pin: TrustedRegistry, stop: threading.Event
    ) -> bool:
        block = vouched.block
        node.require_chain(self._registry.chain_id)
        copy = self._keeper.copy_for(node, block)
        running = self._keeper.running_of(copy, stop)
        if running is None:
            return not stop.is_set()
        try:
            if not self._keeper.take_over(running, node, stop) or not self._take(node, running, block, stop):
                return not stop.is_set()
            history = running.result()
            vouched.check(history)
        except HistoryError as error:
            self._keeper.discard(copy)
            # Events are named by block number, the proof by block hash: after a reorganisation they are of two chains.
            if not is_on_chain(node, block.number, block.hash):
                raise LedgerUnavailableError("the chain was reorganised meanwhile") from error
            self._keeper.distrust(running)
            raise
        self._keeper.show(running, history, vouched.basis, pin)
        return False

    def _take(self, node: LedgerClient, running: Running, block: BlockHeader, stop: threading.Event) -> bool:
        """Take and keep events up to a block; tell whether that was all of them.

        Raises:
            HistoryError: One does not fit.
        """
        limit = running.count + EVENTS_A_STEP
        while running.read_to < block.number:
            last = min(running.read_to + BLOCKS_AT_ONCE, block.number)
            logs = node.logs(self._registry.address, running.read_to + 1, last)
            if not self._keeper.take(running, logs, last, limit=limit, stop=stop):
                return False
        return True
