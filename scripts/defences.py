"""Take away what stops an attacker, one defence at a time: the test that stages the attack must then fail.

    scripts/defences.py           all of tests/mutants/defences.toml
    scripts/defences.py TEXT…     those whose test or reason has one of these texts in it

Works in a copy of the tree. The contract without its defence is compiled apart and takes the place of the real one, in
forge's build and in what Python deploys; the tests stay as they were compiled. Each test also runs once with a contract
that went the same way with nothing taken away, and must pass.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "contracts"))
import build  # noqa: E402 - contracts/ is no package

DEFENCES = ROOT / "tests" / "mutants" / "defences.toml"
COPIED = ("anchor", "contracts", "docs", "pyproject.toml", "registry", "scripts", "tests")
LINKED = ("node_modules",)

FORGE_ARTIFACT = Path("contracts/out/CredentialRegistry.sol/CredentialRegistry.json")
PYTHON_ARTIFACT = Path("anchor/ledger/abi/CredentialRegistry.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defence:
    """One piece of code that stops an attack, and the test that stages it."""

    test: str
    file: str
    why: str
    before: str
    after: str

    @property
    def is_forge(self) -> bool:
        """Whether forge runs the test, and not pytest."""
        return self.test.startswith("test_attack_")

    @property
    def pytest_file(self) -> str:
        """The file that has the test, if pytest runs it."""
        return (
            "tests/lies/test_each_defence.py" if self.test.startswith("test_lie_") else "tests/ledger/test_attacks.py"
        )

    @property
    def is_of_contract(self) -> bool:
        """Whether it is Solidity that is taken away."""
        return self.file.endswith(".sol")

    def removed(self, text: str) -> str:
        """Give a file's text without the defence."""
        if self.before not in text:
            raise ValueError(f"{self.file} has no {self.before}")
        return text.replace(self.before, self.after)


def load_defences() -> tuple[Defence, ...]:
    """Read the list."""
    return tuple(Defence(**entry) for entry in tomllib.loads(DEFENCES.read_text("utf-8"))["defence"])


def main() -> None:
    wanted = [each for each in load_defences() if _is_wanted(each, sys.argv[1:])]
    if not wanted:
        sys.exit("no defence has any of these texts in it")
    with tempfile.TemporaryDirectory(prefix="credanchor-defences-") as folder:
        copy = Path(folder)
        _copy_to(copy)
        if any(each.is_forge or each.is_of_contract for each in wanted):
            _run(copy / "contracts", "../scripts/forge", "build", check=True)
            _deploy_instead(copy, build.compile_sources(build.sources()))
        tests = {each.test: each for each in wanted}
        broken = [test for test, defence in sorted(tests.items()) if not _passes(copy, defence)]
        if broken:
            sys.exit(f"fail with nothing taken away: {', '.join(broken)}")
        kept = [each for each in wanted if not _is_needed(copy, each)]
    print(f"{len(wanted) - len(kept)} of {len(wanted)} defences are needed by the tests of {len(tests)} attacks")
    sys.exit(1 if kept else 0)


def _is_wanted(defence: Defence, texts: Sequence[str]) -> bool:
    return not texts or any(text in f"{defence.test} {defence.why}" for text in texts)


def _copy_to(copy: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            # With their times and links: forge compiles again what looks changed.
            shutil.copytree(source, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, copy)
    for name in LINKED:
        (copy / name).symlink_to(ROOT / name)


def _is_needed(copy: Path, defence: Defence) -> bool:
    """Try a test without a defence, put the defence back, and tell whether the test failed."""
    path = copy / defence.file
    changed = (FORGE_ARTIFACT, PYTHON_ARTIFACT) if defence.is_of_contract else (Path(defence.file),)
    kept = {name: (copy / name).read_bytes() for name in changed}
    times = {name: (copy / name).stat() for name in changed}
    try:
        if defence.is_of_contract:
            _deploy_instead(copy, _compiled(defence))
        else:
            path.write_text(defence.removed(path.read_text("utf-8")), "utf-8")
        passed = _passes(copy, defence)
    finally:
        for name, content in kept.items():
            (copy / name).write_bytes(content)
            os.utime(copy / name, ns=(times[name].st_atime_ns, times[name].st_mtime_ns))
    print(f"{'✘ not needed' if passed else '✔ needed'}  {defence.test}: {defence.why}", flush=True)
    return not passed


@cache
def _compiled(defence: Defence) -> dict[str, Any]:
    sources = build.sources()
    name = defence.file.removeprefix("contracts/")
    sources[name] = {"content": defence.removed(sources[name]["content"])}
    return build.compile_sources(sources)


def _deploy_instead(copy: Path, contract: dict[str, Any]) -> None:
    """Let tests deploy another contract than the one they were compiled with."""
    path = copy / FORGE_ARTIFACT
    artifact = json.loads(path.read_bytes())
    for kind, output in (("bytecode", "bytecode"), ("deployedBytecode", "deployedBytecode")):
        artifact[kind]["object"] = "0x" + contract["evm"][output]["object"]
    path.write_text(json.dumps(artifact), "utf-8")
    (copy / PYTHON_ARTIFACT).write_text(build.render(build.abi_document(contract)), "utf-8")


def _passes(copy: Path, defence: Defence) -> bool:
    """Run a defence's test; it must really run."""
    test = defence.test
    if defence.is_forge:
        done = _run(copy / "contracts", "../scripts/forge", "test", "--match-test", rf"^{test}\(")
        ran = f"{test}()" in done.stdout
    else:
        arguments = ("-q", "-p", "no:cacheprovider", f"{defence.pytest_file}::{test}")
        done = _run(copy, sys.executable, "-m", "pytest", *arguments)
        ran = done.returncode in {0, 1}
    if not ran:
        sys.exit(f"{test} did not run:\n{done.stdout}\n{done.stderr}")
    return done.returncode == 0


def _run(folder: Path, *command: str, check: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=check)


if __name__ == "__main__":
    main()
