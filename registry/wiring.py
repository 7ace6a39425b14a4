"""Composition root: builds store, ledger and services from the settings; reads clock and environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anchor.canonical import JsonObject
from anchor.ledger.signers import SigningKey, parse_remote_key
from anchor.model import Address, Hash32
from registry.errors import SettingsError
from registry.senders import LOCK_SECONDS, account_lock, devnet_save, max_fee_wei, remote_signer
from registry.services.credentials import CredentialFrame, IssuerProfile
from registry.settings import (
    DraftSettings,
    Settings,
    find_home,
    load_settings,
    read_passphrase,
)

if TYPE_CHECKING:
    # What these need is slow to import: they are loaded when they are used.
    from anchor.ledger.client import LedgerClient
    from anchor.ledger.keys import Signer
    from anchor.ledger.transactions import TransactionSender
    from registry.services.anchoring import Anchoring
    from registry.services.approvals import Approvals
    from registry.services.costs import Cost
    from registry.services.ledger_state import LedgerView
    from registry.services.replace import Replacer
    from registry.services.sending import Outbox
    from registry.services.status import StatusService
    from registry.services.status_plan import StatusPlanner
    from registry.services.targets import TargetFinder
    from registry.store.engine import Store


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
        remote = remote_signer(key)
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
        on_mined, highest_fee_wei = devnet_save(settings), max_fee_wei(settings)
        if settings.relayed:
            return RelayingSender(
                self.client,
                registry=settings.registry_id,
                key=signer,
                signer=payer,
                lock=lock,
                on_mined=on_mined,
                max_fee_wei=highest_fee_wei,
            )
        return TransactionSender(
            self.client, chain_id=chain_id, signer=signer, lock=lock, on_mined=on_mined, max_fee_wei=highest_fee_wei
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


def _open_store(settings: DraftSettings) -> Store:
    from registry.store.engine import open_store

    return open_store(settings.store_url, pooled=False)


def now() -> int:
    """Read the clock, in Unix seconds."""
    return int(time.time())
