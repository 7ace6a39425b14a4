"""What a node that mines by itself has been given is mined before the sender goes on.

anvil answers first and mines then. A worker, which does not wait, finds a transaction mined or not, as chance has it:
one time in ten it is not, on a busy machine. Tests that are about something else want it to be always.
"""

from __future__ import annotations

import time
from typing import Final

from anchor.ledger.client import LedgerClient

_LONGEST_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.002

_really_send = LedgerClient.send_raw


def send_and_wait(client: LedgerClient, raw: bytes) -> None:
    """Stand for `LedgerClient.send_raw`: wait until nothing is pending, at a node that mines by itself."""
    _really_send(client, raw)
    deadline = time.monotonic() + _LONGEST_SECONDS
    while client._rpc.read("anvil_getAutomine", []) and int(client._rpc.read("txpool_status", [])["pending"], 16):
        # One that offers less than a block asks for is pending for good: it goes on all the same.
        if time.monotonic() > deadline:
            return
        time.sleep(_PAUSE_SECONDS)
