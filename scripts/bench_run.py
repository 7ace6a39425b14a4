"""Runs a program in a process of its own, and tells what it said, how long it ran and what memory it took."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a program."""

    content: dict[str, Any]
    """The JSON that it printed."""
    wall: float
    """Seconds from its start to its end."""
    cpu: float
    """Seconds of processor time, its helpers' too."""
    megabytes: float | None
    """Most memory that all its processes held at one time, what they share counted for each; None: it is not known."""
    own_megabytes: float | None
    """Most that the process itself held at any time."""


def run(command: Sequence[str | Path], environment: dict[str, str] | None = None, *, code: int = 0) -> Run:
    """Run a program to its end, which it must come to with an exit code, watching it and those that it starts."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=errors, env={**os.environ, **(environment or {})})
        watch = Watch(child.pid)
        while True:
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            watch.look()
            time.sleep(SAMPLE_SECONDS)
        wall = time.perf_counter() - started
        # Waited for here; it shall not wait for it again.
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        said = output.read()
        if child.returncode != code:
            sys.exit(f"{command[0]} failed: {said.decode()}{errors.read().decode()}")
    return Run(
        content=json.loads(said),
        wall=wall,
        cpu=used.ru_utime + used.ru_stime,
        megabytes=watch.together / 1024 or None,
        own_megabytes=watch.own / 1024 or None,
    )


class Watch:
    """Follows the memory of a process and of those that it starts, where the system has /proc.

    Not getrusage: what it calls a process's peak counts the memory of whoever started it, up to the exec.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._family = {pid}
        self._others: set[int] = set()
        self.together = 0
        """Kibibytes."""
        self.own = 0

    def look(self) -> None:
        """Look at all of them once."""
        try:
            there = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()}
        except OSError:
            return
        self._family &= there
        for pid in sorted(there - self._family - self._others):
            belongs = int(_status(pid).get("PPid", 0)) in self._family
            (self._family if belongs else self._others).add(pid)
        states = {pid: _status(pid) for pid in self._family}
        self.together = max(self.together, sum(_kibibytes(state, "VmRSS") for state in states.values()))
        self.own = max(self.own, _kibibytes(states.get(self._pid, {}), "VmHWM"))


def _kibibytes(state: dict[str, str], name: str) -> int:
    return int(state.get(name, "0 kB").removesuffix(" kB"))


def _status(pid: int) -> dict[str, str]:
    """Read what the kernel says of a process; of one that is gone, nothing."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    pairs = (entry.partition(":") for entry in text.splitlines())
    return {name: value.strip() for name, _, value in pairs}
