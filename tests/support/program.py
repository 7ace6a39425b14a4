"""The program, run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from anchor.cli.main import run


@dataclass(kw_only=True)
class Program:
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Run the program; give its exit code, and what it printed to standard output and standard error."""
        self.capsys.readouterr()
        code = run([str(each) for each in arguments])
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out, printed.err

    def run_json(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        code, out, _ = self.run(*arguments, "--json")
        return code, json.loads(out)
