"""`credanchor institution` and `credanchor api-key`: the operator's commands."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.bureau import Bureau


@pytest.fixture
def bureau(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bureau:
    monkeypatch.setenv("CREDANCHOR_HOME", str(tmp_path))
    (tmp_path / "settings.toml").write_text('rpc_url = "http://127.0.0.1:8545"\n')
    return Bureau(home=tmp_path, capsys=capsys)


def add(bureau: Bureau, code: str = "borealis", *more: str) -> int:
    return bureau.run("institution", "add", code, "--name", "Collège Boréalis", "--did", "did:web:c.example", *more)[0]


def test_life_of_an_institution_and_its_keys(bureau: Bureau) -> None:
    assert add(bureau) == 0
    code, made = bureau.run_json(
        "api-key", "new", "--institution", "borealis", "--scope", "read", "--scope", "issue", "--label", "campus LMS"
    )
    assert code == 0
    assert made["secret"].startswith(f"credanchor_{made['key']['prefix']}_")
    assert made["key"]["scopes"] == ["issue", "read"]
    secret = made["secret"].split("_", 2)[2]

    # The secret is shown once, and is nowhere in the database.
    for command in (("api-key", "list", "--institution", "borealis"), ("institution", "show", "borealis")):
        code, out, _ = bureau.run(*command)
        assert code == 0
        assert made["key"]["prefix"] in out
        assert secret not in out
    assert secret.encode() not in b"".join(path.read_bytes() for path in bureau.home.glob("registry.db*"))

    assert bureau.run("api-key", "revoke", made["key"]["prefix"], "--institution", "borealis")[0] == 0
    assert bureau.run("api-key", "revoke", made["key"]["prefix"], "--institution", "borealis")[0] == 1
    code, listed = bureau.run_json("api-key", "list", "--institution", "borealis")
    assert listed["keys"][0]["revokedAt"] is not None

    code, all_ = bureau.run_json("institution", "list")
    assert [each["code"] for each in all_["institutions"]] == ["home", "borealis"]
    assert bureau.run("institution", "close", "borealis")[0] == 0
    assert bureau.run("institution", "close", "borealis")[0] == 1
    assert "closed" in bureau.run("institution", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["institution", "add", "Not A Code", "--name", "x"], 2, "a code has small letters"),
        (["institution", "add", "x", "--name", " "], 2, "has a name"),
        (["institution", "add", "x", "--name", "x", "--did", "nonsense"], 2, "the DID is none"),
        (["institution", "add", "x", "--name", "x", "--url", "ftp://x"], 2, "web site"),
        (["institution", "add", "x", "--name", "x", "--url", "http://["], 2, "web site"),
        (["institution", "add", "x", "--name", "x", "--anchor-key", "http://signer"], 2, "remote signer's key"),
        (["institution", "add", "x", "--name", "x", "--monthly-gas-budget-wei", "-1"], 2, "whole number of wei"),
        (["institution", "budget", "none"], 1, "there is no institution none"),
        (["institution", "budget", "home", "--coins", "much"], 2, "an amount of coins"),
        (["institution", "budget", "home", "--coins", "1", "--unlimited"], 2, "an amount or none"),
        (["institution", "set", "none", "--url", "https://x.example"], 1, "there is no institution none"),
        (["institution", "set", "home", "--url", "https://x.example"], 1, "settings"),
        (["institution", "set", "home"], 2, "nothing is named"),
        (["institution", "set", "home", "--clear", "name"], 2, "cannot be cleared"),
        (["institution", "set", "home", "--clear", "url", "--url", "https://x.example"], 2, "cannot be cleared"),
        (["api-key", "new", "--scope", "read"], 2, "whose key"),
        (["api-key", "new", "--scope", "read", "--operator", "--institution", "home"], 2, "whose key"),
        (["api-key", "list"], 2, "whose key"),
        (["audit-log", "show", "none"], 1, "there is no institution none"),
        (["audit-log", "check", "none"], 1, "there is no institution none"),
        (["institution", "show", "none"], 1, "there is no institution none"),
        (["api-key", "new", "--institution", "none", "--scope", "read"], 1, "there is no institution none"),
        (["api-key", "new", "--institution", "home", "--scope", "all"], 2, "there is no scope"),
        (["api-key", "new", "--institution", "home", "--scope", "read", "--expires", "2001-01-01"], 2, "expired"),
        (["api-key", "new", "--institution", "home", "--scope", "read", "--label", "a\nb"], 2, "a label has"),
    ],
)
def test_wrong_input_is_refused_with_advice(bureau: Bureau, arguments: list[str], code: int, words: str) -> None:
    got, _, err = bureau.run(*arguments)
    assert (got, words in err) == (code, True), err


def test_code_and_issuer_are_one_institutions(bureau: Bureau) -> None:
    registry = "eip155:31337:0x" + "11" * 20
    assert add(bureau, "borealis", "--issuer-id", "7", "--registry", registry) == 0
    assert add(bureau) == 1
    assert add(bureau, "another", "--issuer-id", "7", "--registry", registry) == 1


def test_institution_is_changed_member_by_member(bureau: Bureau) -> None:
    assert add(bureau, "borealis", "--url", "https://c.example") == 0
    key = "http://127.0.0.1:9000#0x" + "ab" * 20
    code, changed = bureau.run_json(
        "institution", "set", "borealis", "--anchor-key", key, "--monthly-gas-budget-wei", "12345678901234567890"
    )
    assert code == 0
    assert changed["institution"]["anchorKey"] == key
    assert changed["institution"]["url"] == "https://c.example"
    assert changed["institution"]["monthlyGasBudgetWei"] == "12345678901234567890"
    assert bureau.run("institution", "set", "borealis", "--name", "Boréalis", "--clear", "url")[0] == 0
    _, shown = bureau.run_json("institution", "show", "borealis")
    assert (shown["institution"]["name"], shown["institution"]["url"]) == ("Boréalis", None)
    assert shown["institution"]["anchorKey"] == key
    assert bureau.run("institution", "close", "borealis")[0] == 0
    assert bureau.run("institution", "set", "borealis", "--name", "x")[0] == 1


def test_number_in_the_registry_goes_with_the_settings_registry(bureau: Bureau) -> None:
    registry = "eip155:31337:0x" + "22" * 20
    with (bureau.home / "settings.toml").open("a") as settings:
        settings.write(f'registry = "{registry}"\n')
    assert add(bureau) == 0
    assert bureau.run("institution", "set", "borealis", "--issuer-id", "4")[0] == 0
    _, shown = bureau.run_json("institution", "show", "borealis")
    assert (shown["institution"]["registry"], shown["institution"]["issuerId"]) == (registry, 4)
    assert add(bureau, "another") == 0
    assert bureau.run("institution", "set", "another", "--issuer-id", "4")[0] == 1


def test_operators_keys_are_his_own(bureau: Bureau) -> None:
    code, made = bureau.run_json("api-key", "new", "--operator", "--scope", "admin")
    assert code == 0
    prefix = made["key"]["prefix"]
    assert [each["prefix"] for each in bureau.run_json("api-key", "list", "--operator")[1]["keys"]] == [prefix]
    assert bureau.run_json("api-key", "list", "--institution", "home")[1]["keys"] == []
    assert bureau.run("api-key", "revoke", prefix, "--institution", "home")[0] == 1
    assert bureau.run("api-key", "revoke", prefix, "--operator")[0] == 0
    _, log = bureau.run_json("audit-log", "show", "home")
    assert [(each["action"], each["subject"]) for each in log["entries"]] == [
        ("key.create", f"operator's key {prefix}"),
        ("key.revoke", f"operator's key {prefix}"),
    ]


def test_audit_log_is_shown_and_checked(bureau: Bureau) -> None:
    assert add(bureau) == 0
    assert bureau.run("institution", "set", "borealis", "--url", "https://x.example")[0] == 0
    code, log = bureau.run_json("audit-log", "show", "borealis")
    assert [(each["number"], each["actor"], each["action"]) for each in log["entries"]] == [
        (1, "operator", "institution.add"),
        (2, "operator", "institution.change"),
    ]
    assert log["head"] == log["entries"][-1]["hash"]
    assert "1 more: --after 1" in bureau.run("audit-log", "show", "borealis", "--limit", "1")[1]
    assert bureau.run_json("audit-log", "show", "borealis", "--after", "1")[1]["entries"] == log["entries"][1:]
    assert bureau.run_json("audit-log", "check", "borealis")[1]["head"] == log["head"]
    with sqlite3.connect(bureau.home / "registry.db") as connection:
        connection.execute("UPDATE audit_entries SET actor = 'nobody' WHERE number = 1 AND action = 'institution.add'")
    connection.close()
    code, _, err = bureau.run("audit-log", "check", "borealis")
    assert (code, "altered at entry 1" in err) == (3, True)


def test_budget_is_set_shown_and_taken_away(bureau: Bureau) -> None:
    assert add(bureau) == 0
    for name in ("borealis", "home"):
        code, shown = bureau.run_json("institution", "budget", name, "--coins", "0.5")
        assert (code, shown["institution"]["monthlyGasBudgetWei"]) == (0, "500000000000000000")
        assert "0.5 coins" in bureau.run("institution", "budget", name)[1]
        code, shown = bureau.run_json("institution", "budget", name, "--unlimited")
        assert shown["institution"]["monthlyGasBudgetWei"] is None
        assert "any amount" in bureau.run("institution", "budget", name)[1]
    assert "institution.budget" in bureau.run("audit-log", "show", "borealis")[1]
    with (bureau.home / "settings.toml").open("a") as file:
        file.write('registry = "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"\n')
    assert "spent this month: 0 coins" in bureau.run("institution", "budget", "borealis")[1]
    assert bureau.run_json("institution", "show", "borealis")[1]["institution"]["monthlyGasSpentWei"] == "0"
