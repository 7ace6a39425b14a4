"""The registrar's guides, typed from top to bottom as they stand; what she sees is what the pages show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from anchor.ledger.testnet import Testnet
from registry.services.anchoring import Anchoring
from tests.support.guides import ROOT, Reader, block_of, read_guide, sit_at_a_terminal, steps, table_of
from tests.support.messy_roster import as_xlsx

FIRST, TERM = read_guide("first-credential.md"), read_guide("terms-routine.md")


@dataclass(kw_only=True)
class Registrar(Reader):
    """She has one folder, and a practice ledger in it."""

    def as_here(self, line: str) -> str:
        # The usual port may be somebody else's.
        return super().as_here(f"{line} --port 0" if line == "credanchor dev up" else line)

    def reads(self, guide: str) -> None:
        """Type everything that is on a page."""
        for step in steps(guide):
            self.follow(self.place, step)
        assert not self.before
        assert not any(self.exits.values())


@pytest.fixture
def registrar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Registrar]:
    sit_at_a_terminal(monkeypatch)
    # Each practice ledger has a passphrase of its own, in its settings.
    monkeypatch.delenv("CREDANCHOR_PASSPHRASE")
    yield Registrar(place=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    Testnet(tmp_path / ".credanchor" / "testnet").down()


def test_first_credential(registrar: Registrar) -> None:
    def change_a_letter() -> None:
        first, *_ = sorted(Path("issued").glob("0001-*.json"))
        Path("changed.json").write_text(first.read_text("utf-8").replace("Zoé", "Zoë").replace("ᐊᓇ", "ᐊᓄ"), "utf-8")

    registrar.before = {"credanchor verify changed.json": change_a_letter}
    registrar.exits = {"credanchor verify changed.json": [1], "credanchor verify issued": [0, 1]}
    registrar.reads(FIRST)


def test_a_terms_routine(registrar: Registrar) -> None:
    rows: list[list[object]] = [list(row) for row in table_of(TERM)]
    place = registrar.place
    (place / "docs").symlink_to(ROOT / "docs")
    (place / "cohort.xlsx").write_bytes(as_xlsx(rows))
    (place / "withdrawn.csv").write_text(block_of(TERM, "csv"), "utf-8")

    def mend_the_address() -> None:
        rows[2][1] = "ana@example.org"
        Path("cohort.xlsx").write_bytes(as_xlsx(rows))

    def mend_the_grade() -> None:
        rest = Path("cohort-rest.csv")
        rest.write_text(rest.read_text("utf-8-sig").replace("ninety", "90"), "utf-8")

    def be_interrupted() -> None:
        Path("late.csv").write_text("name,email,result\nLéa Roy,lea@example.org,70\n", "utf-8")
        with registrar.monkeypatch.context() as patched:
            patched.setattr(Anchoring, "anchor", _power_cut)
            code, *_ = registrar.run("issue", "--achievement", "first-aid", "--recipients", "late.csv")
        assert code == 130

    issue = "credanchor issue --achievement first-aid --recipients"
    registrar.before = {
        f"{issue} cohort.xlsx --profile college --dry-run": mend_the_address,
        f"{issue} cohort-rest.csv": mend_the_grade,
        "credanchor issue --resume": be_interrupted,
    }
    registrar.exits = {
        "credanchor roster check cohort.xlsx --profile college": [2],
        f"{issue} cohort.xlsx --profile college --dry-run": [2],
        f"{issue} cohort-rest.csv --profile college": [2],
        "credanchor find sahaia@example.org": [1],
    }
    registrar.reads(TERM)
    with ZipFile(place / "spring.zip") as archive:
        assert len([name for name in archive.namelist() if name.startswith("emails/")]) == 6


def _power_cut(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
