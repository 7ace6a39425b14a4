"""`credanchor export` and `erase`: what is kept of a person is handed over whole, and goes whole."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from registry.store import sqlite
from tests.cli.test_issue import bureau, home, issue
from tests.cli.test_status import reason_of
from tests.support.bureau import Bureau
from tests.support.terminal import Terminal

__all__ = ["bureau", "home"]

NAME, EMAIL = "Zoé Tremblay", "zoe@example.org"


@pytest.fixture
def issued(bureau: Bureau) -> Bureau:
    assert issue(bureau, "few.csv", "--out", "out")[0] == 0
    return bureau


def id_of(bureau: Bureau, text: str) -> str:
    (each,) = bureau.run_json("find", text, "--offline")[1]["found"]
    return str(each["id"])


def file_of(identifier: str) -> Path:
    (path,) = Path("out").glob(f"*-{identifier.removeprefix('urn:uuid:')}.json")
    return path


def unpacked(path: str = "zoe.zip") -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def traces(bureau: Bureau, *words: str) -> list[str]:
    """Words that are somewhere in the files of the database."""
    content = b"".join(path.read_bytes() for path in bureau.home.glob("registry.db*"))
    return [word for word in words if word.encode() in content]


def credentials_in(files: dict[str, bytes]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(files["data.json"])["credentials"]
    return content


def test_everything_is_handed_over(issued: Bureau) -> None:
    issue(issued, "few.csv", "--again")
    first = issued.run_json("find", EMAIL, "--batch", "1")[1]["found"][0]["id"]
    issued.run("suspend", first)
    issued.run("revoke", first, "--reason", "holders-request")
    code, out, error = issued.run("export", "Zoe@example.org", "--out", "zoe.zip")
    assert (code, error) == (0, "")
    assert "2 credentials written to zoe.zip" in out
    assert Path("zoe.zip").stat().st_mode & 0o077 == 0
    files = unpacked()
    revoked, active = credentials_in(files)
    assert (revoked["name"], revoked["email"], revoked["id"]) == (NAME, EMAIL, first)
    assert (revoked["status"], active["status"]) == ("revoked", "active")
    assert [(each["change"], each["reason"], each["cameAbout"]) for each in revoked["statusHistory"]] == [
        ("suspend", "other", True),
        ("revoke", "holders-request", True),
    ]
    assert active["statusHistory"] == []
    assert active["batch"]["transaction"]["blockNumber"] > 0
    for each in (revoked, active):
        Path("one.json").write_bytes(files[each["file"]])
        assert reason_of(issued, Path("one.json"))[0] == (1 if each is revoked else 0)
    page = files["index.html"].decode()
    for word in (NAME, EMAIL, first, revoked["batch"]["root"], "holders-request", "no name, no e-mail"):
        assert word in page
    assert "Beardy" not in page + files["data.json"].decode()


def test_one_credential_by_id_without_the_ledger(issued: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier = id_of(issued, "ᐃᓄᒃ")
    monkeypatch.setenv("CREDANCHOR_RPC_URL", "http://127.0.0.1:9")
    code, _, error = issued.run("export", identifier, "--out", "a.zip")
    assert code == 3
    assert "--offline" in error
    assert not Path("a.zip").exists()
    code, content = issued.run_json("export", identifier, "--out", "a.zip", "--offline")
    assert (code, content["credentials"], content["statusProven"]) == (0, [identifier], False)
    (each,) = credentials_in(unpacked("a.zip"))
    assert (each["status"], each["email"], each["emailSalt"]) == (None, None, None)


def test_what_a_roster_says_beyond_that(bureau: Bureau) -> None:
    narrative = "Measured the river, " * 400
    Path("more.csv").write_text(f'name,email,awarded,narrative\nZoé Roy,roy@example.org,2026-05-29,"{narrative}"\n')
    issue(bureau, "more.csv")
    assert bureau.run("export", "roy@example.org", "--out", "roy.zip")[0] == 0
    (each,) = credentials_in(unpacked("roy.zip"))
    assert each["more"] == {"awardedAt": 1780012800, "narrative": narrative.strip()}
    assert "2026-05-29 00:00 UTC" in unpacked("roy.zip")["index.html"].decode()
    assert bureau.run("erase", "roy@example.org", "--yes")[0] == 0
    assert traces(bureau, "Zoé Roy", "roy@example.org", "Measured the river") == []


def test_others_files_are_made_as_before(issued: Bureau) -> None:
    others = {path.name: path.read_bytes() for path in Path("out").glob("*.json")}
    del others[file_of(id_of(issued, EMAIL)).name]
    issued.run("erase", EMAIL, "--yes")
    code, content = issued.run_json("issue", "--resume", "1", "--out", "again")
    assert code == 0
    assert {path.name: path.read_bytes() for path in Path("again").glob("*.json")} == others
    assert NAME not in Path(content["batches"][0]["index"]).read_text("utf-8-sig")
    assert issued.run("export", "ᐃᓄᒃ", "--out", "a.zip")[0] == 1
    assert issued.run("export", "sahaia@example.org", "--out", "a.zip")[0] == 0


def test_names_are_text_on_the_page(bureau: Bureau) -> None:
    Path("odd.csv").write_text('name,email\n"O<b>’Brien & <script>x</script>",odd@example.org\n', "utf-8")
    issue(bureau, "odd.csv")
    assert bureau.run("export", "odd@example.org", "--out", "odd.zip")[0] == 0
    page = unpacked("odd.zip")["index.html"].decode()
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_a_file_that_is_there_is_not_written_over(issued: Bureau) -> None:
    Path("zoe.zip").write_text("mine")
    code, _, error = issued.run("export", EMAIL, "--out", "zoe.zip")
    assert code == 1
    assert "already" in error
    assert Path("zoe.zip").read_text() == "mine"
    assert issued.run("export", EMAIL, "--out", "few.csv/zoe.zip")[0] == 1
    assert not list(Path().glob(".*zip*"))


def test_erased_from_every_file_of_the_database(issued: Bureau) -> None:
    identifier = id_of(issued, EMAIL)
    assert traces(issued, NAME, EMAIL) == [NAME, EMAIL]
    salts = [bytes.fromhex(each) for each in salts_of(issued)]
    code, out, error = issued.run("erase", EMAIL, "--yes")
    assert (code, error) == (0, "")
    assert "stays on the ledger, for ever" in out
    assert "  is for you to delete:\n    files, indexes and rosters in folders" in out
    assert traces(issued, NAME, EMAIL) == []
    content = b"".join(path.read_bytes() for path in issued.home.glob("registry.db*"))
    assert not any(salt in content for salt in salts)
    # Others are untouched; who holds a copy can still show it, and it can still be revoked.
    assert traces(issued, "Sahaiʔa Beardy", "sahaia@example.org") == ["Sahaiʔa Beardy", "sahaia@example.org"]
    assert issued.run("find", EMAIL)[0] == 1
    assert "(erased)" in issued.run("find", identifier)[1]
    assert reason_of(issued, file_of(identifier)) == (0, "")
    assert issued.run("revoke", identifier, "--reason", "holders-request")[0] == 0
    assert reason_of(issued, file_of(identifier)) == (1, "revoked")


def test_what_was_in_pages_given_up_long_ago_goes_too(issued: Bureau) -> None:
    """As an older version's tables, which a migration dropped."""
    with closing(sqlite3.connect(issued.home / "registry.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("CREATE TABLE old AS SELECT recipient_name || ' long ago' AS name FROM credentials")
        connection.execute("DROP TABLE old")
    assert traces(issued, f"{NAME} long ago") == [f"{NAME} long ago"]
    assert issued.run("erase", EMAIL, "--yes")[0] == 0
    assert traces(issued, NAME) == []


def salts_of(bureau: Bureau) -> list[str]:
    bureau.run("export", EMAIL, "--out", "salts.zip")
    (each,) = credentials_in(unpacked("salts.zip"))
    return [each["salt"].removeprefix("0x"), each["emailSalt"]]


def test_what_is_left_of_an_erased_one(issued: Bureau) -> None:
    identifier = id_of(issued, EMAIL)
    issued.run("erase", identifier, "--yes")
    issued.run("suspend", identifier)
    assert issued.run("export", identifier, "--out", "rest.zip")[0] == 0
    (each,) = credentials_in(unpacked("rest.zip"))
    assert [each[name] for name in ("name", "email", "salt", "emailSalt", "file")] == [None] * 5
    assert each["erasedAt"] > 0
    assert len(each["statusHistory"]) == 1
    assert "Erased on" in unpacked("rest.zip")["index.html"].decode()


def test_several_at_once_as_json(issued: Bureau) -> None:
    ids = [id_of(issued, "ᐃᓄᒃ"), id_of(issued, EMAIL)]
    code, content = issued.run_json("erase", ids[0], EMAIL, "--yes")
    assert (code, content["erased"], content["format"]) == (0, ids, "credanchor/erase@v1")
    assert [len(lines) for lines in content["stays"].values()] == [3, 2, 1]
    assert traces(issued, "ᐃᓄᒃ", NAME) == []


def test_erasing_is_confirmed(issued: Bureau) -> None:
    code, _, error = issued.run("erase", EMAIL)
    assert code == 2
    assert "erase the person of 1 credential" in error
    assert "nobody is there to say yes" in error
    assert NAME not in error
    with Terminal(Path.cwd(), ("erase", EMAIL)) as terminal:
        terminal.until(NAME)
        terminal.until("nothing is revoked by that")
        terminal.until("Erase for good?")
        terminal.type("n\n")
        assert terminal.exit_code() == 1
    assert traces(issued, NAME) == [NAME]
    with Terminal(Path.cwd(), ("erase", EMAIL)) as terminal:
        terminal.until("Erase for good?")
        terminal.type("y\n")
        assert terminal.exit_code() == 0
    assert traces(issued, NAME) == []


@contextmanager
def reading(bureau: Bureau) -> Iterator[None]:
    """Somebody else is in the middle of reading the database."""
    connection = sqlite3.connect(bureau.home / "registry.db", isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM credentials").fetchone()
    yield
    connection.close()


def test_while_somebody_reads_it_is_not_called_erased(issued: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier = id_of(issued, EMAIL)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0)
    with reading(issued):
        code, _, error = issued.run("erase", EMAIL, "--yes")
    assert code == 3
    assert identifier in error
    assert issued.run("erase", identifier, "--yes")[0] == 0
    assert traces(issued, NAME, EMAIL) == []


def test_a_batch_on_its_way_keeps_its_recipients(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDANCHOR_WAIT_SECONDS", "0.2")
    from anchor.ledger.rpc import RpcNode
    from registry.settings import load_settings

    RpcNode(load_settings(bureau.home).rpc_url).write("evm_setAutomine", [False])
    assert issue(bureau)[0] == 3
    code, _, error = bureau.run("erase", EMAIL, "--yes")
    assert code == 1
    assert "credanchor issue --resume 1" in error
    assert bureau.run("export", EMAIL, "--out", "early.zip")[0] == 0
    (each,) = credentials_in(unpacked("early.zip"))
    assert (each["file"], each["status"], each["name"]) == (None, "notAnchored", NAME)


@pytest.mark.parametrize("person", ["Tremblay", "nobody@example.org", "8d8a9c1e-0000-4000-8000-000000000001"])
def test_whom_nobody_knows(issued: Bureau, person: str) -> None:
    for command in (["erase", person, "--yes"], ["export", person, "--out", "x.zip"]):
        code, _, error = issued.run(*command)
        assert code == 1
        assert "credanchor find" in error
        assert person not in error
    assert not Path("x.zip").exists()
