"""What a person at a terminal sees of `issue`: a progress bar for much work, and the question for the passphrase."""

import io
import sys

import pytest
import typer
from rich.console import Console

from registry.cli import common


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    shown = io.StringIO()
    monkeypatch.setattr(common, "error_console", Console(file=shown, force_terminal=True))
    return shown


def test_a_bar_for_much_work(terminal: io.StringIO) -> None:
    with common.progress_bar("issuing", 10_000, quiet=False) as advance:
        advance(10_000)
    assert "issuing" in terminal.getvalue()


@pytest.mark.parametrize(("count", "quiet"), [(100, False), (10_000, True)])
def test_none_for_little_work_or_for_programs(terminal: io.StringIO, count: int, quiet: bool) -> None:
    with common.progress_bar("issuing", count, quiet=quiet) as advance:
        advance(count)
    assert terminal.getvalue() == ""


def test_the_passphrase_is_asked_for_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def prompt(_text: str, **options: bool) -> str:
        assert options == {"hide_input": True, "err": True}
        return "hunter2"

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", prompt)
    assert common.ask_passphrase() == "hunter2"
