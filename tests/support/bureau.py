"""An institution that has only the program: a home folder, files, and commands run in this process or as programs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import IO

import pytest
from eth_account import Account

from anchor.ledger.keys import KeyStore, Signer
from tests.support.program import Program

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROGRAM = Path(sys.executable).with_name("credanchor")


def open_each_key_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unlock each key once a session: it takes a second, on purpose, and is tested elsewhere."""
    monkeypatch.setattr(KeyStore, "open", _open)


def make_keys_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encrypt new keys by a quick function: that files are strong is tested elsewhere."""
    monkeypatch.setattr(Account, "encrypt", partial(Account.encrypt, iterations=2))


_really_open = KeyStore.open


@cache
def _opened(folder: Path, name: str, passphrase: str) -> Signer:
    return _really_open(KeyStore(folder), name, passphrase)


def _open(keys: KeyStore, name: str, passphrase: str) -> Signer:
    return _opened(keys._folder, name, passphrase)


@dataclass(kw_only=True)
class Bureau(Program):
    home: Path

    def start(self, *arguments: object, shown: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start the program as a process of its own, in the home folder.

        Args:
            arguments: Of the program.
            shown: Where what it prints goes.
        """
        return subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=shown, stderr=shown, cwd=self.home)

    def pid(self) -> int:
        """The local testnet's process."""
        number: int = json.loads((self.home / "testnet" / "anvil.json").read_bytes())["pid"]
        return number
