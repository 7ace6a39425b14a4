"""Home folders of those who set up: keys of the testnet's accounts by name, and the program run in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from anchor.ledger.keys import KeyStore
from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from tests.support.bureau import Bureau, make_keys_quickly, open_each_key_once

PASSPHRASE = "hunter2 é"


@dataclass(kw_only=True)
class Home(Bureau):
    """One home folder, which every command is told to use."""

    def run(self, *arguments: object) -> tuple[int, str, str]:
        return super().run(*arguments, "--home", self.home)

    def take(self, name: str, account: int) -> str:
        """Keep one of the testnet's keys under a name; give its address."""
        keys = KeyStore(self.home / "keys")
        return to_hex(keys.import_key(name, bytes(dev_signer(account)._account.key), PASSPHRASE).address)

    def settings_text(self) -> str:
        return (self.home / "settings.toml").read_text("utf-8")


def at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what homes have in common: the passphrase, and keys that are quick to make and open."""
    monkeypatch.setenv("CREDANCHOR_PASSPHRASE", PASSPHRASE)
    for name in ("HOME", "RPC_URL"):
        monkeypatch.delenv(f"CREDANCHOR_{name}", raising=False)
    make_keys_quickly(monkeypatch)
    open_each_key_once(monkeypatch)


def home_in(folder: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(home=folder, capsys=capsys)
