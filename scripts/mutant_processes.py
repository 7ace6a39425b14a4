"""Processes for mutants: a few at a time, each forked, bounded in memory and time, and heard of when it ends."""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from mutants import Mutant

MEMORY_BYTES = 4 << 30

KILLED, SURVIVED, BROKEN = 1, 0, 77
"""Exit codes of a mutant's process; it is also killed by a signal when it takes too much time."""


def in_fork(function: Callable[[], object]) -> Any:
    """Run a function in a process of its own, so that this one stays without the core, and give what it returns."""
    with tempfile.TemporaryFile("w+") as answer:
        child = os.fork()
        if child == 0:
            code = 2
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # pytest's own report
            try:
                json.dump(function(), answer)
                answer.flush()
                code = 0
            except SystemExit as error:
                print(error, file=sys.stderr)
            except BaseException:  # noqa: BLE001  # a fork must not go on as its parent
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                os._exit(code)
        if os.waitpid(child, 0)[1]:
            sys.exit(2)
        answer.seek(0)
        return json.load(answer)


class Progress:
    """Says how far it is: on a terminal always in the same line, else now and then."""

    def __init__(self, started: float) -> None:
        self.started = started

    def show(self, count: int, total: int, mutant: Mutant) -> None:
        """Say which one is tried."""
        seconds = time.monotonic() - self.started
        text = f"{seconds:4.0f} s: {count} of {total}, {mutant.module}"
        if sys.stderr.isatty():
            print(f"\r\033[K{text} {mutant.name[:60]}", end="", file=sys.stderr, flush=True)
        elif count % 250 == 1:
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


class Pool:
    """A few processes at a time, one for each mutant."""

    def __init__(self, jobs: int, progress: Progress) -> None:
        self.jobs, self.progress = jobs, progress

    def run(self, mutants: Sequence[Mutant], test: Callable[[Mutant], int]) -> dict[str, int]:
        """Try mutants; give their processes' exit codes, by key."""
        gc.collect()
        gc.freeze()
        codes: dict[str, int] = {}
        running: dict[int, Mutant] = {}
        for count, mutant in enumerate(mutants, start=1):
            if len(running) >= self.jobs:
                self._wait(running, codes)
            self.progress.show(count, len(mutants), mutant)
            child = os.fork()
            if child == 0:
                self._child(mutant, test)
            running[child] = mutant
        while running:
            self._wait(running, codes)
        return codes

    def _wait(self, running: dict[int, Mutant], codes: dict[str, int]) -> None:
        child, status = os.wait()
        mutant, code = running.pop(child), os.waitstatus_to_exitcode(status)
        if code == BROKEN:
            print(f"could not try {mutant.module} {mutant.name}", file=sys.stderr, flush=True)
            os._exit(2)  # not an exception: this may be within pytest, which would go on
        codes[mutant.key] = code

    def _child(self, mutant: Mutant, test: Callable[[Mutant], int]) -> None:
        code = BROKEN
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 1)
            if not os.environ.get("MUTATE_DEBUG"):
                os.dup2(nothing, 2)
            code = test(mutant)
        except BaseException:  # noqa: BLE001  # a fork must not go on as its parent
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)


def allow(seconds: float) -> None:
    """Let this process take that much more processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
