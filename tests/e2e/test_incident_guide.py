"""docs/guides/incidents.md, typed section by section on a real chain, with the thief at work in between."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.abi import runtime_code_hash
from anchor.model import to_hex
from registry.settings import complete_settings
from tests.cli.test_incident import fund, instant, office, position_of, reasons
from tests.cli.test_issuer import chain, college, pass_time, registrar, session_chain, vault
from tests.ledger.chain import ADMIN, ANCHOR_KEY, DID, STATUS_KEY, STRANGER, Chain
from tests.support.bureau import EXAMPLES
from tests.support.guides import Reader, Step, read_guide, sit_at_a_terminal, steps
from tests.support.homes import Home
from tests.support.issuing import make_batch

__all__ = ["chain", "college", "office", "registrar", "session_chain", "vault"]

SECTIONS: dict[str, list[Step]] = {}
for _step in steps(read_guide("incidents.md")):
    SECTIONS.setdefault(_step.commands.partition("\n")[0].removeprefix("# "), []).append(_step)


@dataclass(kw_only=True)
class Night(Reader):
    """Somebody with the guide, in the institution's folder."""

    office: Home
    chain: Chain
    since: str = ""

    def as_here(self, line: str) -> str:
        return line.replace("TIME", f"'{self.since}'").replace("policy.json", str(self.office.home / "policy.json"))

    def issue(self) -> list[Path]:
        """Issue to five people; the files, in order."""
        before = set(self.place.glob("issued/*.json"))
        files = ("--achievement", EXAMPLES / "achievement.json", "--recipients", EXAMPLES / "roster-5.csv")
        assert self.office.run("issue", *files, "--out", self.place / "issued", "--again")[0] == 0
        return sorted(set(self.place.glob("issued/*.json")) - before)

    def lose_the_key(self) -> None:
        """From here on, somebody else has it."""
        pass_time(self.chain, 10)
        self.since = instant(self.chain)
        pass_time(self.chain, 5)

    def read(self, section: str, *more: Step) -> str:
        """Type what a section says."""
        return "".join(text for step in (*SECTIONS[section], *more) for text in self.follow(self.place, step))


@pytest.fixture
def night(
    office: Home, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Night:
    sit_at_a_terminal(monkeypatch)
    monkeypatch.setenv("CREDANCHOR_HOME", str(office.home))
    (tmp_path / "desk").mkdir()
    return Night(place=tmp_path / "desk", monkeypatch=monkeypatch, capsys=capsys, office=office, chain=chain)


def test_every_section_is_typed() -> None:
    assert SECTIONS.keys() == {
        *("renew", "anchoring key", "status key", "control", "accreditor", "closing", "registries"),
    }


def test_a_key_is_renewed(night: Night) -> None:
    files = night.issue()
    night.read("renew")
    fund(night.chain, night.office, "anchor-2027")
    assert reasons(night.office, *files, *night.issue()) == [""] * 10


def test_an_anchoring_key_is_stolen(night: Night) -> None:
    night.issue()
    night.lose_the_key()
    night.issue()
    root, forged = make_batch(night.chain.registry, night.chain.issuer_id, DID, ["Nobody"])
    night.chain.execute(ANCHOR_KEY, night.chain.contract.anchor(issuer_id=1, root=root, size=1))
    look, do = SECTIONS["anchoring key"]
    night.follow(night.place, look)
    # As the page says: at first the new key's account has no coin.
    command = do.commands.splitlines()[1]
    night.exits = {command: [3, 0]}
    night.before = {"credanchor verify": lambda: None}
    typed: list[str] = []

    def give_coin() -> None:
        if not typed:
            typed.append("once")
            fund(night.chain, night.office, "anchor-2")

    night.look_after = give_coin  # type: ignore[method-assign]
    night.follow(night.place, do)
    path = night.place / "forged.json"
    path.write_text(json.dumps(forged[0]), "utf-8")
    assert reasons(night.office, path) == ["keyCompromised"]


def test_a_status_key_is_stolen(night: Night) -> None:
    first, second, third, *_ = night.issue()
    assert night.office.run_json("revoke", first, "--reason", "issued-in-error")[0] == 0
    assert night.office.run_json("suspend", second)[0] == 0
    night.lose_the_key()
    for path, call in ((third, night.chain.contract.revoke), (second, night.chain.contract.reinstate)):
        status_list, index = position_of(path)
        words: dict[str, Any] = {"words": [index >> 8], "masks": [1 << (index & 255)]}
        night.chain.execute(STATUS_KEY, call(issuer_id=1, status_list=status_list, reason=1, **words))
    assert reasons(night.office, first, second, third) == ["revoked", "", "revoked"]
    command = SECTIONS["status key"][1].commands.splitlines()[1]
    night.exits = {command: [3, 0]}
    typed: list[str] = []

    def give_coin() -> None:
        typed.append("a command")
        if len(typed) == 2:
            fund(night.chain, night.office, "status-2")

    night.look_after = give_coin  # type: ignore[method-assign]
    night.read("status key")
    assert reasons(night.office, first, second, third) == ["revoked", "suspended", ""]


def test_control_is_handed_over(night: Night) -> None:
    night.office.take("trustee", STRANGER)
    night.read("control")
    assert night.office.run_json("issuer", "show")[1]["controller"].startswith("0x15d34aaf")


def test_an_institution_is_withdrawn(night: Night) -> None:
    files = night.issue()
    night.office.take("registrar", ADMIN)
    night.read("accreditor")
    pass_time(night.chain, 2)
    assert reasons(night.office, *files) == [""] * 5
    assert night.office.run_json("revoke", files[0], "--reason", "other")[0] == 0
    assert reasons(night.office, *files)[0] == "revoked"


def test_an_institution_closes(night: Night) -> None:
    files = night.issue()
    night.read("closing")
    pass_time(night.chain, 2)
    assert reasons(night.office, *files) == [""] * 5


def test_several_registries_are_listed(night: Night) -> None:
    code = to_hex(runtime_code_hash())
    elsewhere = f"eip155:31337:0x{'77' * 20}"
    registries = [
        {"registry": night.chain.registry.to_text(), "codeHash": code, "name": "Registrar of the province"},
        {"registry": elsewhere, "codeHash": code, "name": "Registrar of the neighbouring province"},
    ]
    draft = {"format": "credanchor/trust-list@v1", "name": "Provinces", "sequence": 1, "expiresAt": None}
    draft |= {"registries": registries, "deniedIssuers": ["did:web:mill.example"]}
    (night.place / "draft.json").write_text(json.dumps(draft), "utf-8")
    complete_settings(night.office.home, {"issuer_name": "Collège Boréalis"})
    night.read("registries")
