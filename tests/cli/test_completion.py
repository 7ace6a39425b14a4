"""The Tab key in bash: as `--install-completion` sets it up, it offers commands, options and reasons."""

import os
import subprocess
from pathlib import Path

import pytest

from anchor.status import StatusReason
from tests.support.bureau import PROGRAM

# What bash does at Tab: it calls the function that `complete` has named, and shows COMPREPLY.
_PRESS_TAB = """
. ~/.bashrc
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"$(complete -p credanchor | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" credanchor
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder in which completion was installed."""
    home = tmp_path_factory.mktemp("home")
    done = _bash(home, "credanchor --install-completion bash")
    assert "bash completion installed" in done
    return home


def _bash(home: Path, script: str, *words: str) -> str:
    environment = os.environ | {"HOME": str(home), "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    command = ["bash", "--norc", "-c", script, "bash", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["re"], {"revoke", "reinstate", "receipt", "reconcile", "replace", "registry"}),
        (["issuer", "key", ""], {"request", "add", "retire", "compromise"}),
        (["issue", "--re"], {"--recipients", "--rejects", "--resume"}),
        (["revoke", "--reason", ""], {reason.label for reason in StatusReason}),
        (["replace", "x.json", "--reason", "su"], {"superseded"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_tab_offers_what_goes_on(home: Path, typed: list[str], offered: set[str]) -> None:
    assert set(_bash(home, _PRESS_TAB, "credanchor", *typed).split()) == offered


def test_every_command_is_offered(home: Path) -> None:
    offered = set(_bash(home, _PRESS_TAB, "credanchor", "").split())
    assert {"verify", "audit", "init", "dev", "issue", "find", "roster", "achievement", "export", "erase"} <= offered


def test_it_can_be_looked_at_before_it_is_installed(tmp_path: Path) -> None:
    shown = _bash(tmp_path, "credanchor --show-completion bash")
    assert "complete -o default -F" in shown
    assert list(tmp_path.iterdir()) == []
