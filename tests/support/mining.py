"""What a node that mines by itself has been given is mined before the sender goes on.

anvil answers first and mines then. Whoever does not wait for the receipt finds a transaction mined or not, as chance
has it: one time in ten it is not, on a busy machine. Tests that are about something else want it to be always.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from anchor.ledger.client import LedgerClient
from anchor.ledger.rpc import RpcNode

_LONGEST_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.002


@contextmanager
def mining_first(node: RpcNode) -> Iterator[None]:
    """Have whoever sends anything wait until nothing is pending at `node`, if that mines by itself.

    Whether the sender hears of it or not: `node` is asked itself, not what may stand before it and spoil its answers.
    """
    really_send = LedgerClient.send_raw

    def send_and_wait(client: LedgerClient, raw: bytes) -> None:
        try:
            really_send(client, raw)
        finally:
            _wait_until_mined(node)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LedgerClient, "send_raw", send_and_wait)
        yield


def _wait_until_mined(node: RpcNode) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while node.read("anvil_getAutomine", []) and int(node.read("txpool_status", [])["pending"], 16):
        # One that offers less than a block asks for is pending for good: it goes on all the same.
        if time.monotonic() > deadline:
            return
        time.sleep(_PAUSE_SECONDS)
