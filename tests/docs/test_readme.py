"""What README and CONTRIBUTING say can be done can be done."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.documents import ROOT, blocks, commands, committed_files, read

README = read("README.md")
CREDANCHOR = Path(sys.executable).parent / "credanchor"


def documented_uses() -> dict[tuple[str, ...], set[str]]:
    """Options used in README by command: `("issue",)` -> {"--out", …}."""
    uses: dict[tuple[str, ...], set[str]] = {}
    for program, *words in commands(README):
        if program == "credanchor":
            names = []
            for word in words:
                if not re.fullmatch(r"[a-z]+", word):
                    break
                names.append(word)
            uses.setdefault(tuple(names), set()).update(word for word in words if word.startswith("--"))
    return uses


def help_of(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(
        [CREDANCHOR, *command, "--help"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_quick_start_shows_the_main_commands() -> None:
    expected = {"issue", "verify", "revoke", "suspend", "reinstate", "audit"}
    assert expected <= {command[0] for command in documented_uses()}


@pytest.mark.parametrize("command", documented_uses(), ids=" ".join)
def test_documented_command_exists_with_its_options(command: tuple[str, ...]) -> None:
    shown = help_of(*command)
    assert shown.returncode == 0, shown.stderr
    missing = {option for option in documented_uses()[command] if not re.search(rf"{option}\b", shown.stdout)}
    assert not missing, shown.stdout


def test_an_unknown_command_is_refused() -> None:
    assert help_of("levitate").returncode == 2


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_scripts_and_files_named_in_command_blocks_exist(document: str) -> None:
    named = {word for words in commands(read(document)) for word in words if word.startswith(("./scripts/", "docs/"))}
    assert named, "the command blocks name no script"
    assert not {name for name in named if not (ROOT / name).is_file()}
    assert not {name for name in named if name.startswith("./") and not os.access(ROOT / name, os.X_OK)}


def test_layout_shows_exactly_the_top_level_folders() -> None:
    (layout,) = blocks(README, "text")
    shown = set(re.findall(r"^([\w.-]+)/", layout, re.MULTILINE))
    present = {path.parts[0] for path in committed_files() if len(path.parts) > 1}
    assert shown == {name for name in present if not name.startswith(".")}
