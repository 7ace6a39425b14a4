"""What the accounts that send have left, for whoever has to top them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from anchor.errors import LedgerUnavailableError
from anchor.ledger.client import LedgerClient, ask_balance
from anchor.model import Address
from registry.errors import StoreError
from registry.services.remembered import Remembered
from registry.store.engine import Store
from registry.store.sending_accounts import list_accounts

REMEMBERED_SECONDS: Final = 15.0
"""Whoever asks more often gets the last answer: asking is not to keep the node busy."""


class Balances(Remembered[Mapping[Address, int]]):
    """The balance, in wei, of each account that ever sent; of none that the node does not tell now.

    Args:
        store: The registry's database.
        client: The node.
        chain_id: Of the chain that it serves.
        clock: Seconds, never going back.
    """

    def __init__(self, store: Store, client: LedgerClient, chain_id: int, clock: Callable[[], float]) -> None:
        self._store: Final = store
        self._client: Final = client
        self._chain_id: Final = chain_id
        super().__init__({}, REMEMBERED_SECONDS, clock)

    def _ask_now(self) -> Mapping[Address, int]:
        try:
            with self._store.operator_reading() as connection:
                accounts = list_accounts(connection, self._chain_id)
        except StoreError:
            return {}
        answers = self._client.ask([ask_balance(each) for each in accounts])
        told = zip(accounts, answers, strict=True)
        return {account: found for account, found in told if not isinstance(found, LedgerUnavailableError)}
