"""The scripts that no other test runs: locks are current and are held to be, the benchmark says what it measures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.documents import ROOT

LOCKED = ("pyproject.toml", "package.json", "package-lock.json", "scripts/lock", "requirements", "scripts/peers")


def check_locks(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts" / "lock"), "--check"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the locks are checked by, to be changed."""
    for name in LOCKED:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy(source, target)
    return tmp_path


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


def test_locks_are_current() -> None:
    done = check_locks(ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_lock_older_than_what_is_declared_is_named(copy: Path) -> None:
    change(copy / "pyproject.toml", "cert-issuer>=", "cert-issuer>")
    done = check_locks(copy)
    assert done.returncode == 1
    assert "requirements/peers.txt is older than the requirements in pyproject.toml" in done.stderr


@pytest.mark.parametrize("folder", [".", "scripts/peers"])
def test_a_node_lock_that_differs_or_names_a_place_is_named(copy: Path, folder: str) -> None:
    name = Path(folder, "package-lock.json")
    change(copy / folder / "package.json", '"node": ">=20"', '"node": ">=22"')
    change(copy / name, '"version":', '"resolved": "x", "version":')
    done = check_locks(copy)
    assert done.returncode == 1
    assert f"{name} differs from package.json in engines: run scripts/lock" in done.stderr
    assert f"{name} names where packages came from" in done.stderr


def test_the_benchmark_says_how_it_is_used() -> None:
    done = bench("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("issue", "verify", "peers", "--million", "COUNT"):
        assert word in done.stdout


@pytest.mark.parametrize("words", [("fast",), ("0",), ("verify", "--million"), ("issue", "-5")])
def test_the_benchmark_refuses_what_it_does_not_know(words: tuple[str, ...]) -> None:
    done = bench(*words)
    assert (done.returncode, done.stdout) == (2, "")
    parts = "issue|verify|light|api|api-issue|page|audit|explorer|reconcile|peers"
    assert f"usage: scripts/bench [{parts}] [--million] [COUNT]" in done.stderr
