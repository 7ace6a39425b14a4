"""`credanchor achievement` as an institution meets it: files good and bad, versions, and the questions of `new`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from registry.services.achievement import review_achievement
from registry.settings import settings_to_text
from tests.support.achievements import EXAMPLES, SVG, as_bytes
from tests.support.program import Program
from tests.support.registry import ACHIEVEMENT, DID, REGISTRY
from tests.support.terminal import Terminal

SKILL = "http://data.europa.eu/esco/skill/2b92a5b2-6758-4ee3-9fb4-b6387a55cc8f perform data analysis"
GIVEN = ("--name", "Soudage", "--description", "Soude des plaques.", "--criteria", "Dix soudures.")


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """With a home that is set up, in a folder with one good file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREDANCHOR_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    settings: dict[str, str | int] = {
        "public_url": "https://credentials.college.example",
        "rpc_url": "http://127.0.0.1:9",
        "registry": REGISTRY.to_text(),
        "issuer_id": 1,
        "issuer_did": DID,
        "issuer_name": "Collège Boréalis",
        "anchor_key": "keys/anchor.json",
        "status_key": "keys/status.json",
    }
    (tmp_path / "home" / "settings.toml").write_text(settings_to_text(settings), "utf-8")
    Path("good.json").write_bytes(as_bytes())
    return Program(capsys=capsys)


def read(path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(path).read_bytes())
    return content


def test_check_says_what_is_wrong_and_where(program: Program) -> None:
    Path("bad.json").write_bytes(as_bytes({"criteria": None, "achievementType": "Corse", "tag": ["\x1b[31m"]}))
    code, out, err = program.run("achievement", "check", "bad.json")
    assert code == 2
    assert "✘ $.achievementType: “Corse” is no word of Open Badges 3.0 (Did you mean Course?)" in err
    assert "✘ $.criteria: is required, and missing" in err
    assert "! $.image: is missing" in err
    assert "2 to mend" in out
    code, content = program.run_json("achievement", "check", "bad.json")
    assert code == 2
    assert next(iter(content)) == "format"
    assert {problem["where"] for problem in content["problems"]} == {"$.criteria", "$.achievementType"}
    assert all(set(each) == {"where", "reason", "hint"} for each in content["problems"] + content["warnings"])


def test_check_needs_no_home_and_warnings_stop_nothing(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDANCHOR_HOME", "/nowhere")
    code, out, err = program.run("achievement", "check", "good.json")
    assert code == 0
    assert "good Open Badges 3.0: Littératie des données" in out
    assert "! $.image" in err


@pytest.mark.parametrize("content", [b"no json", b'{"type": ["VerifiableCredential"]}'])
def test_check_of_what_is_no_achievement(program: Program, content: bytes) -> None:
    Path("bad.json").write_bytes(content)
    assert program.run("achievement", "check", "bad.json")[0] == 2
    assert program.run("achievement", "check", "absent.json")[0] == 2


def test_what_a_stranger_wrote_cannot_move_the_cursor(program: Program) -> None:
    Path("bad.json").write_bytes(as_bytes({"name": "\x1b[2Jx\u202e", "achievementType": "\x1b[2J"}))
    _, out, err = program.run("achievement", "check", "bad.json")
    assert "\x1b[2J" not in out + err
    assert "\u202e" not in out + err
    _, out, _ = program.run("achievement", "check", "bad.json", "--json")
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_kept_listed_revised_and_shown(program: Program) -> None:
    code, out, _ = program.run("achievement", "list")
    assert (code, "achievement add FILE" in out) == (0, True)
    code, out, _ = program.run("achievement", "add", "good.json")
    assert code == 0
    assert "litteratie-des-donnees, version 1" in out
    Path("better.json").write_bytes(as_bytes({"name": "Better"}))
    code, content = program.run_json("achievement", "revise", "litteratie-des-donnees", "better.json")
    assert (code, content["version"], content["name"]) == (0, 2, "Better")
    code, content = program.run_json("achievement", "list")
    assert [(each["code"], each["version"]) for each in content["achievements"]] == [("litteratie-des-donnees", 2)]
    assert "litteratie-des-donnees  version 2" in program.run("achievement", "list")[1]
    code, out, _ = program.run("achievement", "show", "litteratie-des-donnees")
    assert code == 0
    assert "version 2" in out
    assert "· shown" in out
    code, content = program.run_json("achievement", "show", "litteratie-des-donnees", "--version", 1)
    assert (content["versions"], content["achievement"]) == ([1, 2], ACHIEVEMENT)
    assert program.run("achievement", "show", "litteratie-des-donnees", "--version", 1, "--out", "old.json")[0] == 0
    assert read("old.json") == ACHIEVEMENT


def test_what_cannot_be_kept(program: Program) -> None:
    assert program.run("achievement", "add", "good.json", "--code", "data")[0] == 0
    code, _, err = program.run("achievement", "add", "good.json", "--code", "other")
    assert (code, "kept already, as data" in err) == (1, True)
    code, _, err = program.run("achievement", "revise", "data", "good.json")
    assert (code, "nothing changed" in err) == (1, True)
    code, _, err = program.run("achievement", "show", "dat")
    assert (code, "achievement list" in err) == (1, True)
    assert program.run("achievement", "show", "data", "--version", 2)[0] == 1
    assert program.run("achievement", "show", "data", "--out", "good.json")[0] == 1
    code, _, err = program.run("achievement", "add", "good.json", "--code", "Data")
    assert (code, "small letters" in err) == (2, True)
    Path("bad.json").write_bytes(as_bytes({"inLanguage": "zz"}))
    code, content = program.run_json("achievement", "add", "bad.json")
    assert code == 2
    assert [problem["where"] for problem in content["error"]["problems"]] == ["$.inLanguage"]


def test_issue_takes_a_code(program: Program) -> None:
    Path("roster.csv").write_text("name\nAna\n", "utf-8")
    program.run("achievement", "add", "good.json", "--code", "data")
    arguments = ("--recipients", "roster.csv", "--dry-run")
    code, content = program.run_json("issue", "--achievement", "data@1", *arguments)
    assert (code, content["sample"]["credentialSubject"]["achievement"]) == (0, ACHIEVEMENT)
    code, content = program.run_json("issue", "--achievement", "good.json", *arguments)
    assert (code, content["sample"]["credentialSubject"]["achievement"]) == (0, ACHIEVEMENT)
    code, _, err = program.run("issue", "--achievement", "dta", *arguments)
    assert (code, "Did you mean data?" in err) == (1, True)


def test_new_by_flags(program: Program) -> None:
    Path("badge.svg").write_bytes(SVG)
    Path("criteria.md").write_text("Dix soudures,\n\ntoutes bonnes.", "utf-8")
    more = (
        "--language",
        "fr-ca",
        "--type",
        "course",
        "--credits",
        "1,5",
        "--tags",
        "soudage, acier",
        "--id",
        "urn:x:1",
    )
    result = ("--align", SKILL, "--align", "https://x.example/1 autre", "--result", "Percent; pass 60")
    code, out, err = program.run(
        "achievement", "new", *GIVEN[:4], "--criteria", "@criteria.md", *more, *result, "--image", "badge.svg",
        "--out", "a.json",
    )  # fmt: skip
    assert code == 0
    assert "written to a.json" in out
    assert err == ""
    made = read("a.json")
    assert (made["id"], made["inLanguage"], made["achievementType"]) == ("urn:x:1", "fr-CA", "Course")
    assert made["criteria"]["narrative"] == "Dix soudures,\n\ntoutes bonnes."
    assert made["alignment"][0]["targetType"] == "ext:ESCO.Skill"
    assert made["resultDescription"][0]["requiredValue"] == "60"
    assert program.run("achievement", "add", "a.json")[0] == 0


def test_new_prints_what_may_be_piped_into_a_file(program: Program) -> None:
    code, out, _ = program.run("achievement", "new", *GIVEN)
    assert code == 0
    assert review_achievement(out.encode()).problems == ()
    code, content = program.run_json("achievement", "new", *GIVEN)
    assert (code, content["file"], content["achievement"]["name"]) == (0, None, "Soudage")
    # Each has an id of its own.
    assert content["achievement"]["id"] != json.loads(out)["id"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Give --name, --description, --criteria, or run it at a terminal"),
        (GIVEN[:4], 2, "Give --criteria,"),
        ((*GIVEN, "--out", "good.json"), 1, "there is a file good.json already"),
        ((*GIVEN, "--out", "absent/a.json"), 2, "there is no folder absent"),
        ((*GIVEN, "--type", "Corse"), 2, "--type: this is no word of Open Badges 3.0"),
        ((*GIVEN, "--language", "zz"), 2, "--language: this is no language tag"),
        ((*GIVEN, "--image", "absent.png"), 2, "cannot be read"),
        ((*GIVEN, "--image", "good.json"), 2, "no image"),
        ((*GIVEN, "--id", "nonsense"), 2, "$.id: must be a URI"),
        ((*GIVEN[:5], "@latin.txt"), 2, "UTF-8"),
    ],
)
def test_new_that_cannot_be(program: Program, arguments: tuple[str, ...], code: int, said: str) -> None:
    Path("latin.txt").write_bytes("é".encode("latin-1"))
    done, _, err = program.run("achievement", "new", *arguments)
    assert (done, said in err) == (code, True)


def test_new_asks_and_asks_again(tmp_path: Path) -> None:
    with Terminal(tmp_path, ("achievement", "new", "--out", "a.json", "--tags", "soudage")) as terminal:
        for question, answers in (
            ("its name", ["", "Soudage é"]),
            ("what its holder can do", ["Soude des plaques."]),
            ("what had to be done", ["@absent.md", "Dix soudures."]),
            ("a page that tells it", [""]),
            ("its language", ["french", "fr-CA"]),
            ("its type", ["Corse", "course"]),
            ("its credits", ["1,5"]),
            ("a skill that it leads to", [SKILL]),
            ("another one", [""]),
            ("the result that each learner has", ["Percent; pass 60"]),
            ("its image", ["https://college.example/badge.png"]),
        ):
            for answer in answers:
                terminal.until(question)
                terminal.type(f"{answer}\n")
        assert terminal.exit_code() == 0
    for refusal in ("this is needed", "absent.md cannot be read", "no language tag", "Did you mean Course?"):
        assert refusal in terminal.shown
    assert "words to find it by" not in terminal.shown
    found = review_achievement((tmp_path / "a.json").read_bytes())
    assert (found.name, found.problems, found.warnings) == ("Soudage é", (), ())


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_new_stopped_says_so_and_how_to_go_on(tmp_path: Path, key: str) -> None:
    with Terminal(tmp_path, ("achievement", "new", "--out", "a.json")) as terminal:
        terminal.until("its name")
        terminal.type("L'art; $(de) souder\n")
        terminal.until("what its holder can do")
        terminal.type(key)
        terminal.until("nothing was written")
        assert terminal.exit_code() == 1
    assert not (tmp_path / "a.json").exists()
    line = next(line for line in terminal.shown.splitlines() if "credanchor achievement new" in line)
    assert shlex.split(line.partition("answered: ")[2])[3:] == ["--name", "L'art; $(de) souder", "--out", "a.json"]


def test_flags_are_read_before_anything_is_asked(tmp_path: Path) -> None:
    with Terminal(tmp_path, ("achievement", "new", "--type", "Corse")) as terminal:
        terminal.until("Did you mean Course?")
        assert terminal.exit_code() == 2
    assert "its name" not in terminal.shown


def test_answers_are_not_lost_when_the_whole_cannot_be_used(tmp_path: Path) -> None:
    flags = ("--criteria-url", "https://x.example", "--language", "en", "--type", "Course", "--credits", "1")
    more = ("--tags", "a", "--align", SKILL, "--result", "Status", "--image", "https://x.example/a.png")
    with Terminal(tmp_path, ("achievement", "new", *GIVEN[:4], *flags, *more, "--id", "nonsense")) as terminal:
        terminal.until("what had to be done")
        terminal.type("Dix soudures.\n")
        terminal.until("--criteria 'Dix soudures.' --id nonsense")
        terminal.until("$.id: must be a URI")
        assert terminal.exit_code() == 2


def test_new_with_no_questions_asks_nothing_at_a_terminal(tmp_path: Path) -> None:
    with Terminal(tmp_path, ("achievement", "new", "--no-questions", *GIVEN[:4])) as terminal:
        terminal.until("Give --criteria")
        assert terminal.exit_code() == 2


def test_examples_can_all_be_kept(program: Program) -> None:
    for path in sorted((EXAMPLES / "achievements").glob("*.json")):
        assert program.run("achievement", "add", path)[0] == 0
    assert len(program.run_json("achievement", "list")[1]["achievements"]) == 6
