"""`credanchor institution` and `credanchor api-key`: the operator's commands."""

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
        (["institution", "add", "x", "--name", "x", "--did", "nonsense"], 2, "issuer_did"),
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
