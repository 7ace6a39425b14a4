"""`verify` and `audit` where only what `pip install credanchor` brings is installed: no database, no registry."""

import re
import subprocess
import venv
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

from tests.cli.conftest import Desk

ROOT = Path(__file__).parents[2]
REQUIREMENTS = re.findall(
    r"^([a-z0-9-]+)==[^ ]+(.*)$", (ROOT / "requirements" / "verifier.txt").read_text(), re.MULTILINE
)
REGISTRY_ONLY = (
    "sqlalchemy",
    "alembic",
    "jsonschema",
    "filelock",
    "pydantic_settings",
    "web3",
    "eth_abi",
    "eth_account",
    "eth_utils",
)


def link_distribution(name: str, packages: Path) -> None:
    """Link the folders and files that a distribution has put beside others."""
    found = distribution(name)
    for top in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
        if not (packages / top).exists():  # some distributions share a stray folder, such as docs
            (packages / top).symlink_to(str(found.locate_file(top)))


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of that environment. Linked together from packages installed here: tests have no network."""
    place = tmp_path_factory.mktemp("verifier")
    venv.create(place, with_pip=False, symlinks=True)
    (packages,) = place.glob("lib/python3*/site-packages")
    for name, marker in REQUIREMENTS:
        if "win32" not in marker:
            link_distribution(name, packages)
    for path in (ROOT / "anchor", ROOT / "registry"):
        (packages / path.name).symlink_to(path)
    # Of the editable install only what names the program's commands, not the link to the whole project.
    metadata = str(distribution("credanchor").locate_file(f"credanchor-{version('credanchor')}.dist-info"))
    (packages / Path(metadata).name).symlink_to(metadata)
    return place / "bin" / "python"


def run(python: Path, desk: Desk, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-I", "-m", "anchor.cli.main", *arguments]
    environment = {"CREDANCHOR_HOME": str(desk.folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=desk.folder)


@pytest.mark.parametrize("package", REGISTRY_ONLY)
def test_environment_lacks_what_only_the_registry_needs(verifier: Path, desk: Desk, package: str) -> None:
    ended = subprocess.run(
        [str(verifier), "-I", "-c", f"import {package}"], capture_output=True, text=True, check=False
    )
    assert f"No module named '{package}'" in ended.stderr


def test_verify_and_audit_run_without_the_registry_part(verifier: Path, desk: Desk) -> None:
    ended = run(verifier, desk, "verify", str(desk.files[0]))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "✔ VALID" in ended.stdout
    ended = run(verifier, desk, "audit")
    assert (ended.returncode, "✔ COMPLETE" in ended.stdout) == (0, True)


def test_commands_of_the_registry_part_say_how_to_get_it(verifier: Path, desk: Desk) -> None:
    for arguments in (("issue",), ("revoke", "x"), ("--help",)):
        ended = run(verifier, desk, *arguments)
        assert "pip install 'credanchor[registry]'" in " ".join((ended.stdout + ended.stderr).split())
        assert ended.returncode == (0 if arguments == ("--help",) else 2)
