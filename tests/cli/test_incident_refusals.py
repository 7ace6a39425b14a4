"""`credanchor incident`, wrongly typed at 3 a.m., interrupted, and with two thefts at once: nothing is half done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.keys import KeyStore
from anchor.model import Hash32, parse_hex, to_hex, to_utc
from registry.settings import load_settings
from tests.cli.test_incident import (
    chain,
    college,
    fund,
    history,
    incident,
    instant,
    issue,
    office,
    reasons,
    registrar,
    session_chain,
    states,
    vault,
)
from tests.cli.test_issuer import pass_time
from tests.ledger.chain import ADMIN, DID, STATUS_KEY, STRANGER, Chain
from tests.support.homes import Home

__all__ = ["chain", "college", "office", "registrar", "session_chain", "vault"]

DONE_BY_KEY = {"anchor-key": "anchor", "status-key": "status", "rotate": "anchor"}


def told(office: Home, *arguments: object) -> tuple[int, str]:
    """Run it for real; the exit code and what it said, as one line."""
    code, _, err = office.run("incident", *arguments, "--yes")
    return code, " ".join(err.split())


def theft(command: str, since: str = "start", new: str = "another") -> tuple[str, ...]:
    moment = () if command == "rotate" else ("--since", since)
    return (command, DONE_BY_KEY[command], *moment, "--new", new)


def untouched(office: Home) -> tuple[object, ...]:
    """All that a command could change."""
    names = [key.name for key in KeyStore(office.home / "keys").list()]
    return names, office.settings_text(), history(office)["keys"], office.run_json("issuer", "show")[1]["statusEpoch"]


@pytest.mark.parametrize("command", ["anchor-key", "status-key"])
def test_a_time_that_the_contract_would_refuse_is_refused_first(office: Home, chain: Chain, command: str) -> None:
    before = untouched(office)
    later = to_utc(2**31)
    for since, said in (
        (later, "is in the future"),
        ("2020-01-01", "valid only since"),
        ("at night", "no date or time"),
    ):
        for more in ((), ("--dry-run",)):
            code, err = told(office, *theft(command, since), "--key", "controller", *more)
            assert (code, said in err) == (2 if "night" in since else 1, True), err
    assert untouched(office) == before


@pytest.mark.parametrize("command", sorted(DONE_BY_KEY))
def test_a_key_that_cannot_take_over_is_refused_first(office: Home, chain: Chain, command: str) -> None:
    before = untouched(office)
    stolen, other = DONE_BY_KEY[command], {"anchor": "status", "status": "anchor"}[DONE_BY_KEY[command]]
    for new, said in ((stolen, "is the old one"), (other, "not one that can take over"), ("../x", "a key's name has")):
        code, err = told(office, *theft(command, new=new), "--key", "controller", "--dry-run")
        assert (code, said in err) == (2 if new == "../x" else 1, True), err
    assert untouched(office) == before


@pytest.mark.parametrize("command", sorted(DONE_BY_KEY))
def test_a_key_that_is_not_the_controllers_is_refused_first(office: Home, chain: Chain, command: str) -> None:
    before = untouched(office)
    for key, said in (
        ("anchor", "the institution's controller is 0x"),
        ("nobody", "no key nobody"),
        (None, "no key is named"),
    ):
        code, err = told(office, *theft(command), *(("--key", key) if key else ()))
        assert (code, said in err) == (1 if key == "anchor" else 2, True), err
    assert untouched(office) == before
    # Without a key one may look all the same, and is told that it was only a look.
    code, out, _ = office.run("incident", *theft(command), "--dry-run")
    assert (code, "nothing was changed" in out) == (0, True)


def test_control_is_taken_over_by_nobody_else(office: Home, chain: Chain) -> None:
    office.take("successor", STRANGER)
    offered = ("controller", "--to", "successor", "--key", "controller")
    assert told(office, *offered)[0] == 0
    code, err = told(office, "controller", "--accept", "--key", "anchor")
    assert (code, "whom control was offered to is 0x" in err) == (1, True), err


def test_an_interrupted_step_says_how_to_go_on(office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    create = KeyStore.create

    def interrupted(store: KeyStore, name: str, passphrase: str) -> None:
        create(store, name, passphrase)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(KeyStore, "create", interrupted)
        code, err = told(office, *theft("rotate"), "--key", "controller")
    assert (code, "interrupted at step 1: the same command again does the rest" in err) == (130, True), err
    assert states(incident(office, *theft("rotate"))) == ["doneBefore", "done", "done", "done"]


def test_an_offer_of_control_is_taken_back(office: Home, chain: Chain) -> None:
    """Else whoever was offered it could still take it, though the controller has said that it stays."""
    office.take("trustee", STRANGER)
    me = office.run_json("issuer", "show")[1]["controller"]
    for to in (me, f"0x{'00' * 20}"):
        assert states(incident(office, "controller", "--to", "trustee")) == ["done"]
        assert states(incident(office, "controller", "--to", to)) == ["done"]
        assert states(incident(office, "controller", "--to", to)) == ["doneBefore"]
        code, err = told(office, "controller", "--accept", "--key", "trustee")
        assert (code, "nobody was offered control" in err) == (1, True), err
    assert office.run_json("issuer", "show")[1]["controller"] == me


def test_a_multisig_is_not_given_the_compromise_before_all_is_staged(
    office: Home, chain: Chain, tmp_path: Path
) -> None:
    """Sent with the other calls, it would end the epoch that the honest revocations count in."""
    files = issue(office, chain, tmp_path / "files")
    office.run_json("revoke", files["Zoé"], "--reason", "issued-in-error")
    pass_time(chain, 10)
    command = theft("status-key", instant(chain), "status-2")
    assert office.run_json("key", "new", "status-2")[0] == 0
    fund(chain, office, "status-2")
    printed = ("incident", *command, "--print-call")
    _, out, err = office.run(*printed)
    assert out.count("data ") == 1
    assert "no more may be sent before this is done" in " ".join(err.split())
    # As the multisig does: the key is added; then the program stages without a key of the controller's.
    call = office.run_json(*printed)[1]["call"]
    chain.node.write("anvil_impersonateAccount", [chain_controller(office)])
    send(chain, office, call)
    code, err = told(office, *command)
    assert (code, "no key is named to send with" in err) == (2, True), err
    assert reasons(office, files["Zoé"]) == ["revoked"]
    send(chain, office, office.run_json(*printed)[1]["call"])
    assert states(office.run_json("incident", *command, "--yes")[1]) == ["doneBefore"] * 4 + ["done"]
    assert reasons(office, files["Zoé"]) == ["revoked"]


def chain_controller(office: Home) -> str:
    return str(office.run_json("issuer", "show")[1]["controller"])


def send(chain: Chain, office: Home, call: dict[str, Any]) -> None:
    transaction = {"from": chain_controller(office), "to": call["to"], "data": call["data"], "gas": hex(10**6)}
    chain.node.write("eth_sendTransaction", [transaction])
    chain.mine()


def test_both_keys_are_stolen(office: Home, chain: Chain, tmp_path: Path) -> None:
    """A batch that the thief revoked cannot be anchored again: said so, and done once the revocation is undone."""
    issue(office, chain, tmp_path / "before")
    pass_time(chain, 10)
    since = instant(chain)
    pass_time(chain, 10)
    honest = issue(office, chain, tmp_path / "honest")
    roots = office.run_json("incident", *theft("anchor-key", since, "anchor-2"), "--dry-run")[1]["ownBatches"]
    (root,) = (Hash32(parse_hex(each)) for each in roots)
    chain.execute(STATUS_KEY, chain.contract.revoke_batch(issuer_id=1, root=root, reason=1))
    for name in ("anchor-2", "status-2"):
        assert office.run_json("key", "new", name)[0] == 0
        fund(chain, office, name)

    anchoring = theft("anchor-key", since, "anchor-2")
    shown = incident(office, *anchoring)
    assert (shown["ownBatches"], shown["revokedBatches"], len(shown["steps"])) == ([], [to_hex(root)], 4)
    _, err = told(office, *anchoring, "--key", "controller", "--dry-run")
    assert "first credanchor incident status-key, then this command again" in err
    assert set(reasons(office, *honest.values())) == {"keyCompromised"}
    # Nor does anything else say that it is anchored again.
    incident(office, *theft("status-key", since, "status-2"))
    assert states(incident(office, *anchoring)) == ["doneBefore"] * 4 + ["done"]
    assert reasons(office, *honest.values()) == [""] * 4


def test_the_key_that_took_over_is_stolen_too(office: Home, chain: Chain, tmp_path: Path) -> None:
    """What it anchored again is void once more, and asked for under either key it is not said to be done."""
    pass_time(chain, 10)
    since = instant(chain)
    files = issue(office, chain, tmp_path / "files")
    for name in ("anchor-2", "anchor-3"):
        assert office.run_json("key", "new", name)[0] == 0
        fund(chain, office, name)
    incident(office, *theft("anchor-key", since, "anchor-2"))
    assert reasons(office, *files.values()) == [""] * 4
    declare = ("issuer", "key", "compromise", "anchor-2", "--since", "start", "--key", "controller", "--yes")
    assert office.run_json(*declare)[0] == 0
    assert states(incident(office, *theft("anchor-key", since, "anchor-3")))[-1] == "done"
    assert reasons(office, *files.values()) == [""] * 4
    assert load_settings(office.home).anchor_key == "keys/anchor-3.json"


def test_the_key_of_an_institution_that_was_withdrawn(office: Home, chain: Chain, tmp_path: Path) -> None:
    """It can add no key any more; what the thief anchored before becomes void all the same."""
    good = issue(office, chain, tmp_path / "good")
    pass_time(chain, 10)
    since = instant(chain)
    files = issue(office, chain, tmp_path / "files")
    office.take("registrar", ADMIN)
    withdraw = ("issuer", "withdraw", DID, "--reason", "other", "--key", "registrar", "--yes")
    assert office.run_json(*withdraw)[0] == 0
    pass_time(chain, 2)
    shown = incident(office, *theft("anchor-key", since, "anchor-2"))
    assert (states(shown), shown["isWithdrawn"]) == (["done"], True)
    assert states(incident(office, *theft("anchor-key", since, "anchor-2"))) == ["doneBefore"]
    _, err = told(office, *theft("anchor-key", since, "anchor-2"), "--dry-run")
    assert "void for good: the accreditation has ended" in err
    assert reasons(office, *good.values(), *files.values()) == [""] * 4 + ["keyCompromised"] * 4


def test_a_passphrase_mistyped_makes_no_key(office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could never be opened with the one of all other keys, and the same command would fail for ever."""
    with monkeypatch.context() as patch:
        patch.setenv("CREDANCHOR_PASSPHRASE", "hunter3")
        code, err = told(office, *theft("rotate"), "--key", "controller")
    assert (code, "does not open the key controller" in err) == (2, True), err
    assert states(incident(office, *theft("rotate"))) == ["done"] * 4


def test_a_folder_that_did_not_issue_says_so(office: Home, chain: Chain, tmp_path: Path) -> None:
    issue(office, chain, tmp_path / "files")
    (office.home / "registry.db").unlink()
    _, err = told(office, *theft("anchor-key"), "--dry-run")
    assert "this folder's database has no batches" in err


def test_a_folder_that_is_not_set_up_says_so(office: Home, chain: Chain, tmp_path: Path) -> None:
    nowhere = Home(capsys=office.capsys, home=tmp_path / "nowhere")
    for command in ("anchor-key", "status-key", "rotate"):
        code, err = told(nowhere, *theft(command), "--key", "controller")
        assert (code, "credanchor is not set up" in err) == (2, True), err
