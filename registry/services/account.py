"""An account that sends, for one institution or many: whose nonces have one owner, and whose transactions get through.

    1  lock     between all processes that send for it, on all machines that share the database
    2  ask      what became of each transaction kept for it that the ledger may not have; those that no node has are
                sent again, in order: the same bytes, or fees so low that nodes refuse them raised
    3  choose   the lowest nonce that neither the ledger, nor a node, nor the database has anything for

Upholds: two transactions for different things never have one nonce, for what is signed is kept before it is sent, and
what is kept counts (`registry.store.sending_accounts`): whoever lost the lock without knowing cannot keep anything. No
nonce is left out, for what is kept is sent before anything new is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from anchor.errors import FeesTooHighError, NodeRefusedError, ReplacedError
from anchor.ledger.prepared import PreparedTransaction
from anchor.ledger.refusals import is_fee_too_low, is_hopeless, is_nonce_taken
from anchor.ledger.transactions import Fate, SignedTransaction, TransactionSender
from anchor.model import Hash32
from registry.errors import BusyError, ConflictError
from registry.store.engine import Store
from registry.store.records import TransactionRecord, TransactionState
from registry.store.sending_accounts import AccountBook, Outgoing, count_kept, read_account
from registry.store.transactions import keep_version, settle_transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Raising:
    """When to raise the fees of what is not mined."""

    after_seconds: int | None
    """None: never."""
    clock: Callable[[], int]
    """Unix seconds."""


class Raised(Enum):
    """What `Account.raise_stuck` did."""

    SENT = "sent"
    """A version with higher fees."""
    NOT_YET = "notYet"
    """Nothing has waited for so long."""
    AT_THE_CAP = "atTheCap"
    """It has, and its fees are as high as they may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What holds for an account while its lock is held."""

    kept: int
    """How many signed versions were kept: for `count_kept`."""
    taken: frozenset[int]
    """Nonces of what is kept."""
    waiting: tuple[TransactionRecord, ...]
    """What is sent and not mined."""

    def nonce_from(self, pending_count: int) -> int:
        """Choose the next nonce.

        Args:
            pending_count: Next one as the node sees it.
        """
        nonce = pending_count
        while nonce in self.taken:
            nonce += 1
        return nonce


class Account:
    """Sends for one account on one chain.

    Args:
        store: Where its transactions are kept, whoever they are for.
        sender: Signs and sends for it.
        raising: When to raise fees; None: never.
    """

    def __init__(self, store: Store, sender: TransactionSender, raising: Raising | None) -> None:
        self._store: Final = store
        self._sender: Final = sender
        self._raising: Final = raising
        self._seen: frozenset[Hash32] = frozenset()
        """Versions that a node had when this process asked: not asked about again, as long as the counts fit."""

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Be the one who sends for the account; everything kept earlier is known to a node then, or on the ledger.

        Raises:
            BusyError: Another process has had its turn for too long.
            LedgerError: Something kept earlier could not be sent; nothing new may be.
        """
        try:
            self._sender.lock.__enter__()
        except ConflictError as error:
            raise BusyError(str(error), advice=error.advice) from None
        try:
            yield self._look_after()
        finally:
            self._sender.lock.__exit__(None, None, None)

    def look_after(self) -> None:
        """Send again what no node has of what was kept, as before anything new is sent.

        Raises:
            BusyError: As of `turn`.
            LedgerError: As of `turn`.
        """
        with self.turn():
            pass

    def raise_stuck(self) -> Raised:
        """Raise the fees of the account's next transaction to be mined, if it has waited long enough.

        Those after it wait for it, whoever they are for.

        Raises:
            LedgerError: The new version was refused, or would cost more than is allowed.
        """
        if self._raising is None or self._raising.after_seconds is None:
            return Raised.NOT_YET
        with self.turn():
            mined_count = self._sender.client.mined_count(self._sender.address)
            book = self._book(mined_count)
            first = next((each for each in book.outgoing if each.is_open and each.record.nonce == mined_count), None)
            if first is None:
                return Raised.NOT_YET
            if self._raising.clock() - first.record.signed_at < self._raising.after_seconds:
                return Raised.NOT_YET
            return self._raise(first, book.kept)

    def seconds_until_raised(self, record: TransactionRecord) -> float:
        """Tell for how long it is no use to call `raise_stuck`; negative: that time is over."""
        if self._raising is None or self._raising.after_seconds is None:
            return float("inf")
        return record.signed_at + self._raising.after_seconds - self._raising.clock()

    def _look_after(self) -> Turn:
        client, address = self._sender.client, self._sender.address
        client.require_chain(self._sender.chain_id)
        mined_count, pending_count = client.mined_count(address), client.pending_count(address)
        book = self._book(mined_count)
        kept, taken, waiting, seen = book.kept, set[int](), list[TransactionRecord](), set[Hash32]()
        for each in book.outgoing:
            if each.record.nonce in taken:
                continue  # kept by a version of this program that let that happen: one of the two is mined
            if each.record.hash in self._seen and each.record.nonce < pending_count:
                fate = Fate.PENDING if each.record.nonce >= mined_count else Fate.MINED
            else:
                fate = self._sender.reconcile(*signed_versions(each.record)).fate
            if fate is Fate.NEVER_SEEN:
                fate, kept = self._send_again(each, kept)
            if fate is Fate.REPLACED:
                self._note(each, TransactionState.REPLACED)
                continue
            taken.add(each.record.nonce)
            seen.add(each.record.hash)
            if fate is Fate.PENDING:
                waiting.append(each.record)
        self._seen = frozenset(seen)
        return Turn(kept=kept, taken=frozenset(taken), waiting=tuple(waiting))

    def _send_again(self, each: Outgoing, kept: int) -> tuple[Fate, int]:
        """Send what no node has; give what became of it, and how many signed versions are kept then."""
        newest = signed_versions(each.record)[0]
        renewed = None if self._raising is None else self._sender.renewed(newest, now=self._raising.clock())
        if renewed is not None:
            self._send_version(each, renewed, kept)
            return Fate.PENDING, kept + 1
        try:
            self._sender.broadcast(newest)
        except ReplacedError:
            return Fate.REPLACED, kept
        except NodeRefusedError as error:
            if is_hopeless(error):
                return Fate.REPLACED, kept  # by what takes its nonce next
            if is_nonce_taken(error):
                return Fate.PENDING, kept  # it waits beside another one: the ledger decides
            if self._raising is None or self._raising.after_seconds is None or not is_fee_too_low(error):
                raise
            if self._raise(each, kept) is Raised.AT_THE_CAP:
                raise FeesTooHighError(
                    "the chain asks for higher fees than may be paid, for a transaction that must go first",
                    advice="wait until fees are lower, or allow higher ones: the setting max_fee_gwei",
                ) from error
            return Fate.PENDING, kept + 1
        if each.record.state is TransactionState.SIGNED:
            self._note(each, TransactionState.SENT)
        return Fate.PENDING, kept

    def _raise(self, each: Outgoing, kept: int) -> Raised:
        newest = signed_versions(each.record)[0]
        prepared = self._sender.raised(newest)
        if prepared is None:
            return Raised.AT_THE_CAP
        renewed = None if self._raising is None else self._sender.renewed(newest, now=self._raising.clock())
        if renewed is not None:
            prepared = replace(prepared, call=renewed.call)
        self._send_version(each, prepared, kept)
        return Raised.SENT

    def _send_version(self, each: Outgoing, prepared: PreparedTransaction, kept: int) -> None:
        signed = self._sender.sign(prepared)
        now = each.record.signed_at if self._raising is None else self._raising.clock()
        with self._store.of(each.institution).writing() as connection:
            count_kept(connection.plain, self._sender.chain_id, self._sender.address, seen=kept)
            keep_version(connection, each.record.id, transaction_hash=signed.hash, raw=signed.raw, signed_at=now)
        # If the nonce is used meanwhile, perhaps by an older version, it is found out where what became of it is asked.
        with suppress(ReplacedError):
            self._sender.broadcast(signed)

    def _book(self, mined_count: int) -> AccountBook:
        with self._store.operator_reading() as connection:
            return read_account(connection, self._sender.chain_id, self._sender.address, mined_count=mined_count)

    def _note(self, each: Outgoing, state: TransactionState) -> None:
        if each.is_open:
            with self._store.of(each.institution).writing() as connection:
                settle_transaction(connection, each.record.id, state)


def signed_versions(record: TransactionRecord) -> tuple[SignedTransaction, ...]:
    """Give a transaction as it was signed: the version that was mined, or the newest, first."""
    return tuple(
        SignedTransaction(raw=each.raw, hash=each.hash, sender=record.sender, nonce=record.nonce)
        for each in record.versions
    )
