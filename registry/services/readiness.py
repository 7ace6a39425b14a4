"""Whether what the service needs answers: its database, its node, the right chain, the right contract."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Final

from anchor.errors import CredanchorError
from anchor.ledger.abi import runtime_code_hash
from anchor.ledger.client import LedgerClient
from anchor.ledger.contract import check_code
from anchor.model import RegistryId
from registry.store.batches import newest_batch
from registry.store.engine import Store

REMEMBERED_SECONDS: Final = 2.0
"""Whoever asks more often gets the last answer: asking is not to keep the node busy."""


class Readiness:
    """May be asked by several threads.

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
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._since = -math.inf
        self._last: Mapping[str, bool] = dict.fromkeys(("store", "node", "chain", "contract"), False)

    def check(self) -> Mapping[str, bool]:
        """Tell what answers as it must: `store`, `node`, `chain`, `contract`.

        One asks at a time; meanwhile the others get the last answer, or before there is one, that nothing does: a node
        that dawdles is not to keep a thread for each who wants to know.
        """
        if self._lock.acquire(blocking=False):
            try:
                if self._clock() - self._since > REMEMBERED_SECONDS:
                    self._last = self._check_now()
                    self._since = self._clock()
            finally:
                self._lock.release()
        return self._last

    def _check_now(self) -> Mapping[str, bool]:
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
