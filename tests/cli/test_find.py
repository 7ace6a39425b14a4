"""`credanchor find` as a registrar uses it, with the ledger and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_issue import bureau, home, issue
from tests.support.bureau import EXAMPLES, Bureau

__all__ = ["bureau", "home"]


def found(bureau: Bureau, *arguments: object) -> list[tuple[str, str | None]]:
    _, content = bureau.run_json("find", *arguments)
    return sorted((each["name"], each["status"]) for each in content["found"])


def test_by_name_email_id_and_file(bureau: Bureau) -> None:
    assert issue(bureau, "few.csv", "--out", "out")[0] == 0
    code, content = bureau.run_json("find", "TREMBLAY", "zoe")
    assert code == 0
    (each,) = content["found"]
    assert (each["name"], each["email"], each["batch"]) == ("Zoé Tremblay", "zoe@example.org", 1)
    assert (each["status"], content["format"], content["hasMore"]) == ("active", "credanchor/find@v1", False)
    assert each["anchoredAt"] > 0
    (file,) = Path("out").glob(f"*-{each['id'].removeprefix('urn:uuid:')}.json")
    for text in ("Zoe@Example.ORG", each["id"], file):
        assert found(bureau, text) == [("Zoé Tremblay", "active")]
    code, out, error = bureau.run("find", "ᐃᓄᒃ")
    assert (code, error) == (0, "")
    assert "ᐊᓇ ᐃᓄᒃ · no e-mail" in out
    assert "neither revoked nor suspended" in out


def test_status_is_what_the_ledger_says(bureau: Bureau) -> None:
    issue(bureau, "few.csv", "--out", "out")
    first, second, third = sorted(Path("out").glob("*.json"))
    bureau.run("revoke", first, "--reason", "other")
    bureau.run("suspend", second)
    assert [found(bureau, each)[0][1] for each in (first, second, third)] == ["revoked", "suspended", "active"]


def test_without_the_ledger(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(bureau)
    monkeypatch.setenv("CREDANCHOR_RPC_URL", "http://127.0.0.1:9")
    code, _, error = bureau.run("find", "zoe")
    assert code == 3
    assert "--offline" in error
    assert found(bureau, "zoe", "--offline") == [("Zoé Tremblay", None)]
    code, out, _ = bureau.run("find", "zoe", "--offline")
    assert code == 0
    assert "not asked for" in out
    assert bureau.run("find", "nobody")[0] == 1


def test_a_batch_that_is_not_anchored(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    from registry.services.anchoring import Anchoring

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Anchoring, "anchor", die)
        issue_arguments = ("--achievement", EXAMPLES / "achievement.json", "--recipients", "few.csv")
        bureau.run("issue", *issue_arguments)
    assert found(bureau, "zoe") == [("Zoé Tremblay", "notAnchored")]
    assert "not anchored yet" in bureau.run("find", "zoe")[1]


def test_batches_and_limits(bureau: Bureau) -> None:
    issue(bureau)
    Path("others.csv").write_text("name\nZoé Tremblay\nZoé Roy\n", "utf-8")
    issue(bureau, "others.csv")
    assert len(found(bureau, "zoé", "--offline")) == 3
    assert len(found(bureau, "zoé", "--offline", "--batch", "2")) == 2
    code, out, _ = bureau.run("find", "zoé", "--offline", "--limit", "1")
    assert code == 0
    assert "there are more" in out
    assert bureau.run("find", "zoé", "--batch", "9")[0] == 1


def test_what_another_issuer_issued_is_shown_without_status(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(bureau)
    monkeypatch.setenv("CREDANCHOR_ISSUER_ID", "2")
    assert found(bureau, "zoe") == [("Zoé Tremblay", None)]


def test_what_cannot_be_looked_for(bureau: Bureau) -> None:
    Path("bad.json").write_text("{}")
    assert bureau.run("find", "bad.json")[0] == 2
    assert bureau.run("find", " ")[0] == 2
    assert bureau.run("find")[0] == 2
    code, _, error = bureau.run("find", "someone@example.org")
    assert code == 1
    assert "nothing is found" in error
    assert "someone" not in error
