"""The program around its commands: version, help, usage errors, faults of the installation."""

import json
import os
import subprocess
from importlib.metadata import EntryPoint, version
from pathlib import Path

import pytest

from anchor.cli import main
from tests.support.bureau import EXAMPLES, PROGRAM


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"credanchor {version('credanchor')}\n"


@pytest.mark.parametrize("arguments", [["foo"], ["verify"], ["verify", "--nonsense"], ["audit", "--format", "pdf"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(arguments) == 2
    assert "Usage: credanchor" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words", "command"),
    [
        (["verify", "--json"], "Missing argument", "credanchor verify"),
        (["verify", "--json", "--nonsense"], "No such option", "credanchor verify"),
        (["levitate", "--json"], "No such command", "credanchor"),
        (["issue", "--json"], "give --achievement and --recipients", "credanchor issue"),
        (["issuer", "key", "add", "--json", "--scope", "x", "--nonsense"], "--nonsense", "credanchor issuer key add"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_json_where_json_was_asked_for(
    arguments: list[str], words: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert printed.err == ""
    assert error["type"] == "MalformedError"
    assert words in error["message"]
    assert error["advice"] == f"See `{command} --help`."


def test_wrong_usage_as_json_names_the_part_that_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = EntryPoint(name="missing", value="absent_library:register", group=main.COMMANDS_GROUP)
    monkeypatch.setattr(main, "entry_points", lambda **_: [missing])
    assert main.run(["issue", "--json"]) == 2
    assert main.REGISTRY_HINT in json.loads(capsys.readouterr().out)["error"]["advice"]


def test_codes_and_help_are_the_same_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["verify", "--json", "--help"]) == 0
    assert "Usage: credanchor verify" in capsys.readouterr().out
    assert main.run(["achievement", "check", str(EXAMPLES / "roster-5.csv"), "--json"]) == 2
    assert "error" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["roster", "template"],
        ["roster", "check", EXAMPLES / "roster-1000.csv"],
        ["achievement", "check", EXAMPLES / "achievement.json", "--json"],
    ],
    ids=lambda value: " ".join(map(str, value[:2])),
)
def test_a_reader_that_goes_away_is_told_nothing_more(arguments: list[object], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        ended = subprocess.run(
            [PROGRAM, *map(str, arguments)], stdout=gone, stderr=subprocess.PIPE, cwd=tmp_path, timeout=60, check=False
        )
    # Not 1, which would say that something is not valid.
    assert ended.returncode == 3
    assert ended.stderr == b""


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_question_without_an_answer_ends_the_command(more: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object, **__: object) -> None:
        raise EOFError

    monkeypatch.setattr("anchor.cli.verify.load_policy", ask)
    assert main.run(["verify", "x.json", *more]) == 1


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_disk_is_said(more: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [str(PROGRAM), "achievement", "check", str(EXAMPLES / "achievement.json"), *more]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, timeout=60, check=False)
    assert ended.returncode == 3
    assert ended.stderr.decode().count("No space left on device") == 1
    assert b"Exception ignored" not in ended.stderr


def test_all_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    listed = capsys.readouterr().out
    for command in ("verify", "audit", "issue", "revoke", "suspend", "reinstate", "achievement", "dev"):
        assert f" {command} " in listed


def test_module_of_ours_that_is_missing_is_not_taken_for_a_part_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint(name="broken", value="registry.gone:register", group=main.COMMANDS_GROUP)
    monkeypatch.setattr(main, "entry_points", lambda **_: [broken])
    with pytest.raises(ModuleNotFoundError, match=r"registry\.gone"):
        main.run(["--help"])


def test_verbose_shows_where_an_error_came_from(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    assert main.run(["--verbose", "verify", "x", "--policy", f"{tmp_path}/none.json"]) == 2
    assert "PolicyFormatError" in capsys.readouterr().err


def test_fault_of_ours_is_undetermined_and_never_not_valid(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("anchor.cli.verify.load_policy", fail)
    assert main.run(["verify", "x.json"]) == 3
    assert "a fault in credanchor itself" in capsys.readouterr().err
