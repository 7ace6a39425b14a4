"""`credanchor revoke`, `suspend`, `reinstate` as an institution meets them, and what verifiers then see."""

import json
from pathlib import Path

import pytest

from tests.cli.test_issue import bureau, home, issue
from tests.support.bureau import EXAMPLES, Bureau

__all__ = ["bureau", "home"]


@pytest.fixture
def files(bureau: Bureau) -> list[Path]:
    assert issue(bureau, "few.csv", "--out", "out")[0] == 0
    return sorted(Path("out").glob("*.json"))


def reason_of(bureau: Bureau, file: Path) -> tuple[int, str]:
    code, content = bureau.run_json("verify", file)
    return code, content["results"][0]["reason"]


def test_revoke(bureau: Bureau, files: list[Path]) -> None:
    code, out, error = bureau.run("revoke", files[0], "--reason", "holders-request")
    assert (code, error) == (0, "")
    assert f"revoked: {files[0]} (holders-request)" in out
    assert reason_of(bureau, files[0]) == (1, "revoked")
    assert reason_of(bureau, files[1]) == (0, "")
    code, out, error = bureau.run("revoke", files[0], "--reason", "4")
    assert (code, out) == (1, "")
    assert "is already revoked" in error


def test_suspend_and_reinstate(bureau: Bureau, files: list[Path]) -> None:
    assert bureau.run("suspend", files[0])[0] == 0
    assert reason_of(bureau, files[0]) == (1, "suspended")
    assert bureau.run("reinstate", files[0])[0] == 0
    assert reason_of(bureau, files[0]) == (0, "")


def test_by_id_and_as_json(bureau: Bureau, files: list[Path]) -> None:
    identifier = json.loads(files[0].read_bytes())["id"]
    code, content = bureau.run_json("revoke", identifier, files[1], "--reason", "superseded", "--yes")
    assert code == 0
    assert content["changed"] == [identifier, str(files[1])]
    assert (content["change"], content["reason"], len(content["transactions"])) == ("revoke", "superseded", 1)
    assert content["transactions"][0]["gasUsed"] <= 63_000


def test_with_the_database_gone(bureau: Bureau, files: list[Path]) -> None:
    for path in bureau.home.glob("registry.db*"):
        path.unlink()
    assert reason_of(bureau, files[0]) == (0, "")
    assert bureau.run("revoke", files[0], "--reason", "other")[0] == 0
    assert reason_of(bureau, files[0]) == (1, "revoked")
    # Issuing goes on in another list than the lost database's.
    issue(bureau, "few.csv", "--out", "again")
    assert bureau.run("verify", "again")[0] == 0


def test_some_of_them_would_change_nothing(bureau: Bureau, files: list[Path]) -> None:
    bureau.run("suspend", files[0])
    code, out, error = bureau.run("suspend", *files, "--yes")
    assert code == 1
    assert "suspended: 2 credentials" in out
    assert f"{files[0]} is already suspended" in error


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["revoke", "nonsense", "--reason", "other"], 1),
        (["revoke", EXAMPLES / "roster-1000.csv", "--reason", "other"], 2),
        (["revoke", EXAMPLES / "full-open-badge.json", "--reason", "other"], 1),
        (["revoke", ".", "--reason", "other"], 2),
        (["revoke", "x", "--reason", "misconduct"], 2),
        (["revoke", "x"], 2),
        (["suspend"], 2),
    ],
)
def test_what_is_refused(bureau: Bureau, arguments: list[object], code: int) -> None:
    assert bureau.run(*arguments)[0] == code


def test_an_altered_file_is_refused(bureau: Bureau, files: list[Path]) -> None:
    Path("altered.json").write_bytes(files[0].read_bytes().replace(b"Borealis", b"Boreal"))
    code, _, error = bureau.run("revoke", "altered.json", "--reason", "other")
    assert code == 1
    assert "altered.json" in error


def test_the_node_is_down(bureau: Bureau, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDANCHOR_RPC_URL", "http://127.0.0.1:9")
    code, _, error = bureau.run("revoke", files[0], "--reason", "other")
    assert code == 3
    assert "cannot be reached" in error
