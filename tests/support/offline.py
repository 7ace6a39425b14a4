"""The program where there is no network: in a network namespace without one, and watched, so that no socket is made."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOCKET_WAS_MADE = 99
"""Exit code of a program that tried."""

# Python tells hooks of whatever its socket module does, however it is reached; no code can take a hook away.
_WATCH = f"""
import os, sys

def watch(event, arguments):
    if event.startswith("socket."):
        os.write(2, f"a socket was used: {{event}}\\n".encode())
        os._exit({SOCKET_WAS_MADE})

sys.addaudithook(watch)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    code: int
    out: str
    err: str


@cache
def namespace() -> tuple[str, ...]:
    """What starts a program without network, where that is allowed; elsewhere the watch alone must do."""
    command = ("unshare", "--net")
    try:
        allowed = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        allowed = False
    return command if allowed else ()


def run_offline(folder: Path, *arguments: object) -> Ended:
    """Run the program without network.

    Args:
        folder: Its home folder, and where it is run; the watch is put there.
        arguments: Its arguments.
    """
    (folder / "watch").mkdir(exist_ok=True)
    (folder / "watch" / "sitecustomize.py").write_text(_WATCH)
    environment = {"CREDANCHOR_HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder / "watch")}
    command = [*namespace(), sys.executable, "-m", "anchor.cli.main", *map(str, arguments)]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)
