"""docs/guides/offline.md, run from top to bottom as it stands; what says "no network" where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from anchor.ledger.testnet import Testnet
from registry.settings import load_draft
from tests.support.guides import ROOT, Reader, read_guide, sit_at_a_terminal, steps
from tests.support.offline import run_offline

STEPS = steps(read_guide("offline.md"))
COLLEGE, EMPLOYER = "college", "employer, no network"
CARRIED = ("badge.bundle.json", "revoked.bundle.json", "known-blocks.json")


@dataclass(kw_only=True)
class Two(Reader):
    """The college, and an employer whose machine has no network: the first line of a block says who."""

    def run(self, *arguments: object) -> tuple[int, str, str]:
        if Path.cwd() != self.place / EMPLOYER:
            return super().run(*arguments)
        ended = run_offline(Path.cwd(), *arguments)
        return ended.code, ended.out, ended.err

    def as_here(self, line: str) -> str:
        # The usual port may be somebody else's.
        line = f"{line} --port 0" if line == "credanchor dev up" else line
        if "0xREGISTRY" in line:
            registry = load_draft(self.place / COLLEGE / ".credanchor").registry or ""
            line = line.replace("0xREGISTRY", registry.rpartition(":")[2])
        return line

    def arrive(self, folder: Path) -> None:
        if folder.name == COLLEGE and not (folder / "docs").exists():
            (folder / "docs").symlink_to(ROOT / "docs")
        if folder.name == EMPLOYER:
            for name in CARRIED:
                if (self.place / COLLEGE / name).exists():
                    shutil.copy(self.place / COLLEGE / name, folder / name)


@pytest.fixture
def two(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    sit_at_a_terminal(monkeypatch)
    # The practice ledger has a passphrase of its own, in its settings.
    monkeypatch.delenv("CREDANCHOR_PASSPHRASE")
    refused = {STEPS[-1].commands.splitlines()[-1]: [1]}
    yield Two(place=tmp_path, monkeypatch=monkeypatch, capsys=capsys, exits=refused)
    Testnet(tmp_path / COLLEGE / ".credanchor" / "testnet").down()


def test_the_guide_leads_where_it_says(two: Two) -> None:
    machines = [step.commands.partition("\n")[0].removeprefix("# ") for step in STEPS]
    assert set(machines) == {COLLEGE, EMPLOYER}
    for machine, step in zip(machines, STEPS, strict=True):
        two.follow(two.place / machine, step)
    assert not any(two.exits.values())
