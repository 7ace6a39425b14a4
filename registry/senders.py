"""What whoever sends transactions needs besides a key: the account's lock, the highest fee, and the testnet saved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anchor.ledger.signers import SigningKey, parse_remote_key
from anchor.model import Address, to_hex
from registry.settings import TESTNET_FOLDER, DraftSettings

if TYPE_CHECKING:
    from registry.store.engine import Store

LOCKS_FOLDER: Final = "locks"
LOCK_SECONDS: Final = 300
"""How long one process waits for another that sends for the same account; workers do other things meanwhile."""


def remote_signer(key: str) -> SigningKey | None:
    """Give the remote signer's key that a reference names; None if it names a key file."""
    remote = parse_remote_key(key)
    if remote is None:
        return None
    from anchor.ledger.remote_signer import RemoteSigner

    return RemoteSigner(remote)


def account_lock(
    home: Path,
    chain_id: int,
    account: Address,
    store: Store | None = None,
    *,
    timeout_seconds: float = LOCK_SECONDS,
) -> AbstractContextManager[None]:
    """Give the lock of an account: on a file, or in the database where processes on several machines share one."""
    from registry.services.locks import ProcessLock

    name, what = f"{chain_id}-{to_hex(account)}", "sends transactions for this account"
    shared = None if store is None else store.lock(f"account {name}", what=what, timeout_seconds=timeout_seconds)
    return shared or ProcessLock(home / LOCKS_FOLDER / f"{name}.lock", what=what, timeout_seconds=timeout_seconds)


def max_fee_wei(settings: DraftSettings) -> int:
    """Tell the highest fee of the settings, in wei a unit of gas."""
    return round(settings.max_fee_gwei * 10**9)


def devnet_save(settings: DraftSettings) -> Callable[[], None] | None:
    """Give what keeps the local testnet's chain after a transaction; None when the node is another one."""
    from anchor.ledger.testnet import Testnet

    folder = settings.home / TESTNET_FOLDER
    if not folder.exists():
        return None
    testnet = Testnet(folder)
    status = testnet.status()
    return testnet.save if status.running and status.url == settings.rpc_url else None
