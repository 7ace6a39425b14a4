"""`credanchor issuer key` and `key consent`: which keys act for an institution, by their consent, and how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from eth_account import Account

from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import dev_signer
from anchor.model import Address, Key, KeyScope, address, parse_hex, to_hex
from registry.cli import common, issuer_key, writing
from registry.services.governance import Governance
from registry.services.ledger_state import LedgerView
from registry.settings import complete_settings
from tests.cli.test_issuer import NEW_DID, YES, chain, college, pass_time, registrar, session_chain, vault
from tests.ledger.chain import ANCHOR_KEY, CONTROLLER, DID, STATUS_KEY, STRANGER, Chain
from tests.support.homes import PASSPHRASE, Home
from tests.support.remote_signer import stand_in

__all__ = ["chain", "college", "registrar", "session_chain", "vault"]

REMOTE_SECRET = b"\x33" * 32


def key_of(chain: Chain, key: str | Address) -> Key:
    raw = address(parse_hex(key)) if isinstance(key, str) else key
    return Governance(LedgerView(chain.client, chain.registry)).key(raw)


def test_consent_between_two_machines(college: Home, vault: Home, chain: Chain, tmp_path: Path) -> None:
    request, consent = tmp_path / "request.json", tmp_path / "consent.json"
    code, out, _ = college.run("issuer", "key", "request", "--scope", "anchor", "--out", request)
    assert code == 0
    assert "credanchor key consent request.json" in out

    vault.run("key", "new", "anchor")
    code, out, err = vault.run("key", "consent", request, "--key", "anchor", "--out", consent, YES)
    assert code == 0
    assert "credanchor issuer key add consent.json" in out
    shown = " ".join(err.split())
    assert f"may anchor batches issuer 1, which the request calls {DID} registry {chain.registry.to_text()}" in shown
    assert not (vault.home / "settings.toml").exists()
    assert consent.stat().st_mode & 0o077 == 0

    code, out, _ = college.run("issuer", "key", "add", consent, "--key", "controller", YES)
    assert code == 0
    (key,) = vault.run_json("key", "list")[1]["keys"]
    assert f"added: {key['address']}, anchor key of issuer 1" in out
    assert key_of(chain, key["address"]).scope == KeyScope.ANCHOR.value
    # The same consent does nothing twice.
    code, _, err = college.run("issuer", "key", "add", consent, "--key", "controller", YES)
    assert code == 1
    assert "KeyAlreadyBound" in err


def test_a_status_key_of_the_next_epoch_and_a_later_time(
    college: Home, vault: Home, chain: Chain, tmp_path: Path
) -> None:
    request, consent = tmp_path / "request.json", tmp_path / "consent.json"
    options = ("--scope", "status", "--next-epoch", "--valid-from", "2100-01-01T00:00:00Z", "--out", request)
    code, content = college.run_json("issuer", "key", "request", *options)
    assert (code, content["statusEpoch"], content["validFrom"]) == (0, 1, 4102444800)
    vault.run("key", "new", "status")
    assert vault.run_json("key", "consent", request, "--key", "status", "--out", consent, YES)[0] == 0
    code, content = college.run_json("issuer", "key", "add", consent, "--key", "controller", YES)
    assert (code, content["scope"], content["statusEpoch"], content["validFrom"]) == (0, "status", 1, 4102444800)


def test_a_key_in_the_same_folder_needs_no_files(college: Home, chain: Chain) -> None:
    _, made = college.run_json("key", "new", "status")
    options = ("--name", "status", "--scope", "status", "--key", "controller", YES)
    code, content = college.run_json("issuer", "key", "add", *options)
    assert (code, content["key"], content["scope"]) == (0, made["address"], "status")
    code, shown = college.run_json("issuer", "show")
    assert [(key["name"], key["scope"]) for key in shown["keys"]] == [("status", "status")]
    code, out, _ = college.run("issuer", "show")
    assert f"status key    {made['address']} (status), valid from" in out


def test_keys_of_a_remote_signer_consent_and_send(college: Home, chain: Chain) -> None:
    with stand_in(REMOTE_SECRET, bytes(dev_signer(CONTROLLER)._account.key)) as remote:
        key, controller = (remote.reference(account) for account in remote.accounts.values())
        options = ("--name", key, "--scope", "anchor", "--key", controller, YES)
        code, content = college.run_json("issuer", "key", "add", *options)
        assert code == 0
        assert content["key"] == key.partition("#")[2]
        assert remote.asked == ["eth_signTypedData", "eth_signTransaction"]
        complete_settings(college.home, {"anchor_key": key})
        _, shown = college.run_json("issuer", "show")
        assert [(each["name"], each["key"]) for each in shown["keys"]] == [("remote signer", content["key"])]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"signature": "0x" + "11" * 65}, 1, "InvalidConsent"),
        ({"key": "0x" + "22" * 20}, 1, "InvalidConsent"),
        ({"scope": "status"}, 1, "InvalidConsent"),
        ({"deadline": 1}, 1, "ConsentExpired"),
        ({"issuer": 9}, 1, "UnknownIssuer"),
        ({"registry": "eip155:31337:0x" + "ab" * 20}, 1, "the consent is for"),
        ({"issuer": 0}, 2, "issuer must be"),
        ({"scope": "both"}, 2, "scope must be"),
        ({"validFrom": 2**40}, 2, "validFrom must be"),
        ({"registry": 5}, 2, "registry must be"),
        ({"misspelt": 1}, 2, "exactly the members"),
        ({"format": "credanchor/key-request@v1"}, 2, "credanchor key consent"),
    ],
)
def test_a_consent_that_was_altered(
    college: Home, vault: Home, chain: Chain, tmp_path: Path, changes: dict[str, Any], code: int, words: str
) -> None:
    request, consent = tmp_path / "request.json", tmp_path / "consent.json"
    college.run("issuer", "key", "request", "--scope", "anchor", "--out", request)
    vault.run("key", "new", "anchor")
    vault.run("key", "consent", request, "--key", "anchor", "--out", consent, YES)
    consent.write_text(json.dumps(json.loads(consent.read_bytes()) | changes))
    found, _, err = college.run("issuer", "key", "add", consent, "--key", "controller", YES)
    assert found == code
    assert words in err


def test_nothing_is_signed_without_a_yes_or_too_late(
    college: Home, vault: Home, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, consent = tmp_path / "request.json", tmp_path / "consent.json"
    college.run("issuer", "key", "request", "--scope", "anchor", "--out", request)
    vault.run("key", "new", "anchor")
    options = ("key", "consent", request, "--key", "anchor", "--out", consent)
    assert vault.run(*options)[0] == 2
    monkeypatch.setattr(writing, "is_interactive", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_question, **_options: False)
    assert vault.run(*options)[0] == 1
    request.write_text(json.dumps(json.loads(request.read_bytes()) | {"deadline": 1_700_000_000}))
    code, _, err = vault.run(*options, YES)
    assert code == 1
    assert "2023-11-14" in err
    request.write_text("[]")
    assert vault.run(*options, YES)[0] == 2
    assert not consent.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--name", "anchor"],
        ["--scope", "anchor"],
        ["consent.json", "--name", "anchor", "--scope", "anchor"],
        ["consent.json", "--scope", "anchor"],
        ["absent.json"],
        ["--name", "controller", "--scope", "anchor", "--next-epoch"],
    ],
)
def test_wrong_usage_of_add(college: Home, chain: Chain, arguments: list[str]) -> None:
    assert college.run("issuer", "key", "add", *arguments, "--key", "controller", YES)[0] == 2


def test_the_passphrase_is_asked_for_once_and_while_nothing_moves(
    college: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    college.run("key", "new", "anchor")
    moving, asked = [], []

    @contextmanager
    def status(words: str) -> Iterator[None]:
        moving.append(words)
        yield
        moving.pop()

    def prompt(question: str, **_options: object) -> str:
        assert moving == []
        asked.append(question)
        return PASSPHRASE

    monkeypatch.delenv("CREDANCHOR_PASSPHRASE")
    monkeypatch.setattr(common, "is_interactive", lambda: True)
    monkeypatch.setattr(typer, "prompt", prompt)
    for module in (writing, issuer_key):
        monkeypatch.setattr(module.error_console, "status", status)
    options = ("--name", "anchor", "--scope", "anchor", "--key", "controller", YES)
    assert college.run("issuer", "key", "add", *options)[0] == 0
    assert asked == ["Passphrase of the keys"]


def test_a_stranger_adds_no_key(college: Home, chain: Chain) -> None:
    college.take("stranger", STRANGER)
    options = ("--name", "stranger", "--scope", "anchor", "--key", "stranger", YES)
    code, _, err = college.run("issuer", "key", "add", *options)
    assert code == 1
    assert "only the issuer's controller" in err


def test_a_multisig_sends_what_is_printed(college: Home, chain: Chain) -> None:
    college.run("key", "new", "anchor")
    options = ("--name", "anchor", "--scope", "anchor", "--print-call")
    code, content = college.run_json("issuer", "key", "add", *options)
    assert code == 0
    call = content["call"]
    assert (call["chainId"], call["to"], call["value"]) == (31337, to_hex(chain.registry.address), "0")
    # As the multisig would: anvil sends for its own accounts.
    transaction = {"from": to_hex(dev_signer(CONTROLLER).address), "to": call["to"], "data": call["data"]}
    RpcNode(chain.url).write("eth_sendTransaction", [transaction])
    (key,) = [each for each in college.run_json("key", "list")[1]["keys"] if each["name"] == "anchor"]
    assert key_of(chain, key["address"]).issuer_id == 1
    for arguments in (
        ("issuer", "accredit", NEW_DID, "--controller", "controller"),
        ("issuer", "withdraw", DID, "--reason", "other"),
        ("issuer", "key", "retire", key["address"]),
        ("issuer", "key", "compromise", key["address"], "--since", "start"),
    ):
        code, out, _ = college.run(*arguments, "--print-call")
        assert code == 0
        assert f"to     {to_hex(chain.registry.address)}\nvalue  0\ndata   0x" in out


def test_a_multisig_as_a_key_signs_elsewhere(college: Home, vault: Home, chain: Chain, tmp_path: Path) -> None:
    request, consent = tmp_path / "request.json", tmp_path / "consent.json"
    college.run("issuer", "key", "request", "--scope", "status", "--out", request)
    owner = Account.from_key(REMOTE_SECRET)
    options = ("key", "consent", request, "--key", owner.address)
    code, out, _ = vault.run(*options, "--print-message")
    assert code == 0
    signature = owner.sign_typed_data(full_message=json.loads(out)).signature.to_0x_hex()
    assert vault.run(*options, "--signature", signature, "--out", consent, YES)[0] == 0
    code, content = college.run_json("issuer", "key", "add", consent, "--key", "controller", YES)
    assert (code, content["key"], content["scope"]) == (0, owner.address.lower(), "status")
    assert vault.run(*options, "--signature", "x", "--out", consent, YES)[0] == 2
    assert vault.run(*options, "--signature", signature)[0] == 2
    # Without a signature there is no key here to sign with.
    assert vault.run(*options, "--out", consent, YES)[0] == 2


def test_a_retired_key(college: Home, chain: Chain) -> None:
    key = to_hex(dev_signer(ANCHOR_KEY).address)
    code, content = college.run_json("issuer", "key", "retire", key, "--key", "controller", YES)
    assert (code, content["key"]) == (0, key)
    assert key_of(chain, key).valid_until == content["validUntil"]
    code, _, err = college.run("issuer", "key", "retire", key, "--key", "controller", YES)
    assert code == 1
    assert "KeyCutOff" in err
    code, _, err = college.run("issuer", "key", "retire", "0x" + "ab" * 20, "--key", "controller", YES)
    assert code == 1
    assert "the key of no issuer" in err


def test_before_a_key_is_declared_compromised_it_says_what_becomes_void(college: Home, chain: Chain) -> None:
    key = to_hex(dev_signer(ANCHOR_KEY).address)
    times = []
    for number, size in ((1, 10), (2, 20), (3, 3000)):
        times.append(chain.anchor(number, size).at)
        pass_time(chain, 1000)
    since = f"{times[1]}"
    code, _, err = college.run("issuer", "key", "compromise", key, "--since", since, "--key", "controller", YES)
    assert code == 2
    assert "2026-01-31" in err
    moment = datetime.fromtimestamp(times[1], UTC).isoformat()
    code, out, err = college.run("issuer", "key", "compromise", key, "--since", moment, "--key", "controller", YES)
    assert code == 0
    assert "2 batches with 3,020 credentials become void" in err
    assert "declared compromised" in out
    assert key_of(chain, key).compromised_at == times[1]
    options = ("--since", "start", "--key", "controller", YES)
    code, content = college.run_json("issuer", "key", "compromise", key, *options)
    assert code == 0
    assert content["effect"].startswith("3 batches with 3,030 credentials")
    assert content["compromisedSince"] == key_of(chain, key).valid_from


def test_of_a_status_key_the_epoch_ends(college: Home, chain: Chain) -> None:
    college.take("status", STATUS_KEY)
    options = ("--since", "start", "--key", "controller", YES)
    code, _, err = college.run("issuer", "key", "compromise", "status", *options)
    assert code == 0
    assert "status epoch 0 ends" in err
    assert "epoch 1 has repeated" in err
    _, shown = college.run_json("issuer", "show")
    assert (shown["statusEpoch"], shown["nextStatusEpoch"]) == (1, 2)
    (key,) = shown["keys"]
    assert key["compromisedAt"] == key["validFrom"]
    # A staged key's epoch is skipped.
    college.run("key", "new", "staged")
    college.run("issuer", "key", "add", "--name", "staged", "--scope", "status", "--next-epoch", *options[2:])
    code, _, err = college.run("issuer", "key", "compromise", "staged", *options)
    assert code == 0
    assert "status epoch 2, which this key was to write, is skipped" in err
    _, shown = college.run_json("issuer", "show")
    assert (shown["statusEpoch"], shown["nextStatusEpoch"]) == (1, 3)
