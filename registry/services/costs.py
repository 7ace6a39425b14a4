"""What transactions would cost, told before anybody is asked to confirm them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from anchor.errors import NodeRefusedError
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.reverts import revert_of
from anchor.model import Address

WEI_PER_COIN: Final = 10**18
"""Ethereum and all chains compatible with it count in 10^-18 of their coin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Gas, and what it costs at the fees of the moment."""

    gas: int
    likely_wei: int
    """If the base fee stays as it is."""
    max_wei: int
    """If it rises as far as the transactions allow."""
    transaction_count: int

    def __add__(self, other: Cost) -> Cost:
        """Give what both cost."""
        return Cost(
            gas=self.gas + other.gas,
            likely_wei=self.likely_wei + other.likely_wei,
            max_wei=self.max_wei + other.max_wei,
            transaction_count=self.transaction_count + other.transaction_count,
        )

    def to_text(self) -> str:
        """Say it for people: `61,000 gas in 1 transaction, about 0.000061 coins, at most 0.000122`."""
        transactions = "1 transaction" if self.transaction_count == 1 else f"{self.transaction_count} transactions"
        likely, most = coins_to_text(self.likely_wei), coins_to_text(self.max_wei)
        return f"{self.gas:,} gas in {transactions}, about {likely} coins, at most {most}"


def preview_cost(client: LedgerClient, sender: Address, calls: Iterable[Call], *, extra_gas: int = 0) -> Cost:
    """Let the node estimate what calls would cost, sent by an account one by one; needs no key.

    Args:
        client: The node.
        sender: Whose rights the contract goes by.
        calls: What would be sent.
        extra_gas: What each takes more, as when another account sends it.

    Raises:
        RevertedError: The contract would refuse one.
        LedgerUnavailableError: The node did not say.
    """
    gas = [_gas_of(client, sender, call) + extra_gas for call in calls]
    fees = client.fees()
    # The most that is offered allows the base fee to double: `LedgerClient.fees`.
    likely_fee_wei = (fees.max_fee_wei + fees.max_tip_wei) // 2
    return Cost(
        gas=sum(gas),
        likely_wei=sum(gas) * likely_fee_wei,
        max_wei=sum(gas) * fees.max_fee_wei,
        transaction_count=len(gas),
    )


def coins_to_text(wei: int) -> str:
    """Write an amount in coins of the chain, to three significant digits, never in exponents.

    >>> coins_to_text(123_456_000_000_000)
    '0.000123'
    """
    if wei == 0:
        return "0"
    rounded = Decimal(f"{Decimal(wei) / WEI_PER_COIN:.3g}")
    return f"{rounded:f}"


def _gas_of(client: LedgerClient, sender: Address, call: Call) -> int:
    try:
        return client.estimate_gas(sender, call)
    except NodeRefusedError as error:
        reverted = revert_of(error, call.what)
        if reverted is None:
            raise
        raise reverted from error
