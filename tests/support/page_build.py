"""The page's TypeScript, compiled once for whatever runs it, and run by Node."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

ROOT: Final = Path(__file__).parents[2]
_TIMEOUT_SECONDS: Final = 120


@cache
def compile_page() -> None:
    """Compile it, as far as it has changed; one process at a time."""
    built = ROOT / "page" / "build"
    built.mkdir(exist_ok=True)
    with FileLock(built / ".lock"):
        subprocess.run([ROOT / "node_modules" / ".bin" / "tsc", "--build", ROOT / "page"], check=True)


def run_page(program: Path, request: dict[str, Any]) -> Any:
    """Run a program that uses the page's code; give what it answers to a request, both JSON."""
    compile_page()
    done = subprocess.run(
        ["node", program],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
