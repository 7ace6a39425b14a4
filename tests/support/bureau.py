"""An institution that has only the program: a home folder, files, and commands run in this process or as programs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from anchor.cli.main import run
from anchor.ledger.keys import KeyStore, Signer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROGRAM = Path(sys.executable).with_name("credanchor")


def open_each_key_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unlock each key once a session: it takes a second, on purpose, and is tested elsewhere."""
    monkeypatch.setattr(KeyStore, "open", _open)


_really_open = KeyStore.open


@cache
def _opened(folder: Path, name: str, passphrase: str) -> Signer:
    return _really_open(KeyStore(folder), name, passphrase)


def _open(keys: KeyStore, name: str, passphrase: str) -> Signer:
    return _opened(keys._folder, name, passphrase)


@dataclass(kw_only=True)
class Bureau:
    home: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Run the program; give its exit code, and what it printed to standard output and standard error."""
        self.capsys.readouterr()
        code = run([str(each) for each in arguments])
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out, printed.err

    def run_json(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        code, out, _ = self.run(*arguments, "--json")
        return code, json.loads(out)

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """Start the program as a process of its own."""
        return subprocess.Popen(
            [PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.home
        )

    def pid(self) -> int:
        """The local testnet's process."""
        number: int = json.loads((self.home / "testnet" / "anvil.json").read_bytes())["pid"]
        return number
