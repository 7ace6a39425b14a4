"""Composition root: builds store, ledger and services from the settings; reads clock and environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anchor.canonical import JsonObject
from anchor.ledger.signers import SigningKey, parse_remote_key
from anchor.model import Address, Hash32, RegistryId, to_hex
from registry.errors import SettingsError
from registry.services.credentials import CredentialFrame, IssuerProfile
from registry.settings import (
    KEYS_FOLDER,
    SETTINGS_FILE,
    TESTNET_FOLDER,
    DraftSettings,
    Settings,
    find_home,
    load_draft,
    load_settings,
    read_passphrase,
)

if TYPE_CHECKING:
    # What these need is slow to import: they are loaded when they are used.
    from anchor.ledger.client import LedgerClient
    from anchor.ledger.keys import KeyStore, Signer
    from anchor.ledger.transactions import TransactionSender
    from registry.services.anchoring import Anchoring
    from registry.services.approvals import Approvals
    from registry.services.costs import Cost
    from registry.services.governance import Governance
    from registry.services.ledger_state import LedgerView
    from registry.services.replace import Replacer
    from registry.services.sending import Outbox
    from registry.services.setup_sending import DeferredKey, SetupSender
    from registry.services.status import StatusService
    from registry.services.status_plan import StatusPlanner
    from registry.services.targets import TargetFinder
    from registry.store.engine import Store

LOCKS_FOLDER: Final = "locks"
SENT_FOLDER: Final = "sent"
LOCK_SECONDS: Final = 300
"""How long one process waits for another that sends for the same account; workers do other things meanwhile."""


class AnyInstitution:
    """Everything that is done for an institution, built when it is first asked for.

    Args:
        settings: Its settings, from a home folder or a service's database.
        open_store: Gives the database as it has it.
        ask_passphrase: Asks the person at the keyboard for the passphrase of the keys.
        lock_seconds: How long to wait for others that send for the same account.
    """

    def __init__(
        self,
        settings: Settings,
        open_store: Callable[[], Store],
        ask_passphrase: Callable[[], str],
        *,
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        self._lock_seconds: Final = lock_seconds
        self.settings: Final = settings
        self._open_store: Final = open_store
        self._ask_passphrase: Final = ask_passphrase
        self._unlocking: Final[dict[str, Future[Signer]]] = {}
        self.key_seconds = 0.0
        """Seconds that unlocking keys took."""

    @cached_property
    def store(self) -> Store:
        """The database, its schema brought up to date."""
        return self._open_store()

    @cached_property
    def client(self) -> LedgerClient:
        """The configured node."""
        from anchor.ledger.client import LedgerClient

        return LedgerClient(self.settings.rpc_url)

    @cached_property
    def view(self) -> LedgerView:
        """The registry on the ledger."""
        from registry.services.ledger_state import LedgerView

        return LedgerView(self.client, self.settings.registry_id)

    @cached_property
    def anchoring(self) -> Anchoring:
        """Anchors with the ANCHOR key, which is unlocked for it."""
        from registry.services.anchoring import Anchoring

        return Anchoring(self.store, self._outbox(self.settings.anchor_key), self.view, self.approvals)

    def cost_of_anchoring(self, root: Hash32, size: int) -> Cost:
        """Let the node estimate what anchoring a batch would cost; needs the key's address only."""
        from anchor.ledger.contract import RegistryContract
        from registry.services.costs import preview_cost

        call = RegistryContract(self.settings.registry_id).anchor(
            issuer_id=self.settings.issuer_id, root=root, size=size
        )
        key = self.address_of(self.settings.anchor_key)
        return preview_cost(self.client, key, [call], extra_gas=self.extra_gas)

    @property
    def extra_gas(self) -> int:
        """About what each transaction takes more because the keys only sign."""
        from anchor.ledger.relaying import LIKELY_RELAYED_GAS

        return LIKELY_RELAYED_GAS if self.settings.relayed else 0

    def address_of(self, key: str) -> Address:
        """Tell the address of a key of the settings, which need not be opened for it."""
        from registry.services.issuer_keys import address_of_key

        return address_of_key(key, self.settings.home)

    @cached_property
    def approvals(self) -> Approvals:
        """Approves what was derived from a roster on this machine."""
        from registry.services.approvals import load_approvals

        return load_approvals(self.settings.home)

    @cached_property
    def status(self) -> StatusService:
        """Changes status with the STATUS key, which is unlocked for it."""
        return self.status_by(self.settings.status_key)

    def status_by(self, key: str) -> StatusService:
        """Give what changes status with a key, which is unlocked for it."""
        from registry.services.status import StatusService

        return StatusService(self.store, self._outbox(key), self.view, self.settings.issuer_id)

    @cached_property
    def status_planner(self) -> StatusPlanner:
        """Plans changes of status; needs no key."""
        from registry.services.status_plan import StatusPlanner

        return StatusPlanner(self.view, self.settings.issuer_id)

    @cached_property
    def targets(self) -> TargetFinder:
        """Takes what a person names as credentials whose status is to change; needs no key."""
        from registry.services.targets import TargetFinder

        return TargetFinder(self.store, self.settings.registry_id, self.settings.issuer_id)

    @cached_property
    def replacer(self) -> Replacer:
        """Replaces credentials, with both keys."""
        from registry.services.replace import Replacer

        return Replacer(self.store, self.approvals, self.anchoring, self.status)

    def frame(self, achievement: JsonObject, *, valid_from: int) -> CredentialFrame:
        """Put an achievement into what this issuer's credentials have in common."""
        settings = self.settings
        profile = IssuerProfile(did=settings.issuer_did, name=settings.issuer_name, url=settings.issuer_url)
        return CredentialFrame(
            achievement=achievement,
            issuer=profile,
            registry=settings.registry_id,
            issuer_id=settings.issuer_id,
            public_url=settings.public_url,
            valid_from=valid_from,
        )

    def start_unlocking(self, key: str) -> None:
        """Begin to unlock a key in the background: its function is slow on purpose, and leaves the processor free."""
        from anchor.ledger import transactions as _transactions  # noqa: F401 - imported before a second thread runs

        if parse_remote_key(key) is not None:
            return  # its signer holds it, and asks for what it wants
        passphrase = read_passphrase(self.settings, self._ask_passphrase)
        executor = ThreadPoolExecutor(max_workers=1)
        self._unlocking[key] = executor.submit(self._unlock, self.settings.path(key), passphrase)
        executor.shutdown(wait=False)

    def _unlock(self, path: Path, passphrase: str) -> Signer:
        from anchor.ledger.keys import KeyStore

        started = time.perf_counter()
        signer = KeyStore(path.parent).open(path.stem, passphrase)
        self.key_seconds = time.perf_counter() - started
        return signer

    def _signer(self, key: str) -> SigningKey:
        remote = _remote_signer(key)
        if remote is not None:
            return remote
        if key not in self._unlocking:
            self.start_unlocking(key)
        return self._unlocking[key].result()

    def _outbox(self, key: str) -> Outbox:
        from registry.services.account import Raising
        from registry.services.sending import Outbox

        raising = Raising(after_seconds=self.settings.raise_fees_seconds or None, clock=now)
        return Outbox(self.store, self._sender(key), wait_seconds=self.settings.wait_seconds, raising=raising)

    def _sender(self, key: str) -> TransactionSender:
        """Give what sends for a key: its own account or, where it only signs, the operator's."""
        from anchor.ledger.relaying import RelayingSender
        from anchor.ledger.transactions import TransactionSender

        settings, signer = self.settings, self._signer(key)
        payer = signer
        if settings.relayed:
            if not settings.service.relayer_key:
                raise SettingsError(
                    "the institution's keys only sign, and the settings name no account that sends",
                    advice='Add to the table [service] of settings.toml: relayer_key = "keys/relayer.json"',
                )
            payer = self._signer(settings.service.relayer_key)
        chain_id = settings.registry_id.chain_id
        lock = account_lock(settings.home, chain_id, payer.address, self.store, timeout_seconds=self._lock_seconds)
        on_mined, max_fee_wei = _devnet_save(settings), _max_fee_wei(settings)
        if settings.relayed:
            return RelayingSender(
                self.client,
                registry=settings.registry_id,
                key=signer,
                signer=payer,
                lock=lock,
                on_mined=on_mined,
                max_fee_wei=max_fee_wei,
            )
        return TransactionSender(
            self.client, chain_id=chain_id, signer=signer, lock=lock, on_mined=on_mined, max_fee_wei=max_fee_wei
        )


class Institution(AnyInstitution):
    """The institution of a home folder: what its commands work with.

    Args:
        home: Its home folder; default: $CREDANCHOR_HOME, else `.credanchor`.
        ask_passphrase: Asks the person at the keyboard for the passphrase of the keys.

    Raises:
        SettingsError: The home folder is not set up.
    """

    def __init__(self, home: Path | None, ask_passphrase: Callable[[], str]) -> None:
        settings = load_settings(find_home(home))
        super().__init__(settings, lambda: _open_store(settings), ask_passphrase)


class Workplace:
    """Everything that the commands that set up work with: keys always, the rest as far as the settings go.

    Args:
        home: Its home folder; default: $CREDANCHOR_HOME, else `.credanchor`.
        ask_passphrase: Asks the person at the keyboard for the passphrase of the keys.
    """

    def __init__(self, home: Path | None, ask_passphrase: Callable[[], str]) -> None:
        self.home: Final = find_home(home)
        self._ask_passphrase: Final = ask_passphrase

    @cached_property
    def settings(self) -> DraftSettings:
        """The settings, as far as they go."""
        return load_draft(self.home)

    @cached_property
    def keys(self) -> KeyStore:
        """The key files."""
        from anchor.ledger.keys import KeyStore

        return KeyStore(self.home / KEYS_FOLDER)

    @cached_property
    def client(self) -> LedgerClient:
        """The configured node."""
        from anchor.ledger.client import LedgerClient

        return LedgerClient(self.settings.rpc_url)

    @property
    def registry(self) -> RegistryId:
        """The registry of the settings."""
        if self.settings.registry is None:
            raise SettingsError(
                "the settings name no registry yet",
                advice='Deploy one with `credanchor registry deploy`, or add `registry = "eip155:…"` to settings.toml.',
            )
        return RegistryId.parse(self.settings.registry)

    @property
    def chain_id(self) -> int:
        """The chain of the settings."""
        if self.settings.registry is None and self.settings.chain_id is not None:
            return self.settings.chain_id
        return self.registry.chain_id

    @cached_property
    def governance(self) -> Governance:
        """What the ledger proves of the registry and its issuers."""
        from registry.services.governance import Governance
        from registry.services.ledger_state import LedgerView

        return Governance(LedgerView(self.client, self.registry))

    def passphrase(self) -> str:
        """Get the passphrase of the key files; it is asked for at most once."""
        return self._passphrase

    @cached_property
    def _passphrase(self) -> str:
        has_settings = (self.home / SETTINGS_FILE).exists()
        return read_passphrase(self.settings if has_settings else None, self._ask_passphrase)

    def key(self, reference: str) -> DeferredKey:
        """Find a key, by its name among the key files or as a remote signer's; it is opened when it has to sign."""
        from registry.services.setup_sending import DeferredKey

        remote = _remote_signer(reference)
        if remote is not None:
            return DeferredKey(remote.address, lambda: remote)
        stored = self.keys.find(reference)
        return DeferredKey(stored.address, lambda: self.keys.open(reference, self.passphrase()), self.passphrase)

    def sender(self, key: SigningKey, *, max_cost_wei: int | None = None) -> SetupSender:
        """Give what sends for a key's account; by default no transaction may cost more than one coin."""
        from anchor.ledger.transactions import MAX_COST_WEI, TransactionSender
        from registry.services.setup_sending import SetupSender

        chain_id = self.chain_id
        sender = TransactionSender(
            self.client,
            chain_id=chain_id,
            signer=key,
            lock=account_lock(self.home, chain_id, key.address),
            on_mined=_devnet_save(self.settings),
            max_cost_wei=MAX_COST_WEI if max_cost_wei is None else max_cost_wei,
            max_fee_wei=_max_fee_wei(self.settings),
        )
        return SetupSender(sender, self.home / SENT_FOLDER, wait_seconds=self.settings.wait_seconds)


def _remote_signer(key: str) -> SigningKey | None:
    """Give the remote signer's key that a reference names; None if it names a key file."""
    remote = parse_remote_key(key)
    if remote is None:
        return None
    from anchor.ledger.remote_signer import RemoteSigner

    return RemoteSigner(remote)


def _open_store(settings: DraftSettings) -> Store:
    from registry.store.engine import open_store

    return open_store(settings.store_url, pooled=False)


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


def _max_fee_wei(settings: DraftSettings) -> int:
    return round(settings.max_fee_gwei * 10**9)


def _devnet_save(settings: DraftSettings) -> Callable[[], None] | None:
    """Give what keeps the local testnet's chain after a transaction; None when the node is another one."""
    from anchor.ledger.testnet import Testnet

    folder = settings.home / TESTNET_FOLDER
    if not folder.exists():
        return None
    testnet = Testnet(folder)
    status = testnet.status()
    return testnet.save if status.running and status.url == settings.rpc_url else None


def now() -> int:
    """Read the clock, in Unix seconds."""
    return int(time.time())
