"""docs/guides/audit.md and reconcile.md, run from top to bottom as they stand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from anchor.ledger.testnet import Testnet
from anchor.model import to_utc
from registry.settings import load_draft
from tests.support.guides import ROOT, Reader, read_guide, sit_at_a_terminal, steps

COLLEGE, AUDITOR, SCEPTIC, NOBODY = "college", "auditor", "sceptic", "nobody waits for it here"
STEPS = steps(read_guide("audit.md"))


@dataclass(kw_only=True)
class Three(Reader):
    """The college, an auditor, and somebody who believes neither: the first line of a block says who."""

    def as_here(self, line: str) -> str:
        # The usual port may be somebody else's.
        line = f"{line} --port 0" if line == "credanchor dev up" else line
        if "0xREGISTRY" in line:
            draft = load_draft(self.place / COLLEGE / ".credanchor")
            line = line.replace("eip155:31337:0xREGISTRY", draft.registry or "")
            line = line.replace("http://127.0.0.1:8545", draft.rpc_url)
        return line.replace("--at NOW", f'--at "{self._now()}"') if "--at NOW" in line else line

    def _now(self) -> str:
        from anchor.ledger.client import LedgerClient

        rpc_url = load_draft(self.place / COLLEGE / ".credanchor").rpc_url
        return to_utc(LedgerClient(rpc_url).latest_block().header.timestamp)

    def arrive(self, folder: Path) -> None:
        if folder.name == COLLEGE and not (folder / "docs").exists():
            (folder / "docs").symlink_to(ROOT / "docs")
        if folder.name == AUDITOR:
            shutil.copy(next((self.place / COLLEGE / "issued").glob("0001-*")), folder / "badge.json")
        if folder.name == SCEPTIC:
            for name in ("college-audit/events.jsonl", "statement.json"):
                if (self.place / AUDITOR / name).exists():
                    shutil.copy(self.place / AUDITOR / name, folder)


@pytest.fixture
def three(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Three]:
    sit_at_a_terminal(monkeypatch)
    # The practice ledger has a passphrase of its own, in its settings.
    monkeypatch.delenv("CREDANCHOR_PASSPHRASE")
    monkeypatch.setattr("anchor.cli.signing_keys.is_interactive", lambda: True)
    monkeypatch.setattr("anchor.cli.signing_keys.prompt_hidden", lambda *_words, **_options: "quiet words")
    (revoked,) = (step.commands.splitlines()[-1] for step in STEPS if "--at NOW" in step.commands)
    yield Three(place=tmp_path, monkeypatch=monkeypatch, capsys=capsys, exits={revoked: [1]})
    Testnet(tmp_path / COLLEGE / ".credanchor" / "testnet").down()


def test_the_guides_lead_where_they_say(three: Three) -> None:
    machines = [step.commands.partition("\n")[0].removeprefix("# ") for step in STEPS]
    assert set(machines) == {COLLEGE, AUDITOR, SCEPTIC, NOBODY}
    for machine, step in zip(machines, STEPS, strict=True):
        if machine != NOBODY:
            three.follow(three.place / machine, step)
    assert not any(three.exits.values())
    report = (three.place / AUDITOR / "report.html").read_text("utf-8")
    assert "Complete: nothing is missing" in report
    assert '<html lang="fr">' in (three.place / AUDITOR / "rapport.html").read_text("utf-8")
    reconcile = steps(read_guide("reconcile.md"))[0]
    three.follow(three.place / COLLEGE, reconcile)
