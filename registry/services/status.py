"""Revoking, suspending and reinstating, one or many: first a plan, which can be shown and priced, then the sending.

    1  settle   earlier status transactions whose fate is not known
    2  prove    the batches are anchored by this issuer; how each credential stands
    3  plan     what would change nothing is passed over; the rest in as few transactions as there can be: one for each
                status list, however many credentials, or `revokeBatch` for a whole batch
    4  send     one after the other; each is in the database before a node has it

Killed at any point, the same again does only what is not done yet: steps 1 and 2 find out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Final

from anchor.errors import LedgerError, OutcomeUnknownError, ReplacedError, RevertedError
from anchor.ledger.answers import Receipt
from anchor.model import Address
from anchor.status import StatusReason
from registry.services.account import signed_versions
from registry.services.ledger_state import LedgerView
from registry.services.sending import Outbox, note_mined
from registry.services.status_plan import StatusPlan, StatusPlanner, Step
from registry.services.targets import StatusTarget
from registry.store.batches import issuer_ref
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.people import names_at
from registry.store.records import StatusKind, TransactionId, TransactionRecord
from registry.store.transactions import keep_batch_revocation, keep_status_changes, open_status_transactions

_NAMED: Final = 5
"""How many of those that change are named to the person who confirms."""

Keep = Callable[[InstitutionConnection, TransactionId], object]
"""Keeps, in the database transaction that keeps a signed one, what has to be kept with it."""


class StatusService:
    """Changes the status of one issuer's credentials.

    Args:
        store: The registry's database; may be empty.
        outbox: Sends with the issuer's STATUS key.
        view: The registry on the ledger.
        issuer_id: The issuer.
    """

    def __init__(self, store: Store, outbox: Outbox, view: LedgerView, issuer_id: int) -> None:
        self._store: Final = store
        self._outbox: Final = outbox
        self.planner: Final = StatusPlanner(view, issuer_id)

    @property
    def sender(self) -> Address:
        """The STATUS key's account, whoever sends for it."""
        return self._outbox.sender.actor

    def plan(self, targets: Sequence[StatusTarget], kind: StatusKind, reason: StatusReason) -> StatusPlan:
        """Work out what a change comes to; sends nothing new.

        Args:
            targets: From `registry.services.targets`.
            kind: What to do.
            reason: Why; it stands on the ledger for ever.

        Raises:
            NotAnchoredError: A batch is not on the ledger.
            LedgerUnavailableError: The node did not answer; safe to try again.
            OutcomeUnknownError: An earlier transaction is not mined yet; trying again finds out.
        """
        self.settle_earlier()
        return self.planner.plan(targets, kind, reason)

    def names(self, plan: StatusPlan) -> tuple[str, ...]:
        """Give the names of the first of those whose credentials would change, as far as the database knows them."""
        view, first = self.planner.view, islice(plan.effect.positions(), _NAMED)
        with self._store.reading() as connection:
            return names_at(connection, view.registry, self.planner.issuer_id, tuple(first))

    def carry_out(self, plan: StatusPlan, *, now: int) -> tuple[Receipt, ...]:
        """Send what was planned, and wait until it is mined.

        Args:
            plan: From `plan`, just now.
            now: Unix seconds.

        Raises:
            RevertedError: The contract refused.
            LedgerUnavailableError: The node did not answer; safe to try again.
            OutcomeUnknownError: Sent, but not mined yet; trying again finds out.
        """
        receipts: list[Receipt] = []
        for step in plan.steps:
            try:
                receipt = self.settle(self.send(step, now=now))
            except LedgerError as error:
                if len(plan.steps) > 1:
                    done = f"{len(receipts)} of {len(plan.steps)} transactions are done"
                    error.advise(f"{done}: the same command again does only the rest.")
                raise
            self.planner.check(step, receipt)
            receipts.append(receipt)
        return tuple(receipts)

    def send(self, step: Step, keep: Keep = lambda _connection, _transaction: None, *, now: int) -> TransactionId:
        """Send one transaction of a plan.

        Args:
            step: Of a plan made just now.
            keep: Keeps with the signed transaction what has to be; what it raises undoes that, and nothing is sent.
            now: Unix seconds.

        Raises:
            LedgerError: As of `Outbox.send`.
        """
        return self._outbox.send(step.call, partial(self._keep, step, keep), now=now)

    def settle(self, transaction: TransactionId) -> Receipt:
        """Wait until a transaction is mined, and note it.

        Raises:
            LedgerError: As of `Outbox.settle`.
        """
        receipt = self._outbox.settle(transaction)
        with self._store.writing() as connection:
            note_mined(connection, transaction, receipt)
        return receipt

    def settle_earlier(self) -> None:
        """Find out what became of all status transactions of the account whose fate is not known.

        Raises:
            LedgerUnavailableError: The node did not answer; safe to try again.
            OutcomeUnknownError: One is not mined yet; trying again finds out.
        """
        for waiting in self._open():
            self._settle_somehow(waiting)

    def settle_what_can_be(self) -> bool:
        """Find out what became of status transactions of the account; tell whether the fate of all is known now.

        Raises:
            LedgerUnavailableError: The node did not answer; safe to try again.
        """
        for waiting in self._open():
            try:
                self._settle_somehow(waiting)
            except OutcomeUnknownError:
                return False  # those after it have higher nonces: they are not mined before it is
        return True

    def block_of(self, transaction: TransactionRecord) -> int | None:
        """Give the number of the block that has a transaction now; None: none has it, or the contract refused it.

        Raises:
            LedgerUnavailableError: The node did not answer.
        """
        receipt = self._outbox.sender.reconcile(*signed_versions(transaction)).receipt
        return receipt.block_number if receipt is not None and receipt.succeeded else None

    def _open(self) -> Sequence[TransactionId]:
        sender = self._outbox.sender
        with self._store.reading() as connection:
            records = open_status_transactions(connection, sender.chain_id, sender.address)
        return [record.id for record in records]

    def _settle_somehow(self, transaction: TransactionId) -> None:
        try:
            self.settle(transaction)
        except (RevertedError, ReplacedError):
            return  # noted; what it was to change is asked for again, or is no longer wanted

    def _keep(self, step: Step, keep: Keep, connection: InstitutionConnection, transaction: TransactionId) -> None:
        issuer = issuer_ref(connection, self.planner.view.registry, self.planner.issuer_id)
        if step.root is None:
            keep_status_changes(connection, transaction, issuer, step.positions(), step.kind, step.reason.value)
        else:
            keep_batch_revocation(connection, transaction, issuer, step.root, step.reason.value)
        keep(connection, transaction)
