"""Guides as somebody reads them who types each command and compares what is shown with the page."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
import typer

from anchor.cli.output import error_console
from registry.cli import common, writing
from tests.support.homes import at_work
from tests.support.program import Program

ROOT: Final = Path(__file__).parents[2]
_FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW: Final = re.compile(r"^\|(.+)\|$", re.MULTILINE)
_ANYTHING: Final = "…"


def sit_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody sit at a terminal who answers every question with yes; keys are quick to make and open."""

    def confirm(question: str, **_options: object) -> bool:
        typer.echo(f"{question} [y/N]: y", err=True)
        return True

    at_work(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(error_console, "_force_terminal", True)
    # What the pages leave out of `init` is meant to be left out.
    monkeypatch.setattr("registry.cli.init.is_interactive", lambda: False)
    for module in (common, writing):
        monkeypatch.setattr(module, "is_interactive", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)


def read_guide(name: str) -> str:
    """The text of one of the guides."""
    return (ROOT / "docs" / "guides" / name).read_text("utf-8")


def command_of(line: str) -> tuple[list[str], str | None]:
    """Split a line as a shell does: the words of the command, and the file that its output goes to."""
    words = shlex.split(line)
    return (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A block of commands, and what the page shows of their output."""

    commands: str
    shown: str


def steps(guide: str) -> list[Step]:
    """The blocks of commands of a page, in order; a `text` block that follows one is its output."""
    found: list[Step] = []
    for language, body in _FENCE.findall(guide):
        if language == "bash":
            found.append(Step(commands=body, shown=""))
        elif language == "text":
            found[-1] = Step(commands=found[-1].commands, shown=body)
    return found


def block_of(guide: str, language: str) -> str:
    """The one block of a page that is in this language."""
    (body,) = (body for found, body in _FENCE.findall(guide) if found == language)
    return str(body)


def table_of(guide: str) -> list[list[str]]:
    """The one table of a page, its header first."""
    rows = [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(guide)]
    return [row for row in rows if not set("".join(row)) <= set("-: ")]


@dataclass(kw_only=True)
class Reader(Program):
    """Somebody at a terminal who follows a guide, in a folder, and says yes to every question."""

    place: Path
    monkeypatch: pytest.MonkeyPatch
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What the text tells to do by hand, by how the command begins that comes after it."""
    exits: dict[str, list[int]] = field(default_factory=dict)
    """Exit codes by the whole command, where one is not 0: each time that it is typed takes one away."""
    last_id: str = ""
    """Of the credential that was shown last."""

    def follow(self, folder: Path, step: Step) -> list[str]:
        """Run one block in a folder; give what each command printed, having compared it with the page."""
        folder.mkdir(exist_ok=True)
        self.monkeypatch.chdir(folder)
        self.arrive(folder)
        printed = []
        for line in step.commands.splitlines():
            if not line.startswith("#"):
                printed.append(self._type(line))
                self.look_after()
        assert_shown(step.shown, "".join(printed))
        return printed

    def as_here(self, line: str) -> str:
        """Put what is so here in the place of what the guide leaves open."""
        return line.replace("urn:uuid:ID", self.last_id)

    def arrive(self, folder: Path) -> None:
        """Do what the text takes for granted in a folder."""

    def look_after(self) -> None:
        """Do what goes on beside the commands."""

    def _type(self, line: str) -> str:
        for start in [start for start in self.before if line.startswith(start)]:
            self.before.pop(start)()
        exits = self.exits[line].pop(0) if line in self.exits else 0
        (program, *words), file = command_of(self.as_here(line))
        if program == "cp":
            _, source, target = words
            shutil.copytree(source, target)
            return ""
        assert program == "credanchor", line
        code, out, err = self.run(*_files_named(words))
        assert code == exits, f"{line}\n{out}{err}"
        if file is not None:
            Path(file).write_text(out, "utf-8")
        self.last_id = next(reversed(re.findall(r"urn:uuid:[\w-]+", out)), self.last_id)
        return err + out


def assert_shown(shown: str, printed: str) -> None:
    """Check that every line of the page is in what was printed; `…` on the page stands for anything.

    The order is the page's: on a terminal, standard output and standard error come as they come.
    """
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    for line in filter(str.strip, shown.splitlines()):
        pattern = ".*".join(re.escape(part) for part in " ".join(line.split()).split(_ANYTHING))
        assert any(re.fullmatch(pattern, each) for each in lines), f"{line!r} is not in:\n{printed}"


def _files_named(words: list[str]) -> list[str]:
    """Put the files in the place of a pattern, as a shell does."""
    return [each for word in words for each in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
