"""Measures issuing by API against `credanchor issue` on the same roster, in the same run, and the service's memory."""

import json
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from bench_common import EXAMPLES, PROGRAM, credanchor, line, write_roster
from bench_run import SAMPLE_SECONDS, Watch, run

COUNTS = (10_000, 100_000)
MILLION = 1_000_000
MAX_RATIO = 1.3
RATIO_FROM = 100_000
"""Credentials; with fewer, starting the program weighs more than issuing."""
MAX_GROWTH = 1.2
"""As `bench issue` has it for ten times as many: who stands in a roster twice takes 16 bytes for each."""
RUNS = 3
POLL_SECONDS = 0.05
ACHIEVEMENT = "benchmark-code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A service that runs."""

    address: str
    key: str
    pid: int


def measure_api_issue(*, million: bool) -> None:
    """Issue rosters of several sizes both ways, in a home folder of their own, and print times and memory."""
    memory: dict[int, float] = {}
    for count in (*COUNTS, *((MILLION,) if million else ())):
        with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as folder:
            memory[count] = compare(Path(folder), count, runs=1 if count == MILLION else RUNS)
    fewest, *others = memory
    for count in others:
        growth = memory[count] / memory[fewest]
        line(f"memory, times that for {fewest:,}: {count:,}", f"{growth:.2f}")
    if million:
        growth = memory[MILLION] / memory[RATIO_FROM]
        line(f"memory, times that for {RATIO_FROM:,}", f"{growth:.2f}", growth <= MAX_GROWTH, f"≤ {MAX_GROWTH:g}: flat")


def compare(folder: Path, count: int, runs: int) -> float:
    """Issue one roster by turns, by the command and by API; give the service's memory at its peak, in MB."""
    home = folder / "home"
    roster = write_roster(folder / "roster.csv", count)
    credanchor(home, "dev", "up", "--port", "0")
    try:
        credanchor(home, "achievement", "add", str(EXAMPLES / "achievement.json"), "--code", ACHIEVEMENT)
        commands: list[float] = []
        services: list[float] = []
        peaks: list[float] = []
        for _ in range(runs):
            commands.append(by_command(home, roster))
            with serving(home) as served:
                # What every institution's first job waits for, once: the key is unlocked.
                by_api(served, b"name\nSomebody\n")
                with watching(served.pid) as peak:
                    services.append(by_api(served, roster.read_bytes()))
                peaks.append(peak[0])
    finally:
        credanchor(home, "dev", "down")
    command, service = min(commands), min(services)
    ratio = service / command
    print(f"\nissue {count:,} from a roster to mined: by API and by the command, by turns; best of {runs}")
    line("by `credanchor issue`, seconds", f"{command:.2f}")
    good = ratio <= MAX_RATIO if count >= RATIO_FROM else None
    line("by API, from the request to mined, seconds", f"{service:.2f}")
    line("times as long", f"{ratio:.2f}", good, f"≤ {MAX_RATIO:g}")
    line("memory of the service and its helpers, MB", f"{max(peaks):.0f}")
    return max(peaks)


def by_command(home: Path, roster: Path) -> float:
    """Give the seconds that the command takes, as a person runs it."""
    options = ("--achievement", ACHIEVEMENT, "--recipients", roster, "--home", home)
    return run([PROGRAM, "issue", *options, "--again", "--json"]).wall


def by_api(served: Served, content: bytes) -> float:
    """Give the seconds from the upload's first byte until the job is seen mined or final."""
    headers = {"Authorization": f"Bearer {served.key}"}
    started = time.perf_counter()
    with httpx2.Client(base_url=served.address, headers=headers, timeout=600) as client:
        answer = client.post(
            f"/v1/batches?achievement={ACHIEVEMENT}&again=true", content=content, headers={"Content-Type": "text/csv"}
        )
        answer.raise_for_status()
        while True:
            job: dict[str, Any] = client.get(answer.headers["location"]).json()
            if job["state"] in {"mined", "final"}:
                return time.perf_counter() - started
            if job["state"] == "failed" or job["failure"]:
                raise SystemExit(f"the service failed: {json.dumps(job)}")
            time.sleep(POLL_SECONDS)


@contextmanager
def serving(home: Path) -> Iterator[Served]:
    """Run the service as an operator does, its workers within."""
    scopes = ("--scope", "read", "--scope", "issue")
    key = credanchor(home, "api-key", "new", "--institution", "home", *scopes)["secret"]
    command = [PROGRAM, "serve", "--home", home, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None  # noqa: S101 - it is piped
        found = next(filter(None, (re.search(r"serving at (http://\S+);", each) for each in process.stderr)))
        try:
            yield Served(address=found[1], key=key, pid=process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()


@contextmanager
def watching(pid: int) -> Iterator[list[float]]:
    """Follow the memory of a process and of what it starts; the list has the most, in MB, afterwards."""
    watch, stop, peak = Watch(pid), threading.Event(), [0.0]

    def follow() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            watch.look()

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
        peak[0] = watch.together / 1024
