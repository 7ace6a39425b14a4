"""The page's TypeScript, compiled once for whatever runs it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from filelock import FileLock

ROOT: Final = Path(__file__).parents[2]


@cache
def compile_page() -> None:
    """Compile it, as far as it has changed; one process at a time."""
    built = ROOT / "page" / "build"
    built.mkdir(exist_ok=True)
    with FileLock(built / ".lock"):
        subprocess.run([ROOT / "node_modules" / ".bin" / "tsc", "--build", ROOT / "page"], check=True)
