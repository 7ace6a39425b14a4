"""Composition root of the commands that set up: keys always, the rest as far as the settings go."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anchor.ledger.signers import SigningKey
from anchor.model import RegistryId
from registry.errors import SettingsError
from registry.senders import account_lock, devnet_save, max_fee_wei, remote_signer
from registry.settings import KEYS_FOLDER, SETTINGS_FILE, DraftSettings, find_home, load_draft, read_passphrase

if TYPE_CHECKING:
    # What these need is slow to import: they are loaded when they are used.
    from anchor.ledger.client import LedgerClient
    from anchor.ledger.keys import KeyStore
    from registry.services.governance import Governance
    from registry.services.setup_sending import DeferredKey, SetupSender

SENT_FOLDER: Final = "sent"


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

        remote = remote_signer(reference)
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
            on_mined=devnet_save(self.settings),
            max_cost_wei=MAX_COST_WEI if max_cost_wei is None else max_cost_wei,
            max_fee_wei=max_fee_wei(self.settings),
        )
        return SetupSender(sender, self.home / SENT_FOLDER, wait_seconds=self.settings.wait_seconds)
