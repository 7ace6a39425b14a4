"""The commands with PostgreSQL instead of a file: a credential's life from issuing to erasure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_issue import bureau, home, issue
from tests.support.bureau import Bureau
from tests.support.databases import Database

__all__ = ["bureau", "home"]


@pytest.fixture
def served(bureau: Bureau, postgres_database: Database, monkeypatch: pytest.MonkeyPatch) -> Bureau:
    monkeypatch.setenv("CREDANCHOR_DATABASE_URL", postgres_database.url)
    return bureau


def test_issue_find_replace_revoke_export_and_erase(served: Bureau) -> None:
    code, issued = issue(served, "few.csv", "--out", "out")
    assert (code, [each["size"] for each in issued["batches"]]) == (0, [3])
    code, refused = issue(served, "few.csv")
    assert (code, "again" in str(refused)) == (2, True), refused
    (found,) = served.run_json("find", "zoe tremblay")[1]["found"]
    code, _ = served.run_json("replace", found["id"], "--name", "Zoé Tremblay-Roy", "--yes")
    assert code == 0
    new = next(each for each in served.run_json("find", "tremblay-roy")[1]["found"])
    assert served.run_json("revoke", new["id"], "--reason", "other", "--yes")[0] == 0
    assert served.run_json("export", "zoe@example.org", "--out", "zoe.zip")[0] == 0
    assert served.run_json("erase", "zoe@example.org", "--yes")[0] == 0
    assert served.run_json("find", "tremblay")[1]["found"] == []
    assert Path("zoe.zip").exists()
    assert not (served.home / "registry.db").exists()


def test_achievements_are_kept(served: Bureau) -> None:
    achievement = Path(__file__).parents[2] / "docs" / "examples" / "achievement.json"
    assert served.run_json("achievement", "add", achievement, "--code", "data")[0] == 0
    assert [each["code"] for each in served.run_json("achievement", "list")[1]["achievements"]] == ["data"]


def test_a_server_that_is_not_there_is_said(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    password = "geheim"
    monkeypatch.setenv("CREDANCHOR_DATABASE_URL", f"postgresql://user:{password}@127.0.0.1:1/x")
    code, _, shown = bureau.run("find", "zoe")
    assert code == 3
    assert "server runs" in shown
    assert password not in shown
