"""`credanchor init`: what is written, what is checked first, and what is never overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from anchor.model import Vouching
from anchor.policy import parse_policy, policy_to_text
from registry.settings import load_draft
from tests.ledger.chain import DID, Chain
from tests.ledger.conftest import chain, session_chain
from tests.support.bureau import Bureau

__all__ = ["chain", "session_chain"]

ISSUER = ("--did", DID, "--name", "Collège Boréalis", "--public-url", "https://credentials.college.example")


@pytest.fixture
def bureau(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bureau:
    monkeypatch.setenv("CREDANCHOR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CREDANCHOR_RPC_URL", raising=False)
    return Bureau(home=tmp_path / "home", capsys=capsys)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Somebody at the keyboard: what they answer, by a word of the question."""
    answers: dict[str, Any] = {}

    def prompt(question: str, *, default: str, show_default: bool, err: bool) -> str:
        (found,) = [answer for words, answer in answers.items() if words in question] or [default]
        return str(found)

    monkeypatch.setattr("registry.cli.init.is_interactive", lambda: True)
    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr(typer, "confirm", lambda *_question, **_options: answers["chain"])
    return answers


def test_an_accreditors_folder_before_there_is_a_registry(bureau: Bureau, chain: Chain) -> None:
    code, out, err = bureau.run("init", "--rpc", chain.url)
    assert (code, err) == (0, "")
    assert "chain 31337 (a local testnet)" in out
    assert "credanchor registry deploy --key NAME" in out
    draft = load_draft(bureau.home)
    assert (draft.rpc_url, draft.chain_id) == (chain.url, 31337)
    assert (draft.registry, draft.issuer_did, draft.anchor_key) == (None, None, None)
    assert not (bureau.home / "policy.json").exists()
    assert (bureau.home / "settings.toml").stat().st_mode & 0o077 == 0


def test_an_institution_finds_its_number_and_a_policy(bureau: Bureau, chain: Chain) -> None:
    code, content = bureau.run_json("init", "--rpc", chain.url, "--registry", chain.registry.to_text(), *ISSUER)
    assert code == 0
    assert (content["format"], content["issuerId"]) == ("credanchor/init@v1", chain.issuer_id)
    assert content["next"] == ["credanchor key new anchor", "credanchor key new status"]
    draft = load_draft(bureau.home)
    assert (draft.registry, draft.issuer_id, draft.issuer_did) == (chain.registry.to_text(), chain.issuer_id, DID)
    assert (draft.anchor_key, draft.status_key) == ("keys/anchor.json", "keys/status.json")
    policy = parse_policy((bureau.home / "policy.json").read_bytes())
    assert [pin.registry for pin in policy.registries] == [chain.registry]
    assert (policy.nodes, policy.confirmations, policy.vouching) == ((chain.url,), 0, Vouching.ONE_NODE)


def test_keys_of_a_remote_signer_and_an_institution_not_accredited_yet(bureau: Bureau, chain: Chain) -> None:
    remote = "http://127.0.0.1:9000#0x" + "ab" * 20
    options = (
        "--registry",
        chain.registry.to_text(),
        "--anchor-key",
        remote,
        *ISSUER[2:],
        "--did",
        "did:web:new.example",
    )
    code, content = bureau.run_json("init", "--rpc", chain.url, *options)
    assert code == 0
    assert content["issuerId"] is None
    assert content["next"] == [
        "credanchor key new status",
        "credanchor issuer accredit did:web:new.example --controller ADDRESS --key NAME",
    ]
    assert load_draft(bureau.home).anchor_key == remote


def test_a_policy_of_ones_own(bureau: Bureau, chain: Chain, tmp_path: Path) -> None:
    own = chain.policy(nodes=(chain.url,), confirmations=3)
    (tmp_path / "own.json").write_text(policy_to_text(own))
    options = ("--registry", chain.registry.to_text(), "--policy", tmp_path / "own.json")
    assert bureau.run("init", "--rpc", chain.url, *options)[0] == 0
    assert parse_policy((bureau.home / "policy.json").read_bytes()) == own
    (tmp_path / "own.json").write_text("{}")
    assert bureau.run("init", "--force", "--rpc", chain.url, *options)[0] == 2


def test_what_is_there_is_overwritten_only_by_force(bureau: Bureau, chain: Chain) -> None:
    assert bureau.run("init", "--rpc", chain.url, "--registry", chain.registry.to_text())[0] == 0
    before = (bureau.home / "settings.toml").read_bytes()
    code, _, err = bureau.run("init", "--rpc", chain.url, *ISSUER)
    assert code == 1
    assert "already" in err
    assert "--force" in err
    assert (bureau.home / "settings.toml").read_bytes() == before
    # The new folder knows no registry, so it trusts none.
    assert bureau.run("init", "--force", "--rpc", chain.url, *ISSUER)[0] == 0
    assert load_draft(bureau.home).issuer_did == DID
    assert not (bureau.home / "policy.json").exists()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--chain", "1"], 3, "serves chain 31337, not chain 1"),
        (["--registry", "eip155:1:0x" + "ab" * 20], 2, "different chains"),
        (["--registry", "eip155:31337:0x" + "ab" * 20], 3, "there is no contract"),
        (["--registry", "0x12"], 2, "eip155"),
        (["--did", DID, "--name", "X"], 2, "--public-url"),
        (["--did", DID, "--public-url", "https://x.example"], 2, "--name"),
        ([*ISSUER, "--public-url", "college.example"], 2, "public_url"),
        ([*ISSUER, "--did", "college.example"], 2, "issuer_did"),
        ([*ISSUER, "--anchor-key", "http://signer"], 2, "remote signer"),
        (["--rpc", "ftp://x"], 2, "address"),
        (["--rpc", "http://127.0.0.1:9"], 3, "cannot be reached"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_written(
    bureau: Bureau, chain: Chain, options: list[str], code: int, words: str
) -> None:
    found, _, err = bureau.run("init", "--rpc", chain.url, *options)
    assert found == code
    assert words in err
    assert not (bureau.home / "settings.toml").exists()


def test_without_anybody_to_ask_the_node_must_be_named(bureau: Bureau) -> None:
    code, _, err = bureau.run("init")
    assert code == 2
    assert "--rpc" in err


def test_a_node_with_an_access_key_comes_from_the_environment(
    bureau: Bureau, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDANCHOR_RPC_URL", chain.url)
    assert bureau.run("init")[0] == 0
    assert load_draft(bureau.home).rpc_url == chain.url


def test_at_a_terminal_it_asks(bureau: Bureau, chain: Chain, terminal: dict[str, Any]) -> None:
    terminal |= {"node": chain.url, "chain": True, "Registry": chain.registry.to_text(), "DID": DID}
    terminal |= {"institution's name": "Collège", "status lists": "https://x.example"}
    assert bureau.run("init")[0] == 0
    draft = load_draft(bureau.home)
    assert (draft.issuer_id, draft.issuer_name, draft.issuer_url) == (chain.issuer_id, "Collège", None)
    assert draft.public_url == "https://x.example"


def test_another_chain_than_meant_ends_it(bureau: Bureau, chain: Chain, terminal: dict[str, Any]) -> None:
    terminal |= {"node": chain.url, "chain": False}
    assert bureau.run("init")[0] == 1
    assert not bureau.home.exists()


def test_nothing_in_the_folder_can_be_issued_with_yet(bureau: Bureau, chain: Chain) -> None:
    bureau.run("init", "--rpc", chain.url, *ISSUER)
    code, _, err = bureau.run("revoke", "x", "--reason", "other")
    assert code == 2
    assert "credanchor registry deploy" in err
    assert "credanchor issuer accredit" in err
