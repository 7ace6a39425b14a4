"""Sending for the services: a signed transaction is in the database before a node has it, and its fate is found out.

Whatever kills the process, the database then knows of every transaction that may be on the ledger: `settle` asks what
became of one, sends the same bytes again where the node never saw them, raises the fees of what waits for too long, and
waits. Each version of a transaction is kept before it is sent, and any of them may be the one that is mined.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from anchor.errors import OutcomeUnknownError, ReplacedError, RevertedError
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call
from anchor.ledger.transactions import DEFAULT_WAIT_SECONDS, Fate, SignedTransaction, TransactionSender
from anchor.model import to_hex
from registry.errors import BusyError
from registry.services.account import Account, Raised, Raising, Turn, signed_versions
from registry.services.budgets import require_budget
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import TransactionId, TransactionRecord, TransactionState
from registry.store.sending_accounts import count_kept
from registry.store.transactions import get_transaction, keep_transaction, settle_transaction, settle_version

_SETTLED: Final = (TransactionState.MINED, TransactionState.REFUSED)
_AT_THE_CAP: Final = "Its fees are as high as they may be: wait, or allow higher ones by the setting max_fee_gwei."


class Outbox:
    """Transactions of one account, kept in the store for one institution.

    Args:
        store: Where they are kept.
        sender: Signs and sends for the account.
        wait_seconds: How long to wait for a transaction to be mined.
        raising: When to raise the fees of what is not mined; None: never.
    """

    def __init__(
        self,
        store: Store,
        sender: TransactionSender,
        *,
        wait_seconds: float = DEFAULT_WAIT_SECONDS,
        raising: Raising | None = None,
    ) -> None:
        self._store: Final = store
        self._wait_seconds: Final = wait_seconds
        self._account: Final = Account(store, sender, raising)
        self.sender: Final = sender

    def send(
        self, call: Call, keep: Callable[[InstitutionConnection, TransactionId], None], *, now: int
    ) -> TransactionId:
        """Prepare, sign, keep and broadcast; `settle` then waits for it.

        Args:
            call: What to send.
            keep: Writes, in the database transaction that keeps the signed bytes, what they are for. If it raises,
                nothing is kept and nothing sent.
            now: Unix seconds.

        Raises:
            RevertedError: The contract would refuse it; nothing was kept.
            BudgetError: The institution may not spend so much now; nothing was kept.
            BusyError: Other processes send for the account; nothing was kept.
            ReplacedError: Somebody without the lock used the nonce; what was kept can never be mined.
            LedgerError: As of `TransactionSender.send`; what was kept, `settle` finds out about.
        """
        with self._account.turn() as turn:
            prepared = self.sender.prepare(call)
            prepared = replace(prepared, nonce=turn.nonce_from(prepared.nonce))
            with self._store.reading() as connection:
                require_budget(connection, prepared, now=now)
            self._require_turn_of_key(call, turn)
            signed = self.sender.sign(self.sender.authorised(prepared, now=now))
            with self._store.writing() as connection:
                require_budget(connection, prepared, now=now, alone=True)
                transaction = self._keep(connection, signed, kept=turn.kept, now=now)
                keep(connection, transaction)
            try:
                self.sender.broadcast(signed)
            except ReplacedError:
                self._note(transaction, TransactionState.REPLACED)
                raise
        self._note(transaction, TransactionState.SENT)
        return transaction

    def settle(self, transaction: TransactionId) -> Receipt:
        """Find out what became of a transaction, sending it again if no node has it, and wait until it is mined.

        The store is told of a bad end at once; a good one is for the caller to note, with what it means.

        Raises:
            RevertedError: It was mined, and the contract refused it.
            ReplacedError: Another transaction took its nonce.
            LedgerUnavailableError: The node did not say.
            OutcomeUnknownError: It is not mined yet.
        """
        deadline = time.monotonic() + self._wait_seconds
        raised = None
        while True:
            record = self._read(transaction)
            signed, *others = signed_versions(record)
            patience = deadline - time.monotonic()
            until_raised = self._account.seconds_until_raised(record)
            # Also where nobody waits at all: it is due, then.
            is_raised_meanwhile = raised in {None, Raised.SENT} and until_raised <= patience
            if is_raised_meanwhile:
                patience = max(until_raised, 0)
            try:
                fate = self.sender.reconcile(signed, *others).fate
                if fate in {Fate.PENDING, Fate.NEVER_SEEN} and record.state in _SETTLED:
                    self._note(transaction, TransactionState.SENT)  # a reorganisation took it back
                if fate is Fate.NEVER_SEEN:
                    _require_wanted(record)
                    self._account.look_after()
                return self.sender.wait_for_receipt(signed, patience, others=others)
            except ReplacedError:
                if self._read(transaction).versions != record.versions:
                    continue  # another process raised its fees meanwhile
                self._note(transaction, TransactionState.REPLACED)
                raise
            except RevertedError:
                self._note_refused(transaction, signed, others)
                raise
            except OutcomeUnknownError as error:
                if not is_raised_meanwhile:
                    if raised is Raised.AT_THE_CAP:
                        error.advise(_AT_THE_CAP)
                    raise
                raised = self._account.raise_stuck()

    def _require_turn_of_key(self, call: Call, turn: Turn) -> None:
        """Check that the key's next nonce is known: what it signed before, and is not mined, has it."""
        is_waiting = any(each.authorised_by == self.sender.actor for each in turn.waiting)
        if is_waiting and self.sender.is_in_order(call):
            raise BusyError(
                "an earlier change with the same key is not mined yet, and the key signs one after the other",
                advice="Try again when it is mined.",
            )

    def _keep(
        self, connection: InstitutionConnection, signed: SignedTransaction, *, kept: int, now: int
    ) -> TransactionId:
        count_kept(connection.plain, self.sender.chain_id, signed.sender, seen=kept)
        return keep_transaction(
            connection,
            chain_id=self.sender.chain_id,
            sender=signed.sender,
            nonce=signed.nonce,
            transaction_hash=signed.hash,
            raw=signed.raw,
            signed_at=now,
            authorised_by=None if self.sender.actor == self.sender.address else self.sender.actor,
        )

    def _read(self, transaction: TransactionId) -> TransactionRecord:
        with self._store.reading() as connection:
            return get_transaction(connection, transaction)

    def _note(self, transaction: TransactionId, state: TransactionState) -> None:
        with self._store.writing() as connection:
            settle_transaction(connection, transaction, state)

    def _note_refused(
        self, transaction: TransactionId, signed: SignedTransaction, others: list[SignedTransaction]
    ) -> None:
        """Note that it was mined and refused: it cost something all the same."""
        receipt = self.sender.reconcile(signed, *others).receipt
        with self._store.writing() as connection:
            if receipt is None:
                settle_transaction(connection, transaction, TransactionState.REFUSED)
            else:
                _note_receipt(connection, transaction, TransactionState.REFUSED, receipt)


def _require_wanted(record: TransactionRecord) -> None:
    """Check that a transaction was not given up: then its nonce is free for another one, and it is not sent again."""
    if record.state is TransactionState.REPLACED:
        raise ReplacedError(
            f"transaction {to_hex(record.hash)} was given up, for another one had its nonce", advice="Send it anew."
        )


def note_mined(connection: InstitutionConnection, transaction: TransactionId, receipt: Receipt) -> None:
    """Note a transaction as mined, in the version that was, with what it cost."""
    _note_receipt(connection, transaction, TransactionState.MINED, receipt)


def _note_receipt(
    connection: InstitutionConnection, transaction: TransactionId, state: TransactionState, receipt: Receipt
) -> None:
    settle_version(connection, transaction, receipt.transaction_hash)
    settle_transaction(
        connection,
        transaction,
        state,
        block_number=receipt.block_number,
        gas_used=receipt.gas_used,
        gas_price_wei=receipt.gas_price_wei,
    )
