"""`credanchor revoke`, `suspend`, `reinstate` for many: lists, e-mails, batches, one confirmation with the cost."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console

from registry.cli import common, status
from tests.cli.test_issue import bureau, home, issue
from tests.cli.test_status import reason_of
from tests.support.bureau import Bureau

__all__ = ["bureau", "home"]

ROSTER = "name,email\nZoé Tremblay,zoe@example.org\nAna Inuksuk,ana@example.org\nHoa Nguyễn,hoa@example.org\nLéa Roy,\n"


@pytest.fixture
def files(bureau: Bureau) -> dict[str, Path]:
    """The credential files of batch 1, by name."""
    Path("roster.csv").write_text(ROSTER, "utf-8")
    assert issue(bureau, "roster.csv", "--out", "out")[0] == 0
    return {holder_of(path): path for path in Path("out").glob("*.json")}


def holder_of(path: Path) -> str:
    identifiers = json.loads(path.read_bytes())["credentialSubject"]["identifier"]
    return str(identifiers[0]["identityHash"])


def reasons(bureau: Bureau, files: dict[str, Path]) -> dict[str, str]:
    return {name: reason_of(bureau, path)[1] for name, path in files.items()}


def as_terminal(monkeypatch: pytest.MonkeyPatch, *, answer: bool) -> io.StringIO:
    """Somebody sits at a terminal and gives this answer; what he sees comes back."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=200, highlight=False)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(status, "error_console", console)
    monkeypatch.setattr(common, "error_console", console)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer)
    return shown


def test_a_list_of_emails_in_one_transaction(bureau: Bureau, files: dict[str, Path]) -> None:
    Path("list.csv").write_text("Nom;Adresse de courriel\nA;Zoe@Example.org\nB;ana@example.org\n", "utf-8")
    code, content = bureau.run_json("suspend", "--list", "list.csv", "--yes")
    assert (code, content["changedCount"], len(content["transactions"])) == (0, 2, 1)
    assert all(name.startswith("urn:uuid:") for name in content["changed"])
    assert reasons(bureau, files) == {
        "Zoé Tremblay": "suspended",
        "Ana Inuksuk": "suspended",
        "Hoa Nguyễn": "",
        "Léa Roy": "",
    }
    assert bureau.run("reinstate", "ana@example.org")[0] == 0
    assert reason_of(bureau, files["Ana Inuksuk"])[1] == ""


def test_a_list_of_ids(bureau: Bureau, files: dict[str, Path]) -> None:
    ids = [json.loads(files[name].read_bytes())["id"] for name in ("Léa Roy", "Zoé Tremblay")]
    Path("list.csv").write_text("id\n" + "\n".join([*ids, ids[0].upper().removeprefix("URN:UUID:")]), "utf-8")
    code, content = bureau.run_json("revoke", "--list", "list.csv", "--reason", "other", "--yes")
    assert (code, content["changedCount"]) == (0, 2)
    assert [name for name, reason in reasons(bureau, files).items() if reason == "revoked"] == [
        name for name in files if name in ("Léa Roy", "Zoé Tremblay")
    ]


def test_every_bad_row_is_reported_and_nothing_is_changed(bureau: Bureau, files: dict[str, Path]) -> None:
    issue(bureau, "few.csv", "--again")  # zoe@example.org for the second time
    rows = [
        "id,email",
        ",ana@example.org",
        "urn:uuid:nonsense,",
        ",not-an-address",
        "8d8a9c1e-0000-4000-8000-000000000001,",
        ",nobody@example.org",
        ",zoe@example.org",
        ",",
        ' , ,"remark"',
    ]
    Path("list.csv").write_text("\n".join(rows), "utf-8")
    code, content = bureau.run_json("revoke", "--list", "list.csv", "--reason", "other", "--yes")
    assert code == 2
    problems = [(each["where"], each["reason"]) for each in content["error"]["problems"]]
    assert problems == [
        ("line 3, id", "is not the id of a credential"),
        ("line 4, email", "is not an e-mail address"),
        ("line 5, id", "no credential in the database has it"),
        ("line 6, email", "no credential of this issuer in the database has it"),
        ("line 7, email", "has 2 credentials"),
        ("line 9", "has neither an id nor an e-mail"),
    ]
    assert "example.org" not in json.dumps(content)
    assert set(reasons(bureau, files).values()) == {""}
    code, _, error = bureau.run("revoke", "--list", "list.csv", "--reason", "other", "--yes")
    assert code == 2
    assert "line 7, email: has 2 credentials" in error


def test_an_email_with_several_credentials(bureau: Bureau, files: dict[str, Path]) -> None:
    issue(bureau, "few.csv", "--again")
    code, _, error = bureau.run("revoke", "zoe@example.org", "--reason", "other")
    assert code == 1
    assert "this e-mail has 2 credentials" in error
    assert "(batch 1: " in error
    assert "(batch 2: " in error
    assert "zoe@" not in error
    assert bureau.run("suspend", "zoe@example.org", "--batch", "1")[0] == 0
    assert reason_of(bureau, files["Zoé Tremblay"])[1] == "suspended"
    code, content = bureau.run_json("revoke", "zoe@example.org", "--all", "--reason", "other", "--yes")
    assert (code, content["changedCount"]) == (0, 2)


def test_a_whole_batch(bureau: Bureau, files: dict[str, Path]) -> None:
    code, content = bureau.run_json("revoke", "--batch", "1", "--reason", "superseded", "--yes")
    assert (code, content["changedCount"], content["changed"]) == (0, 4, ["batch 1"])
    (transaction,) = content["transactions"]
    assert transaction["gasUsed"] <= 65_000
    code, verdicts = bureau.run_json("verify", "out")
    assert (code, verdicts["counts"]["invalid"]) == (1, 4)
    assert {each["status"] for each in bureau.run_json("find", "o")[1]["found"]} == {"batchRevoked"}
    code, _, error = bureau.run("suspend", "--batch", "1", "--yes")
    assert code == 1
    assert "batch 1 is already revoked, with its whole batch" in error


def test_the_rest_of_a_batch_is_suspended(bureau: Bureau, files: dict[str, Path]) -> None:
    bureau.run("revoke", files["Léa Roy"], "--reason", "other")
    code, out, error = bureau.run("suspend", "--batch", "1", "--yes")
    assert code == 0
    assert "suspended: 3 credentials" in out
    assert "passed over: 1 of the batch" in error


def test_before_many_change_it_is_said_what_it_costs_and_asked(
    bureau: Bureau, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = as_terminal(monkeypatch, answer=False)
    code, out, _ = bureau.run("revoke", *files.values(), "--reason", "other")
    assert (code, out) == (1, "")
    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.getvalue())
    assert "revoke 4 credentials, for good (other)" in words
    assert "Zoé Tremblay" in words
    assert "gas in 1 transaction, about 0.0" in words
    assert "nothing was done" in words
    assert set(reasons(bureau, files).values()) == {""}
    as_terminal(monkeypatch, answer=True)
    assert bureau.run("revoke", *files.values(), "--reason", "other")[0] == 0
    assert set(reasons(bureau, files).values()) == {"revoked"}


def test_nobody_to_ask(bureau: Bureau, files: dict[str, Path]) -> None:
    code, _, error = bureau.run("revoke", "--batch", "1", "--reason", "other")
    assert code == 1
    assert "revoke 4 credentials, and nobody is at the keyboard" in error
    assert "--yes" in error
    assert "Zoé" not in error
    assert set(reasons(bureau, files).values()) == {""}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["suspend"], 2, "nothing to suspend"),
        (["suspend", "--list", "absent.csv"], 2, "cannot be read"),
        (["suspend", "--list", "roster.csv", "--batch", "9"], 1, "no batch 9"),
        (["suspend", "--batch", "9"], 1, "no batch 9"),
        (["suspend", "--list", "empty.csv"], 2, "the list is empty"),
        (["suspend", "--list", "few.txt"], 2, "no column of ids or e-mails"),
        (["suspend", "nobody@example.org"], 1, "has this e-mail"),
        (["suspend", "zoe@example.org", "--batch", "2"], 1, "has this e-mail"),
    ],
)
def test_what_cannot_be_meant(
    bureau: Bureau, files: dict[str, Path], arguments: list[str], code: int, words: str
) -> None:
    Path("empty.csv").write_text("id\n")
    Path("few.txt").write_text("name\nZoé\n")
    Path("other.csv").write_text("name\nSomebody Else\n")
    issue(bureau, "other.csv")
    found, _, error = bureau.run(*arguments, "--yes")
    assert found == code
    assert words in error
    assert "@" not in error


def test_of_another_batch_than_said(bureau: Bureau, files: dict[str, Path]) -> None:
    issue(bureau, "few.csv", "--again")
    code, _, error = bureau.run("suspend", files["Léa Roy"], "--batch", "2")
    assert code == 1
    assert "is not in batch 2" in error
    Path("list.csv").write_text(f"id\n{json.loads(files['Léa Roy'].read_bytes())['id']}\n")
    code, content = bureau.run_json("suspend", "--list", "list.csv", "--batch", "2")
    assert code == 2
    assert content["error"]["problems"][0]["reason"] == "is in batch 1, not in batch 2"
