"""Sending: prepare, sign, persist, broadcast, wait; and, after any doubt, reconcile. Never a blind resend.

    1  prepare     the contract would accept it; gas, fees, next nonce
    2  sign
    3  persist     the caller keeps the signed bytes before anyone else has them
    4  broadcast
    5  wait        until it is mined

Steps 1 to 4 happen under the account's lock, so that a nonce has one owner. Whatever happens at or after step 4 (an
answer lost, a crash), the bytes kept decide: `reconcile` finds out what became of them, and broadcasting the same bytes
again can never do twice what they say. A crash between 3 and 4 leaves bytes that nobody has seen: `NEVER_SEEN`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from anchor.errors import (
    FeesTooHighError,
    LedgerUnavailableError,
    NodeRefusedError,
    OutcomeUnknownError,
    ReplacedError,
    RevertedError,
)
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call, Fees, LedgerClient
from anchor.ledger.contract import check_code
from anchor.ledger.fees import capped_fees, raised_fees
from anchor.ledger.prepared import PreparedTransaction, read_back
from anchor.ledger.refusals import is_definite, with_advice
from anchor.ledger.reverts import decode_revert, revert_of
from anchor.ledger.signers import SigningKey
from anchor.model import Address, Hash32, to_hex

DEFAULT_WAIT_SECONDS: Final = 120.0
"""Ten blocks of Ethereum."""

MAX_COST_WEI: Final = 10**18
"""Most that one transaction may cost, one coin of the chain: a node that lies about fees must not empty the account."""

_GAS_MARGIN: Final = 1.2
"""The state may change between estimate and mining; gas not used is not paid."""

_GAS_CAP: Final = 2**24
"""Most gas that one transaction may ask for (EIP-7825, since Osaka); the margin must not exceed it."""

_FIRST_POLL_SECONDS: Final = 0.02
_LONGEST_POLL_SECONDS: Final = 1.0
_POLL_GROWTH: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """A signed transaction: keep it before it is broadcast."""

    raw: bytes
    hash: Hash32
    sender: Address
    nonce: int


class Fate(Enum):
    """What became of a signed transaction, as far as the node knows."""

    MINED = "mined"
    PENDING = "pending"
    REPLACED = "replaced"
    """Another transaction took its nonce: it can never be mined."""
    NEVER_SEEN = "neverSeen"
    """The node does not have it; the same bytes may be broadcast (again)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Result of `TransactionSender.reconcile`."""

    fate: Fate
    receipt: Receipt | None = None
    """When mined; it may have been reverted."""


class TransactionSender:
    """Sends for one account on one chain.

    Args:
        client: The node.
        chain_id: EIP-155 number of the chain meant.
        signer: The account's key.
        lock: Held from the choice of a nonce until the node has the transaction. Must be the same for all processes
            that send for this account: a `filelock.FileLock` on a path made from chain and address.
        on_mined: Called after a receipt was seen and before anyone is told; the local testnet saves its chain here.
        max_cost_wei: Most that one transaction may cost.
        max_fee_wei: Most to offer for a unit of gas, tip included; None: what the chain asks for.
    """

    def __init__(
        self,
        client: LedgerClient,
        *,
        chain_id: int,
        signer: SigningKey,
        lock: AbstractContextManager[object],
        on_mined: Callable[[], None] | None = None,
        max_cost_wei: int = MAX_COST_WEI,
        max_fee_wei: int | None = None,
    ) -> None:
        self.client: Final = client
        self.chain_id: Final = chain_id
        self.lock: Final = lock
        self._signer: Final = signer
        self._on_mined: Final = on_mined
        self._max_cost_wei: Final = max_cost_wei
        self._max_fee_wei: Final = max_fee_wei
        self._checked: Final[set[tuple[Address, Hash32]]] = set()

    @property
    def address(self) -> Address:
        """The account."""
        return self._signer.address

    @property
    def actor(self) -> Address:
        """Whose rights the contract goes by: the account's own, unless it sends for another key."""
        return self.address

    def extra_gas(self, call: Call) -> int:
        """Tell what a call takes more when it is sent than when the actor itself would send it."""
        del call
        return 0

    def is_in_order(self, call: Call) -> bool:
        """Tell whether the actor agrees to such calls one after the other only, each when the last is mined."""
        del call
        return False

    def authorised(self, prepared: PreparedTransaction, *, now: int) -> PreparedTransaction:
        """Have the actor agree, where that is not who sends.

        Args:
            prepared: From `prepare`.
            now: Unix seconds.
        """
        del now
        return prepared

    def renewed(self, signed: SignedTransaction, *, now: int) -> PreparedTransaction | None:
        """Have the actor agree anew to what was signed, where that is not good for much longer.

        Args:
            signed: Its newest version.
            now: Unix seconds.

        Returns:
            The same with the same nonce and fees, to be signed; None: what was signed stays good.
        """
        del signed, now
        return None

    def send(self, call: Call, persist: Callable[[SignedTransaction], None]) -> SignedTransaction:
        """Take steps 1 to 4.

        Args:
            call: What to send.
            persist: Keeps the signed transaction, durably, before it is broadcast; called once, under the lock. If it
                raises, nothing was sent.

        Raises:
            RevertedError: The contract would refuse it; nothing was signed.
            WrongLedgerError: The node serves another chain, or the contract is another; nothing was signed.
            LedgerUnavailableError: Nothing was sent. What was persisted may be broadcast later, or dropped.
            OutcomeUnknownError: It may have been sent: reconcile before sending anything else.
            ReplacedError: Somebody without the lock used the nonce; send anew.
        """
        with self.lock:
            signed = self.sign(self.prepare(call))
            persist(signed)
            self.broadcast(signed)
        return signed

    def prepare(self, call: Call) -> PreparedTransaction:
        """Step 1; the nonce is good only while the lock is held.

        Raises:
            RevertedError: The contract would refuse it.
            WrongLedgerError: The node serves another chain, or the contract is another.
            FeesTooHighError: It would cost more than allowed.
            LedgerUnavailableError: The node did not say.
        """
        self.client.require_chain(self.chain_id)
        if call.to is not None and call.code_hash is not None and (call.to, call.code_hash) not in self._checked:
            check_code(self.client, call.to, call.code_hash)
            self._checked.add((call.to, call.code_hash))
        try:
            estimate = self.client.estimate_gas(self.actor, call)
        except NodeRefusedError as error:
            reverted = revert_of(error, call.what)
            if reverted is None:
                raise with_advice(error, self.address) from error
            raise reverted from error
        wanted = int(estimate * _GAS_MARGIN) + self.extra_gas(call)
        gas = min(wanted, max(estimate, _GAS_CAP))
        fees = capped_fees(self.client.fees(), self._max_fee_wei)
        self._require_affordable(call, gas, fees)
        return PreparedTransaction(
            call=call,
            chain_id=self.chain_id,
            sender=self.address,
            nonce=self.client.pending_count(self.address),
            gas=gas,
            max_fee_wei=fees.max_fee_wei,
            max_tip_wei=fees.max_tip_wei,
        )

    def raised(self, signed: SignedTransaction) -> PreparedTransaction | None:
        """Prepare a transaction once more, with fees so much higher that nodes take it in its place.

        Args:
            signed: Its newest version.

        Returns:
            The same call with the same nonce, to be signed; None: the fees are as high as they may be.

        Raises:
            FeesTooHighError: It would cost more than allowed.
            LedgerUnavailableError: The node did not say what fees are asked for.
        """
        prepared = read_back(signed.raw, signed.sender)
        offered = Fees(max_fee_wei=prepared.max_fee_wei, max_tip_wei=prepared.max_tip_wei)
        fees = raised_fees(offered, self.client.fees(), self._max_fee_wei)
        if fees is None:
            return None
        self._require_affordable(prepared.call, prepared.gas, fees)
        return replace(prepared, max_fee_wei=fees.max_fee_wei, max_tip_wei=fees.max_tip_wei)

    def sign(self, prepared: PreparedTransaction) -> SignedTransaction:
        """Step 2."""
        fields: dict[str, object] = {
            "type": 2,
            "chainId": prepared.chain_id,
            "nonce": prepared.nonce,
            "gas": prepared.gas,
            "maxFeePerGas": prepared.max_fee_wei,
            "maxPriorityFeePerGas": prepared.max_tip_wei,
            "value": 0,
            "data": prepared.call.data,
        }
        if prepared.call.to is not None:
            fields["to"] = prepared.call.to
        raw, transaction_hash = self._signer.sign_transaction(fields)
        return SignedTransaction(raw=raw, hash=transaction_hash, sender=prepared.sender, nonce=prepared.nonce)

    def broadcast(self, signed: SignedTransaction) -> None:
        """Step 4, which may be repeated with the same bytes: returns when the node has them.

        Raises:
            LedgerUnavailableError: The node does not have it.
            OutcomeUnknownError: It may have it.
            ReplacedError: Another transaction took the nonce.
        """
        try:
            self.client.send_raw(signed.raw)
        except NodeRefusedError as error:
            fate = self._fate_after(signed, error)
            if fate in {Fate.MINED, Fate.PENDING}:
                return
            if fate is Fate.REPLACED:
                raise _replaced(signed) from error
            if is_definite(error):
                raise with_advice(error, self.address) from error
            raise OutcomeUnknownError(
                f"{error}; it is not certain that the transaction was not taken",
                advice="reconcile before sending anything else",
            ) from error

    def wait_for_receipt(
        self,
        signed: SignedTransaction,
        timeout_seconds: float = DEFAULT_WAIT_SECONDS,
        *,
        others: Sequence[SignedTransaction] = (),
    ) -> Receipt:
        """Step 5.

        Args:
            signed: What was sent.
            timeout_seconds: How long to wait.
            others: Other versions of it: one of them all is mined.

        Raises:
            RevertedError: It was mined, and the contract refused it.
            ReplacedError: Another transaction took the nonce.
            OutcomeUnknownError: It is not known to be mined yet; wait again, or reconcile.
        """
        deadline, pause = time.monotonic() + timeout_seconds, _FIRST_POLL_SECONDS
        while True:
            failure: LedgerUnavailableError | None = None
            try:
                found = self.reconcile(signed, *others)
            except LedgerUnavailableError as error:
                failure = error
            else:
                if found.receipt is not None:
                    return self._settled((signed, *others), found.receipt)
                if found.fate is Fate.REPLACED:
                    raise _replaced(signed)
            if time.monotonic() + pause > deadline:
                raise OutcomeUnknownError(
                    f"transaction {to_hex(signed.hash)} is not mined after {timeout_seconds:g} s"
                    + (f": {failure}" if failure else ""),
                    advice="it may be mined later: ask again before sending anything else",
                ) from failure
            time.sleep(pause)
            pause = min(pause * _POLL_GROWTH, _LONGEST_POLL_SECONDS)

    def reconcile(self, signed: SignedTransaction, *others: SignedTransaction) -> Reconciliation:
        """Find out what became of a signed transaction, or of its versions together, changing nothing.

        Args:
            signed: What was signed.
            others: Other versions of it, which have the same nonce.

        Raises:
            LedgerUnavailableError: The node did not say.
        """
        versions = (signed, *others)
        receipt = self._receipt_of_one(versions)
        if receipt is None and not any(self.client.knows_transaction(each.hash) for each in versions):
            if self.client.mined_count(signed.sender) <= signed.nonce:
                return Reconciliation(fate=Fate.NEVER_SEEN)
            # It may have been mined between the questions, so its receipt is asked for once more.
            receipt = self._receipt_of_one(versions)
            if receipt is None:
                return Reconciliation(fate=Fate.REPLACED)
        return Reconciliation(fate=Fate.PENDING if receipt is None else Fate.MINED, receipt=receipt)

    def _receipt_of_one(self, versions: Sequence[SignedTransaction]) -> Receipt | None:
        return next((found for each in versions if (found := self.client.receipt(each.hash)) is not None), None)

    def _require_affordable(self, call: Call, gas: int, fees: Fees) -> None:
        if gas * fees.max_fee_wei > self._max_cost_wei:
            raise FeesTooHighError(
                f"to {call.what} could cost {gas * fees.max_fee_wei} wei, more than the {self._max_cost_wei} allowed",
                advice="wait until fees are lower; if they are not, the node gives wrong ones: use another",
            )

    def _fate_after(self, signed: SignedTransaction, refusal: NodeRefusedError) -> Fate:
        try:
            return self.reconcile(signed).fate
        except LedgerUnavailableError as error:
            raise OutcomeUnknownError(
                f"{refusal}; and then: {error}", advice="reconcile before sending anything else"
            ) from error

    def _settled(self, versions: Sequence[SignedTransaction], receipt: Receipt) -> Receipt:
        if self._on_mined is not None:
            self._on_mined()
        if receipt.succeeded:
            return receipt
        (signed,) = (each for each in versions if each.hash == receipt.transaction_hash)
        what = f"accept transaction {to_hex(signed.hash)} when it was mined"
        call = replace(read_back(signed.raw, signed.sender).call, what=what)
        try:
            self.client.replay(signed.sender, call, receipt.block_number)
        except NodeRefusedError as error:
            raise decode_revert(error.data, what) from error
        # The state at the end of the block accepts what the state within it did not.
        raise RevertedError(f"the contract refused to {what}", advice="try again")


def _replaced(signed: SignedTransaction) -> ReplacedError:
    return ReplacedError(
        f"transaction {to_hex(signed.hash)} has no effect: another one of the account took nonce {signed.nonce}",
        advice="send it anew, and let all that send for this account use the same lock",
    )
