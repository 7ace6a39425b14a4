"""docs/guides/public-chain.md, run from top to bottom as it stands, on a local chain in place of the public one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from anchor.ledger.keys import KeyStore
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import Testnet
from anchor.model import to_hex
from registry.settings import load_draft
from tests.support.guides import Reader, read_guide, sit_at_a_terminal, steps

STEPS = steps(read_guide("public-chain.md"))
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
NEEDED = {"achievement.json": "achievement.json", "roster.csv": "roster-5.csv"}
CARRIED = ("request.json", "consent.json", "issued")


@dataclass(kw_only=True)
class Team(Reader):
    """Those who follow the guide, on several machines: the first line of a block says on which."""

    url: str

    def as_here(self, line: str) -> str:
        line = line.replace("https://node.example", self.url).replace("11155111", "31337")
        registrar, college = (self.place / each / ".credanchor" for each in ("registrar", "college"))
        if "0xREGISTRY" in line:
            registry = load_draft(registrar).registry or ""
            line = line.replace("0xREGISTRY", registry.rpartition(":")[2])
        if "0xCONTROLLER" in line:
            line = line.replace("0xCONTROLLER", to_hex(KeyStore(college / "keys").find("controller").address))
        return line

    def arrive(self, folder: Path) -> None:
        for name, example in NEEDED.items():
            shutil.copy(EXAMPLES / example, folder / name)
        for name in CARRIED:
            for found in self.place.glob(f"*/{name}"):
                if not (folder / name).exists():
                    (shutil.copytree if found.is_dir() else shutil.copy)(found, folder / name)

    def look_after(self) -> None:
        for keys in self.place.glob("*/.credanchor/keys"):
            for key in KeyStore(keys).list():
                RpcNode(self.url).write("anvil_setBalance", [to_hex(key.address), hex(10**18)])
        # Balances that were set are in no block yet, and would spoil its proofs.
        RpcNode(self.url).write("anvil_mine", ["0x1"])


@pytest.fixture
def team(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    sit_at_a_terminal(monkeypatch)
    testnet = Testnet(tmp_path / "testnet")
    url = testnet.up(port=0).url
    # By the chain's own finality, which on a local chain takes 64 blocks: the page says what is shown until then.
    undecided = {STEPS[-1].commands.splitlines()[-1]: [3]}
    yield Team(place=tmp_path, url=url, monkeypatch=monkeypatch, capsys=capsys, exits=undecided)
    testnet.down()


def test_the_guide_leads_where_it_says(team: Team) -> None:
    machines = [step.commands.partition("\n")[0].removeprefix("# ") for step in STEPS]
    assert machines == [
        *("registrar", "registrar", "college", "registrar", "college"),
        *("college", "college", "vault", "college", "vault", "anybody"),
    ]
    printed = []
    for machine, step in zip(machines, STEPS, strict=True):
        if step is STEPS[-2]:
            for name in ("settings.toml", "policy.json"):
                shutil.copy(team.place / "college" / ".credanchor" / name, team.place / "vault" / ".credanchor" / name)
        printed.append(team.follow(team.place / machine, step))
    *before, issue, check = printed
    assert re.search(r"status key .*\(status\)", before[-1][-1])
    assert "5 valid" in issue[-1]
    assert "not final yet" in check[-1]
    assert not any(team.exits.values())
