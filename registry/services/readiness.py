"""Whether what the service needs answers: its database, its node, the right chain, the right contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from anchor.errors import CredanchorError
from anchor.ledger.abi import runtime_code_hash
from anchor.ledger.client import LedgerClient
from anchor.ledger.contract import check_code
from anchor.model import RegistryId
from registry.services.remembered import Remembered
from registry.store.batches import newest_batch
from registry.store.engine import Store

REMEMBERED_SECONDS: Final = 2.0
"""Whoever asks more often gets the last answer: asking is not to keep the node busy."""


class Readiness(Remembered[Mapping[str, bool]]):
    """What answers as it must: `store`, `node`, `chain`, `contract`; before there is an answer, that nothing does.

    Args:
        store: The registry's database.
        client: The node.
        registry: The registry that it must have.
        clock: Seconds, never going back.
    """

    def __init__(self, store: Store, client: LedgerClient, registry: RegistryId, clock: Callable[[], float]) -> None:
        self._store: Final = store
        self._client: Final = client
        self._registry: Final = registry
        super().__init__(dict.fromkeys(("store", "node", "chain", "contract"), False), REMEMBERED_SECONDS, clock)

    def _ask_now(self) -> Mapping[str, bool]:
        node = _works(self._client.chain_id)
        chain = node and _works(lambda: self._client.require_chain(self._registry.chain_id))
        return {
            "store": _works(self._read_store),
            "node": node,
            "chain": chain,
            "contract": chain and _works(lambda: check_code(self._client, self._registry.address, runtime_code_hash())),
        }

    def _read_store(self) -> None:
        with self._store.reading() as connection:
            newest_batch(connection)


def _works(check: Callable[[], object]) -> bool:
    try:
        check()
    except CredanchorError:
        return False
    return True
