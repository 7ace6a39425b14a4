"""A pseudo terminal with the program in it, as a person sits before it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

SECONDS: Final = 60
"""How long to wait for words before the test fails: for a machine under load, not for the program."""

# Opening it in a session of its own makes it the controlling terminal, so that Ctrl-C becomes a signal. A test run in a
# shell's background ignores that signal, and what it starts would, too.
_PROGRAM: Final = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.close(os.open(os.ttyname(0), os.O_RDWR))
from anchor.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@dataclass
class Terminal:
    """The program with these arguments, in a folder; used as a context."""

    folder: Path
    arguments: tuple[str, ...]
    shown: str = ""
    _place: int = 0
    _end: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        self._end, far = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *self.arguments],
            stdin=far,
            stdout=far,
            stderr=far,
            cwd=self.folder,
            env={**os.environ, "TERM": "dumb", "COLUMNS": "400"},
            start_new_session=True,
        )
        os.close(far)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        os.close(self._end)
        self._process.kill()
        self._process.wait()

    def until(self, words: str) -> None:
        """Wait for words after those that were waited for before."""
        while (at := self.shown.find(words, self._place)) < 0:
            if not self._read():
                raise AssertionError(f"{words!r} never came after: {self.shown[self._place :]!r}")
        self._place = at + len(words)

    def type(self, text: str) -> None:
        """Type something; a line ends with \\n, Ctrl-C is \\x03."""
        os.write(self._end, text.encode())

    def exit_code(self) -> int:
        """Wait for the program's end."""
        while self._read():
            pass
        return self._process.wait(SECONDS)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._end], [], [], SECONDS)
        assert ready, f"nothing came for {SECONDS} s after: {self.shown!r}"
        try:
            data = os.read(self._end, 4096)
        except OSError:  # the other end is closed
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)
