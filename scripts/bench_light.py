"""Measures what a verifier installs: the size of `pip install credanchor`, locked, and the time of its import.

In an environment of its own, from a wheel built here; the only part of the benchmark that needs the network.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from bench_common import ROOT, line

MAX_MEGABYTES = 40.0
MAX_SECONDS = 0.4
RUNS = 7

_IMPORT = """
import sys, time
started = time.perf_counter()
from anchor import verify
seconds = time.perf_counter() - started
wallet = sorted({"web3", "eth_account", "eth_abi", "sqlalchemy"} & sys.modules.keys())
print(seconds, *wallet)
"""


def measure_light() -> None:
    """Install what a verifier installs, and print its size and what its import takes."""
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as name:
        folder = Path(name)
        python = _install(folder)
        (packages,) = folder.glob("venv/lib/python3*/site-packages")
        size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file() and not path.is_symlink())
        seconds = min(_import(python) for _ in range(RUNS))
    print(f"\nwhat `pip install credanchor` brings, byte code included; import, best of {RUNS}")
    line("megabytes installed", f"{size / 1e6:.1f}", size / 1e6 < MAX_MEGABYTES, f"< {MAX_MEGABYTES:g}")
    line("from anchor import verify, seconds", f"{seconds:.2f}", seconds < MAX_SECONDS, f"< {MAX_SECONDS:g}")


def _install(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    # Without pip itself: what is measured is ours.
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    there = [*pip, "--python", python, "install", "--no-deps"]
    subprocess.run([*there, "--require-hashes", "-r", ROOT / "requirements" / "verifier.txt"], check=True)
    subprocess.run([*there, wheel], check=True)
    return python


def _import(python: Path) -> float:
    done = subprocess.run([python, "-I", "-c", _IMPORT], capture_output=True, text=True, check=True)
    seconds, *wallet = done.stdout.split()
    if wallet:
        sys.exit(f"the verifier imports {', '.join(wallet)}")
    return float(seconds)
