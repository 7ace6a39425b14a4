"""docs/guides/public-chain.md, run from top to bottom as it stands, on a local chain in place of the public one."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from anchor.ledger.keys import KeyStore
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import Testnet
from anchor.model import to_hex
from registry.cli import writing
from registry.settings import load_draft
from tests.support.homes import at_work
from tests.support.program import Program

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "public-chain.md").read_text("utf-8")
BLOCKS = re.findall(r"^```bash\n# (\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
EXAMPLES = ROOT / "docs" / "examples"
NEEDED = {"achievement.json": "achievement.json", "roster.csv": "roster-5.csv"}
CARRIED = ("request.json", "consent.json", "issued")


@dataclass(kw_only=True)
class Reader(Program):
    """Somebody who follows the guide."""

    place: Path
    url: str
    monkeypatch: pytest.MonkeyPatch

    def follow(self, machine: str, commands: str, *, exits: int = 0) -> list[str]:
        """Run one block on one machine; give what each command printed."""
        folder = self.place / machine
        folder.mkdir(exist_ok=True)
        self.monkeypatch.chdir(folder)
        self._carry(folder)
        printed = []
        for line in commands.splitlines():
            program, *words = shlex.split(self._as_here(line))
            assert program == "credanchor"
            code, out, err = self.run(*words)
            assert code == exits, f"{line}\n{out}{err}"
            printed.append(out)
            self._fund()
        return printed

    def _as_here(self, line: str) -> str:
        """Put what is so here in the place of what the guide leaves open."""
        line = line.replace("https://node.example", self.url).replace("11155111", "31337")
        registrar, college = (self.place / each / ".credanchor" for each in ("registrar", "college"))
        if "0xREGISTRY" in line:
            registry = load_draft(registrar).registry or ""
            line = line.replace("0xREGISTRY", registry.rpartition(":")[2])
        if "0xCONTROLLER" in line:
            line = line.replace("0xCONTROLLER", to_hex(KeyStore(college / "keys").find("controller").address))
        return line

    def _carry(self, folder: Path) -> None:
        """Bring along what the text says is brought along."""
        for name, example in NEEDED.items():
            shutil.copy(EXAMPLES / example, folder / name)
        for name in CARRIED:
            for found in self.place.glob(f"*/{name}"):
                if not (folder / name).exists():
                    (shutil.copytree if found.is_dir() else shutil.copy)(found, folder / name)

    def _fund(self) -> None:
        for keys in self.place.glob("*/.credanchor/keys"):
            for key in KeyStore(keys).list():
                RpcNode(self.url).write("anvil_setBalance", [to_hex(key.address), hex(10**18)])
        # Balances that were set are in no block yet, and would spoil its proofs.
        RpcNode(self.url).write("anvil_mine", ["0x1"])


@pytest.fixture
def reader(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    at_work(monkeypatch)
    monkeypatch.setattr(writing, "is_interactive", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_question, **_options: True)
    testnet = Testnet(tmp_path / "testnet")
    url = testnet.up(port=0).url
    yield Reader(place=tmp_path, url=url, monkeypatch=monkeypatch, capsys=capsys)
    testnet.down()


def test_the_guide_leads_where_it_says(reader: Reader) -> None:
    assert [machine for machine, _ in BLOCKS] == [
        *("registrar", "registrar", "college", "registrar", "college"),
        *("college", "college", "vault", "college", "vault", "anybody"),
    ]
    *before, issue, check = BLOCKS
    printed = [reader.follow(machine, commands) for machine, commands in before]
    assert re.search(r"status key .*\(status\)", printed[-1][-1])
    for name in ("settings.toml", "policy.json"):
        shutil.copy(reader.place / "college" / ".credanchor" / name, reader.place / "vault" / ".credanchor" / name)
    assert "5 valid" in reader.follow(*issue)[-1]
    # By the chain's own finality, which on a local chain takes 64 blocks: the page says what is shown until then.
    assert "not final yet" in reader.follow(*check, exits=3)[-1]
