"""Measures reading proofs by HTTP, beside an empty route of the same web framework in the same server."""

import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from bench_common import ROOT, line, write_roster
from bench_run import run

from registry.services import operation
from registry.settings import settings_to_text
from registry.store.api_keys import Scope
from registry.store.batches import get_batch, iterate_credentials, move_batch
from registry.store.engine import open_store
from registry.store.records import BatchId, BatchState

MIN_RATIO = 0.5
MAX_P99_MILLISECONDS = 20.0
TURNS = 9
SECONDS = 2.0
STEADY_SECONDS = 8.0
ASKED = 2_000
"""Credentials whose proofs are asked for, here and there in the batch."""
NOW = 1_800_000_000


def measure_api(count: int) -> None:
    """Store a batch, serve it, and ask for proofs of it."""
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as name:
        home = Path(name)
        requests = _prepare(home, count)
        empty, proofs = ["GET / HTTP/1.1\r\nHost: bench\r\n\r\n"], requests
        with _server() as bare, _server(home) as ours:
            for port, asked in ((bare, empty), (ours, proofs)):
                _load(port, asked, SECONDS)
            # By turns, so that both are as often on a busy machine; what counts is how they compare within a turn.
            turns = [(_rate(bare, empty), _rate(ours, proofs)) for _ in range(TURNS)]
            bare_rate, rate = (statistics.median(rates) for rates in zip(*turns, strict=True))
            half = bare_rate * MIN_RATIO / 2
            control, steady = _load(bare, empty, STEADY_SECONDS, half), _load(ours, proofs, STEADY_SECONDS, half)
    ratio = statistics.median(ours / bare for bare, ours in turns)
    print(f"\nproofs by HTTP, {count:,} credentials stored, one process; median of {TURNS} turns")
    line("an empty FastAPI route, requests a second", f"{bare_rate:,.0f}")
    line("a proof, requests a second", f"{rate:,.0f}")
    line("  times that of the empty route", f"{ratio:.2f}", ratio >= MIN_RATIO, f"≥ {MIN_RATIO:g}")
    p99 = steady["p99Ms"]
    line(f"99 of 100 within, ms, at {half:,.0f} a second", f"{p99:.1f}", p99 < MAX_P99_MILLISECONDS, "< 20")
    line("  half of them within, ms", f"{steady['medianMs']:.1f}")
    line("  99 of 100 of the empty route, ms, then", f"{control['p99Ms']:.1f}")


def _rate(port: int, requests: list[str]) -> float:
    return float(_load(port, requests, SECONDS)["perSecond"])


def _prepare(home: Path, count: int) -> list[str]:
    roster, database = write_roster(home / "roster.csv", count), home / "registry.db"
    sealed = run([sys.executable, ROOT / "scripts" / "bench_seal.py", roster, database]).content
    roster.unlink()
    store = open_store(f"sqlite:///{database}")
    with store.writing() as connection:
        batch = get_batch(connection, BatchId(sealed["batch"]))
        move_batch(connection, batch, BatchState.ANCHORED, anchored_at=NOW)
        kept = islice(iterate_credentials(connection, batch.id), 0, None, max(1, count // ASKED))
        ids = [str(each.uuid) for each in kept]
    settings = {
        "rpc_url": "http://127.0.0.1:9",
        "registry": batch.issuer.registry.to_text(),
        "public_url": "https://credentials.college.example",
        "database_url": f"sqlite:///{database}",
    }
    (home / "settings.toml").write_text(settings_to_text(settings) + "[service]\nkey_per_minute = 0\n", "utf-8")
    key = operation.make_key(store, "home", {Scope.READ}, label="bench", expires_at=None, now=NOW)[1]
    store.close()
    random.Random(1).shuffle(ids)  # noqa: S311 - any order does
    head = f"HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n"
    return [f"GET /v1/credentials/{each}/proof {head}" for each in ids]


@contextmanager
def _server(*arguments: Path) -> Iterator[int]:
    command = [sys.executable, ROOT / "scripts" / "bench_api_server.py", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            said = cast(IO[str], server.stderr)  # there, for it is piped
            address = said.readline()
            if not address.startswith("http"):
                sys.exit(f"the server did not start: {address}{said.read()}")
            yield int(address.rpartition(":")[2])
        finally:
            server.terminate()


def _load(port: int, requests: list[str], seconds: float, rate: float | None = None) -> dict[str, Any]:
    command = [sys.executable, ROOT / "scripts" / "bench_load.py", port, seconds, *([] if rate is None else [rate])]
    done = subprocess.run([*map(str, command)], input=json.dumps(requests), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"asking failed: {done.stderr}")
    content: dict[str, Any] = json.loads(done.stdout)
    return content
