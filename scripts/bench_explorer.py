"""The explorer: how soon a worker that is started again shows what is new, with a checkpoint and without."""

import os
import sys
import tempfile
from pathlib import Path

from bench_common import ROOT, line
from bench_run import Run, run

EVENTS = 100_000
MAX_RATIO = 0.1
"""Of the time that replaying all events takes."""


def measure_explorer(count: int) -> None:
    """Read a history that is made up, then start again twice."""
    print(f"the explorer's worker, {count:,} events that are made up, in SQLite:")
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as folder:
        first = _run(folder, "first", str(count))
        line("read, proven and shown (with making them up)", f"{first.content['seconds']:.1f} s")
        again, anew = _run(folder, "again"), _run(folder, "anew")
    ratio = again.content["seconds"] / anew.content["seconds"]
    line("started again, until it shows what is new", f"{again.content['seconds']:.2f} s")
    line("the same without its checkpoint", f"{anew.content['seconds']:.2f} s")
    line("  the first is of the second", f"{ratio:.1%}", ratio <= MAX_RATIO, f"≤ {MAX_RATIO:.0%}")
    line("reading again what was not read, afterwards", f"{again.content['afterwards']:.1f} s")
    for what, each in (("while reading", first), ("started again", again), ("without its checkpoint", anew)):
        if each.own_megabytes is not None:
            line(f"memory {what}", f"{each.own_megabytes:.0f} MB")


def _run(folder: str, *words: str) -> Run:
    program = ROOT / "scripts" / "bench_explorer_made_up.py"
    # What is made up is in the tests' support.
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return run([sys.executable, program, Path(folder), *words], {"PYTHONPATH": path})
