"""The program around its commands: version, help, usage errors, faults of the installation."""

from importlib.metadata import EntryPoint, version

import pytest

from anchor.cli import main


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"credanchor {version('credanchor')}\n"


@pytest.mark.parametrize("arguments", [["foo"], ["verify"], ["verify", "--nonsense"], ["audit", "--format", "pdf"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(arguments) == 2
    assert "Usage: credanchor" in capsys.readouterr().err


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
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("anchor.cli.verify.load_policy", fail)
    assert main.run(["verify", "x.json"]) == 3
    assert "a fault in credanchor itself" in capsys.readouterr().err
