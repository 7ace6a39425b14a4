"""Sending for a key that only signs: prepared as if the key sent it, authorised by it, sent and paid by the account.

Whether the contract would accept it is asked before the key signs, with the key as the sender: so nothing that it signs
is shown to a node before it is kept. The gas of checking a signature is added.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.prepared import PreparedTransaction, read_back
from anchor.ledger.relayed import Authorisation, authorise, needs_nonce, next_nonce, read_authorisation
from anchor.ledger.signers import SigningKey
from anchor.ledger.transactions import MAX_COST_WEI, SignedTransaction, TransactionSender
from anchor.model import Address, RegistryId

AUTHORISED_SECONDS: Final = 1800
"""How long what a key signs is good: long enough for fees to be raised some times, short for who holds it back."""

LIKELY_RELAYED_GAS: Final = 15_000
"""About what being relayed adds, for telling beforehand."""

_RELAYED_GAS: Final = 60_000
"""Signature, nonce and calldata: 11,000 for anchoring, 36,000 for a key's first change; the rest is not paid."""
_WORD_GAS: Final = 100
"""For each 32 bytes of what is signed, which are hashed."""


class RelayingSender(TransactionSender):
    """Sends what one key authorises.

    Args:
        client: The node.
        registry: The registry, on the chain meant.
        key: Authorises; needs no coin.
        signer: The key of the account that sends and pays.
        lock: That of the account.
        on_mined: As of `TransactionSender`.
        max_cost_wei: As of `TransactionSender`.
        max_fee_wei: As of `TransactionSender`.
    """

    def __init__(
        self,
        client: LedgerClient,
        *,
        registry: RegistryId,
        key: SigningKey,
        signer: SigningKey,
        lock: AbstractContextManager[object],
        on_mined: Callable[[], None] | None = None,
        max_cost_wei: int = MAX_COST_WEI,
        max_fee_wei: int | None = None,
    ) -> None:
        super().__init__(
            client,
            chain_id=registry.chain_id,
            signer=signer,
            lock=lock,
            on_mined=on_mined,
            max_cost_wei=max_cost_wei,
            max_fee_wei=max_fee_wei,
        )
        self._registry: Final = registry
        self._key: Final = key

    @property
    def actor(self) -> Address:
        """The key that authorises."""
        return self._key.address

    def extra_gas(self, call: Call) -> int:
        """Tell what being relayed may add."""
        return _RELAYED_GAS + len(call.data) // 32 * _WORD_GAS

    def is_in_order(self, call: Call) -> bool:
        """Tell whether what is signed for it carries the key's nonce."""
        return needs_nonce(call)

    def authorised(self, prepared: PreparedTransaction, *, now: int) -> PreparedTransaction:
        """Have the key sign what was prepared.

        Raises:
            KeyUnavailableError: The key did not sign, or this cannot be relayed.
            LedgerUnavailableError: The node did not say which nonce is next, or the key could not be asked.
        """
        nonce = next_nonce(self.client, self._registry, self.actor) if needs_nonce(prepared.call) else None
        wanted = authorise(self._registry, prepared.call, self.actor, nonce=nonce, deadline=now + AUTHORISED_SECONDS)
        return self._signed_by_key(prepared, wanted)

    def renewed(self, signed: SignedTransaction, *, now: int) -> PreparedTransaction | None:
        """Have the key sign anew what it signed, with a later deadline, when half of its time is over.

        Nonces stay: of what the key signed for one of them, and of versions of one transaction, one counts at most.
        """
        prepared = read_back(signed.raw, signed.sender)
        given = read_authorisation(self._registry, prepared.call)
        if given is None or given.key != self.actor or given.deadline >= now + AUTHORISED_SECONDS // 2:
            return None
        return self._signed_by_key(prepared, replace(given, deadline=now + AUTHORISED_SECONDS))

    def _signed_by_key(self, prepared: PreparedTransaction, wanted: Authorisation) -> PreparedTransaction:
        signature = self._key.sign_authorisation(wanted)
        return replace(prepared, call=wanted.call(signature, what=prepared.call.what))
