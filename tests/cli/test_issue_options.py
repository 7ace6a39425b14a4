"""`credanchor issue` and its choices: again, bad rows left out, archives and e-mails, all that a roster can say."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

from registry.services.achievement_schema import schema_problems
from tests.cli.test_issue import ACHIEVEMENT, bureau, home, issue, sealed
from tests.support.bureau import EXAMPLES, Bureau

__all__ = ["bureau", "home"]


def test_the_same_people_are_not_issued_to_twice_unless_it_is_meant(bureau: Bureau) -> None:
    assert issue(bureau)[0] == 0
    Path("more.csv").write_text("name,email\nNew Learner,new@example.org\nZoé T.,ZOE@example.org\n", "utf-8")
    code, content = issue(bureau, "more.csv")
    assert code == 2
    (problem,) = content["error"]["problems"]
    assert problem["where"] == "line 3, email"
    assert problem["reason"] == "got this achievement before, in batch 1"
    assert "--again" in problem["hint"]
    # Who has no address is known by nothing; but the very same roster is.
    Path("names.csv").write_text("name\nAna\nBo\n", "utf-8")
    assert issue(bureau, "names.csv")[0] == 0
    code, content = issue(bureau, "names.csv")
    assert (code, content["error"]["type"]) == (1, "IssuedBeforeError")
    assert "--again" in content["error"]["advice"]
    # Another achievement is another matter.
    other = EXAMPLES / "full-achievement.json"
    assert bureau.run_json("issue", "--achievement", other, "--recipients", "more.csv")[0] == 0
    assert issue(bureau, "more.csv", "--again")[0] == 0
    assert [count for _, count, _ in sealed(bureau)] == [3, 2, 2, 2]


def test_bad_rows_can_be_left_out_mended_and_issued_then(bureau: Bureau) -> None:
    Path("some.csv").write_text("name,email\nAna,ana@example.org\nBo,bo@\nCy,ana@example.org\nDi,\n", "utf-8")
    code, content = issue(bureau, "some.csv", "--skip-bad", "--out", "out")
    assert (code, content["batches"][0]["size"], content["leftOut"]) == (0, 2, 2)
    assert [each["where"] for each in content["problems"]] == ["line 3, email", "line 4, email"]
    rest = Path("some-rest.csv").read_text("utf-8-sig")
    assert [line.split(",")[:2] for line in rest.splitlines()] == [
        ["name", "email"],
        ["Bo", "bo@"],
        ["Cy", "ana@example.org"],
    ]
    # Nothing is written over, and nothing issued before that is known.
    code, content = issue(bureau, "some.csv", "--skip-bad")
    assert (code, content["error"]["type"]) == (1, "ConflictError")
    Path("some-rest.csv").write_text(rest.replace("bo@", "bo@example.org").replace("ana@", "cy@"), "utf-8")
    code, content = issue(bureau, "some-rest.csv")
    assert (code, content["batches"][0]["size"], content["unusedColumns"]) == (0, 2, ["problem"])
    assert [count for _, count, _ in sealed(bureau)] == [2, 2]


def test_bad_rows_left_out_in_words(bureau: Bureau) -> None:
    Path("some.csv").write_text("name,email\nAna,\nBo,bo@\n", "utf-8")
    arguments = ("issue", "--achievement", ACHIEVEMENT, "--recipients", "some.csv", "--skip-bad", "--rejects", "r.csv")
    code, out, error = bureau.run(*arguments, "--dry-run")
    assert code == 0
    assert "1 recipient," in out
    assert "1 row would be left out, and written to r.csv" in error
    # A trial leaves nothing behind that would stand in the way of what follows.
    assert not Path("r.csv").exists()
    code, out, error = bureau.run(*arguments)
    assert code == 0
    assert "1 credential anchored" in out
    assert "line 3, email: is not an e-mail address" in error
    assert "1 row is left out, and written to r.csv" in error
    Path("bad.csv").write_text("name,email\nBo,bo@\n", "utf-8")
    code, content = issue(bureau, "bad.csv", "--skip-bad")
    assert (code, content["error"]["message"]) == (2, "nobody is left to issue to")


def test_an_archive_with_emails(bureau: Bureau) -> None:
    code, content = issue(bureau, "few.csv", "--out", "out.zip", "--emails", "both")
    assert (code, content["batches"][0]["index"]) == (0, "out.zip/index-batch-1.csv")
    with ZipFile("out.zip") as archive:
        names = archive.namelist()
        archive.extractall("unpacked")
    assert sum(name.endswith(".eml") for name in names) == 2
    assert bureau.run_json("verify", *Path("unpacked").glob("*.json"))[0] == 0
    code, content = issue(bureau, "few.csv", "--again", "--out", "out.zip")
    assert (code, content["error"]["type"]) == (1, "ConflictError")
    assert len(sealed(bureau)) == 1


def test_all_that_a_roster_says_is_in_the_credential(bureau: Bureau) -> None:
    Path("full.csv").write_text(
        "name,email,did,valid from,valid until,awarded,result,evidence,narrative,license\n"
        "Ana,ana@example.org,did:key:z6Mk,2026-01-01,2099-06-30,2026-05-29,92 %,https://x.example/1,Did it,L-7\n",
        "utf-8",
    )
    code, content = issue(bureau, "full.csv", "--out", "out")
    assert (code, content["unusedColumns"]) == (0, [])
    (path,) = Path("out").glob("*.json")
    credential = json.loads(path.read_bytes())
    subject = credential["credentialSubject"]
    assert (subject["id"], subject["narrative"], subject["licenseNumber"]) == ("did:key:z6Mk", "Did it", "L-7")
    assert subject["result"][0]["value"] == "92 %"
    assert credential["validFrom"].startswith("2026-01-01")
    assert credential["validUntil"] == "2099-07-01T00:00:00Z"  # to the end of the last day
    assert credential["awardedDate"].startswith("2026-05-29")
    assert credential["evidence"] == [{"id": "https://x.example/1", "type": ["Evidence"]}]
    assert list(schema_problems(credential)) == []
    assert bureau.run("verify", path)[0] == 0
