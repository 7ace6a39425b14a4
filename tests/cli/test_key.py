"""`credanchor key`: keys made, taken over and shown; no secret in an argument, in output or in a file unencrypted."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
import typer
from eth_account import Account

from anchor.ledger.keys import KeyStore
from anchor.model import to_hex
from registry.cli import common
from tests.support.bureau import Bureau, make_keys_quickly

SECRET = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
PASSPHRASE = "Ordinateur gelé №5"


@pytest.fixture
def bureau(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bureau:
    monkeypatch.setenv("CREDANCHOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CREDANCHOR_PASSPHRASE", PASSPHRASE)
    make_keys_quickly(monkeypatch)
    return Bureau(home=tmp_path / "home", capsys=capsys)


def types(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def address_of(bureau: Bureau, name: str, passphrase: str = PASSPHRASE) -> str:
    return to_hex(KeyStore(bureau.home / "keys").open(name, passphrase).address)


def test_a_new_key_opens_with_the_passphrase_and_is_listed(bureau: Bureau) -> None:
    code, out, err = bureau.run("key", "new", "anchor")
    assert code == 0
    address = address_of(bureau, "anchor")
    assert f"made: the key anchor, {address}" in out
    assert "Keep a copy of" in err
    assert PASSPHRASE not in out + err
    code, made = bureau.run_json("key", "new", "status")
    assert (code, made) == (0, {"format": "credanchor/key@v1", "name": "status", "address": made["address"]})
    assert bureau.run("key", "list")[1] == f"{address}  anchor\n{made['address']}  status\n"
    code, shown = bureau.run_json("key", "list")
    assert shown["keys"] == [{"name": "anchor", "address": address}, {"name": "status", "address": made["address"]}]
    assert (bureau.home / "keys" / "anchor.json").stat().st_mode & 0o077 == 0


def test_without_keys_it_says_how_to_make_one(bureau: Bureau) -> None:
    code, out, _ = bureau.run("key", "list")
    assert code == 0
    assert "credanchor key new NAME" in out


@pytest.mark.parametrize("line", [SECRET, f"0x{SECRET.upper()}\n", f"{SECRET}\r\n"])
def test_a_private_key_comes_from_standard_input(bureau: Bureau, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    types(monkeypatch, line)
    code, out, err = bureau.run("key", "import", "controller")
    assert code == 0
    assert ADDRESS in out
    assert SECRET not in out + err
    assert address_of(bureau, "controller") == ADDRESS
    assert SECRET not in (bureau.home / "keys" / "controller.json").read_text()


@pytest.mark.parametrize("line", ["", "unlikely\n", SECRET[:-1], "00" * 32])
def test_what_is_no_private_key_is_refused_and_not_repeated(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    types(monkeypatch, line)
    code, out, err = bureau.run("key", "import", "controller")
    assert code == 2
    assert "no private key" in err
    assert "unlikely" not in out + err
    assert not (bureau.home / "keys" / "controller.json").exists()


def test_another_programs_file_is_taken_over_under_the_own_passphrase(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "UTC--x.json").write_text(json.dumps(Account.encrypt(bytes.fromhex(SECRET), "theirs", kdf="pbkdf2")))
    types(monkeypatch, "theirs\n")
    assert bureau.run("key", "import", "controller", "--file", tmp_path / "UTC--x.json")[0] == 0
    assert address_of(bureau, "controller") == ADDRESS
    types(monkeypatch, "wrong\n")
    code, out, err = bureau.run("key", "import", "again", "--file", tmp_path / "UTC--x.json")
    assert code == 2
    assert "does not open" in err
    assert "wrong" not in out + err


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"x": 1}' + b" " * 5000])
def test_a_file_that_is_no_key_file(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "file.json").write_bytes(content)
    types(monkeypatch, "theirs\n")
    code, _, err = bureau.run("key", "import", "x", "--file", tmp_path / "file.json")
    assert code == 2
    assert "damaged" in err
    assert bureau.run("key", "import", "x", "--file", tmp_path / "absent.json")[0] == 2


def test_no_key_is_overwritten(bureau: Bureau) -> None:
    assert bureau.run("key", "new", "anchor")[0] == 0
    before = address_of(bureau, "anchor")
    code, _, err = bureau.run("key", "new", "anchor")
    assert code == 2
    assert "there is a key anchor already" in err
    assert address_of(bureau, "anchor") == before


@pytest.mark.parametrize("name", ["../x", ".x", "a b", ""])
def test_names_that_are_no_file_names(bureau: Bureau, name: str) -> None:
    assert bureau.run("key", "new", name)[0] == 2


def test_without_a_passphrase_and_without_anybody_to_ask(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDANCHOR_PASSPHRASE")
    types(monkeypatch, "")
    code, _, err = bureau.run("key", "new", "anchor")
    assert code == 2
    assert "CREDANCHOR_PASSPHRASE" in err
    assert not (bureau.home / "keys").exists()


def test_the_passphrase_is_asked_for_twice_and_the_secret_without_showing_it(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDANCHOR_PASSPHRASE")
    asked: list[tuple[str, bool]] = []

    def prompt(text: str, *, hide_input: bool, err: bool, confirmation_prompt: bool = False) -> str:
        assert hide_input
        assert err
        asked.append((text, confirmation_prompt))
        return SECRET if text == "Private key" else "typed"

    monkeypatch.setattr(common, "is_interactive", lambda: True)
    monkeypatch.setattr("registry.cli.key.is_interactive", lambda: True)
    monkeypatch.setattr(typer, "prompt", prompt)
    assert bureau.run("key", "import", "controller")[0] == 0
    assert asked == [("Private key", False), ("Passphrase of the keys", True)]
    assert address_of(bureau, "controller", "typed") == ADDRESS


def test_the_passphrase_file_of_the_settings(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDANCHOR_PASSPHRASE")
    bureau.home.mkdir()
    (bureau.home / "settings.toml").write_text('rpc_url = "http://127.0.0.1:1"\npassphrase_file = "passphrase"\n')
    (bureau.home / "passphrase").write_text("from a file\n")
    (bureau.home / "passphrase").chmod(0o600)
    assert bureau.run("key", "new", "anchor")[0] == 0
    assert address_of(bureau, "anchor", "from a file")
