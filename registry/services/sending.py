"""Sending for the services: a signed transaction is in the database before a node has it, and its fate is found out.

Whatever kills the process, the database then knows of every transaction that may be on the ledger: `settle` asks what
became of one, sends the same bytes again where the node never saw them, and waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from anchor.errors import ReplacedError, RevertedError
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call
from anchor.ledger.transactions import DEFAULT_WAIT_SECONDS, Fate, SignedTransaction, TransactionSender
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import TransactionId, TransactionRecord, TransactionState
from registry.store.transactions import get_transaction, keep_transaction, settle_transaction


class Outbox:
    """Transactions of one account, kept in the store.

    Args:
        store: Where they are kept.
        sender: Signs and sends for the account.
        wait_seconds: How long to wait for a transaction to be mined.
    """

    def __init__(self, store: Store, sender: TransactionSender, *, wait_seconds: float = DEFAULT_WAIT_SECONDS) -> None:
        self._store: Final = store
        self._wait_seconds: Final = wait_seconds
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
            ReplacedError: Somebody without the lock used the nonce; what was kept can never be mined.
            LedgerError: As of `TransactionSender.send`; what was kept, `settle` finds out about.
        """
        kept: list[TransactionId] = []

        def persist(signed: SignedTransaction) -> None:
            with self._store.writing() as connection:
                transaction = keep_transaction(
                    connection,
                    chain_id=self.sender.chain_id,
                    sender=signed.sender,
                    nonce=signed.nonce,
                    transaction_hash=signed.hash,
                    raw=signed.raw,
                    signed_at=now,
                )
                keep(connection, transaction)
            kept.append(transaction)

        try:
            self.sender.send(call, persist)
        except ReplacedError:
            self._note(kept[0], TransactionState.REPLACED)
            raise
        (transaction,) = kept
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
        with self._store.reading() as connection:
            record = get_transaction(connection, transaction)
        signed = _signed(record)
        try:
            found = self.sender.reconcile(signed)
            if found.fate is Fate.NEVER_SEEN:
                self.sender.broadcast(signed)
                self._note(transaction, TransactionState.SENT)
            return self.sender.wait_for_receipt(signed, self._wait_seconds)
        except ReplacedError:
            self._note(transaction, TransactionState.REPLACED)
            raise
        except RevertedError:
            self._note(transaction, TransactionState.REFUSED)
            raise

    def _note(self, transaction: TransactionId, state: TransactionState) -> None:
        with self._store.writing() as connection:
            settle_transaction(connection, transaction, state)


def note_mined(connection: InstitutionConnection, transaction: TransactionId, receipt: Receipt) -> None:
    """Note a transaction as mined, with what it cost."""
    settle_transaction(
        connection,
        transaction,
        TransactionState.MINED,
        block_number=receipt.block_number,
        gas_used=receipt.gas_used,
        gas_price_wei=receipt.gas_price_wei,
    )


def _signed(record: TransactionRecord) -> SignedTransaction:
    return SignedTransaction(raw=record.raw, hash=record.hash, sender=record.sender, nonce=record.nonce)
