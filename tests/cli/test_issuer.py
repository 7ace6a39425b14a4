"""`credanchor issuer`: who is admitted, how that ends, and what is proven of an institution."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from registry.settings import load_draft
from tests.ledger.chain import ADMIN, CONTROLLER, DID, STRANGER, Chain
from tests.ledger.conftest import chain, session_chain
from tests.support.homes import Home, at_work, home_in

__all__ = ["chain", "session_chain"]

NEW_DID = "did:web:new.example"
YES = "--yes"


@pytest.fixture
def registrar(
    chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    """The accreditor's folder."""
    at_work(monkeypatch)
    home = home_in(tmp_path / "registrar", capsys)
    assert home.run("init", "--rpc", chain.url, "--registry", chain.registry.to_text())[0] == 0
    home.take("registrar", ADMIN)
    return home


@pytest.fixture
def college(registrar: Home, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """The folder of the institution that the chain has, with its controller's key."""
    home = home_in(tmp_path / "college", capsys)
    name = ("--name", "Collège Boréalis", "--public-url", "https://x.example")
    options = ("--rpc", chain.url, "--registry", chain.registry.to_text(), "--did", DID, *name)
    assert home.run("init", *options)[0] == 0
    home.take("controller", CONTROLLER)
    return home


@pytest.fixture
def vault(registrar: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """The machine with the keys: no settings, no node."""
    return home_in(tmp_path / "vault", capsys)


def pass_time(chain: Chain, seconds: int) -> None:
    chain.node.write("evm_increaseTime", [hex(seconds)])
    chain.mine()


def test_the_accreditor_admits_and_the_institution_finds_itself(registrar: Home, college: Home, chain: Chain) -> None:
    controller = to_hex(dev_signer(STRANGER).address)
    options = ("--controller", controller, "--key", "registrar", YES)
    code, out, err = registrar.run("issuer", "accredit", NEW_DID, *options)
    assert code == 0
    assert f"accredited: {NEW_DID} is issuer 2" in out
    assert "credanchor issuer show --save" in out
    assert f"controller  {controller}" in err
    assert load_draft(registrar.home).issuer_id is None

    (college.home / "settings.toml").write_text(
        college.settings_text().replace(DID, NEW_DID).replace("issuer_id = 1\n", "")
    )
    code, shown = college.run_json("issuer", "show", "--save")
    assert code == 0
    assert (shown["issuer"], shown["did"], shown["controller"], shown["keys"]) == (2, NEW_DID, controller, [])
    assert load_draft(college.home).issuer_id == 2


def test_on_one_machine_the_number_is_written_at_once(college: Home, chain: Chain) -> None:
    (college.home / "settings.toml").write_text(
        college.settings_text().replace(DID, NEW_DID).replace("issuer_id = 1\n", "")
    )
    college.take("registrar", ADMIN)
    options = ("--controller", "controller", "--key", "registrar", YES)
    code, content = college.run_json("issuer", "accredit", NEW_DID, *options)
    assert (code, content["issuer"], content["controller"]) == (0, 2, to_hex(dev_signer(CONTROLLER).address))
    assert load_draft(college.home).issuer_id == 2


@pytest.mark.parametrize(
    ("did", "options", "code", "words"),
    [
        (DID, ["--key", "registrar"], 1, "has an issuer number already"),
        ("college.example", ["--key", "registrar"], 1, "starts with did:"),
        (NEW_DID, ["--key", "stranger"], 1, "use an account that has this role"),
        (NEW_DID, ["--key", "absent"], 2, "there is no key absent"),
        (NEW_DID, [], 2, "--print-call"),
    ],
)
def test_who_is_not_admitted(
    registrar: Home, chain: Chain, did: str, options: list[str], code: int, words: str
) -> None:
    registrar.take("stranger", STRANGER)
    found, _, err = registrar.run("issuer", "accredit", did, "--controller", "stranger", *options, YES)
    assert found == code
    assert words in err


def test_a_withdrawal_has_a_time_and_a_reason(registrar: Home, chain: Chain) -> None:
    options = ("--reason", "affiliation-ended", "--key", "registrar", YES)
    code, content = registrar.run_json("issuer", "withdraw", DID, "--at", "2100-01-01", *options)
    assert (code, content["withdrawnAt"], content["reason"]) == (0, 4102444800, "affiliation-ended")
    code, out, _ = registrar.run("issuer", "show", "1")
    assert "from 2100-01-01 00:00:00 UTC on" in out
    code, out, err = registrar.run("issuer", "withdraw", "1", *options)
    assert code == 0
    assert "with the next second of the ledger" in err
    pass_time(chain, 10)
    code, _, err = registrar.run("issuer", "withdraw", DID, *options)
    assert code == 1
    assert "IssuerWithdrawn" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["did:web:nobody.example", "--reason", "other"], 1, "accredited nobody"),
        (["7", "--reason", "other"], 1, "no issuer 7"),
        (["0", "--reason", "other"], 2, "number"),
        (["9" * 20, "--reason", "other"], 2, "number"),
        ([DID, "--reason", "misconduct"], 2, "no reason"),
        ([DID, "--reason", "other", "--at", "tomorrow"], 2, "2026-01-31"),
        ([DID, "--reason", "other", "--at", "2020-01-01"], 1, "WithdrawalInPast"),
    ],
)
def test_withdrawals_that_cannot_be(registrar: Home, chain: Chain, arguments: list[str], code: int, words: str) -> None:
    found, _, err = registrar.run("issuer", "withdraw", *arguments, "--key", "registrar", YES)
    assert found == code
    assert words in err


def test_show_of_nobody_and_save_for_another(college: Home, registrar: Home, chain: Chain) -> None:
    assert registrar.run("issuer", "show")[0] == 2
    assert registrar.run("issuer", "show", "did:web:nobody.example")[0] == 1
    code, _, err = registrar.run("issuer", "show", "1", "--save")
    assert code == 2
    assert "Name the issuer by its DID" in err
    assert registrar.run("issuer", "show", DID, "--save")[0] == 0
    assert (load_draft(registrar.home).issuer_id, load_draft(registrar.home).issuer_did) == (1, DID)
    registrar.run("issuer", "accredit", NEW_DID, "--controller", "registrar", "--key", "registrar", YES)
    code, _, err = college.run("issuer", "show", NEW_DID, "--save")
    assert code == 1
    assert "another institution's" in err
