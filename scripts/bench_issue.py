"""Measures issuing without a ledger: a roster to a durable store with anchor proofs ready, memory, and one proof."""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import rfc8785
from bench_common import ROOT, example_frame, example_values, line, write_roster
from bench_run import Run, run

from anchor.canonical import canonicalize
from registry.services.credentials import build_credential
from registry.services.stored import credential_file
from registry.services.template import CredentialTemplate, shape_of
from registry.store.batches import get_batch, iterate_credentials, prove
from registry.store.engine import open_store
from registry.store.records import BatchId

MILLION = 1_000_000
TARGET_FROM = 100_000
"""Credentials; with fewer, starting the helpers weighs too much."""
MAX_MICROSECONDS = 25.0
MAX_MEGABYTES = 300
MAX_GROWTH = 1.2
"""For ten times as many: finding who stands in a roster twice takes 16 bytes for each."""
MAX_PROOF_MICROSECONDS = 1_000.0
RUNS = 3
PROOFS = 1_000
SAMPLES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The quickest of several runs."""

    count: int
    best: Run
    megabytes: float | None
    """The most of all runs."""
    database: Path
    """Of the last run."""

    @property
    def each(self) -> float:
        """Microseconds for a credential."""
        return seconds_of(self.best) / self.count * 1e6

    @property
    def cpu_each(self) -> float:
        """Microseconds of processor time for a credential, the helpers' too."""
        return float(self.best.content["cpu"]) / self.count * 1e6


def seconds_of(run: Run) -> float:
    return float(run.content["read"] + run.content["seal"])


def issue(folder: Path, count: int, runs: int = RUNS) -> Issued:
    """Issue several times, each in a process and into a database of its own, and print what it took."""
    roster = write_roster(folder / f"roster-{count}.csv", count)
    databases = [folder / f"{count}-{number}.db" for number in range(runs)]
    done = [run([sys.executable, ROOT / "scripts" / "bench_seal.py", roster, database]) for database in databases]
    peaks = [each.megabytes for each in done if each.megabytes is not None]
    issued = Issued(
        count=count,
        best=min(done, key=seconds_of),
        megabytes=max(peaks, default=None),
        database=databases[-1],
    )
    report(issued, runs)
    for database in databases[:-1]:
        database.unlink()
    return issued


def report(issued: Issued, runs: int) -> None:
    count, best = issued.count, issued.best
    counts = count >= TARGET_FROM
    print(f"\nissue {count:,} credentials, roster to durable store, anchor proofs ready; best of {runs}")
    good = issued.each <= MAX_MICROSECONDS if counts else None
    line("microseconds each", f"{issued.each:.1f}", good, f"≤ {MAX_MICROSECONDS:g} on 2 cores")
    line("  read and check the roster", f"{best.content['read'] / count * 1e6:.1f}")
    line("  fill in, hash, tree, store", f"{best.content['seal'] / count * 1e6:.1f}")
    line("  processor time, the helpers' too", f"{issued.cpu_each:.1f}")
    if issued.megabytes is None:
        line("memory", "not known", None)
    else:
        good = issued.megabytes < MAX_MEGABYTES
        line("memory of it and its helpers, MB", f"{issued.megabytes:.0f}", good, f"< {MAX_MEGABYTES}")
        line("  of itself, at its peak", f"{best.own_megabytes:.0f}")
    line("database, bytes a credential", f"{issued.database.stat().st_size / count:.0f}")


def report_growth(fewer: Issued, more: Issued) -> None:
    if fewer.megabytes is None or more.megabytes is None:
        return
    growth = more.megabytes / fewer.megabytes
    target = f"≤ {MAX_GROWTH:g}: flat"
    line(f"memory, times that for {fewer.count:,}", f"{growth:.2f}", growth <= MAX_GROWTH, target)


def measure_proofs(issued: Issued) -> None:
    """Take single proofs from the store, here and there in the batch, and whole files."""
    store = open_store(f"sqlite:///{issued.database}")
    with store.reading() as connection:
        batch = get_batch(connection, BatchId(issued.best.content["batch"]))
        credentials = list(islice(iterate_credentials(connection, batch.id), PROOFS))
    places = random.Random(1).choices(range(batch.size), k=PROOFS)  # noqa: S311 - any places do

    def take_proof(number: int) -> None:
        with store.reading() as connection:
            prove(connection, batch, places[number])

    def take_file(number: int) -> None:
        with store.reading() as connection:
            credential_file(connection, batch, credentials[number])

    proofs, files = times_of(take_proof, PROOFS), times_of(take_file, len(credentials))
    store.close()
    median = statistics.median(proofs)
    print(f"\none credential's proof from the store of {batch.size:,}, each in a transaction of its own")
    line("microseconds", f"{median:.0f}", median <= MAX_PROOF_MICROSECONDS, f"≤ {MAX_PROOF_MICROSECONDS:,g}, median")
    line("  one in a hundred takes longer than", f"{statistics.quantiles(proofs, n=100)[-1]:.0f}")
    line("the whole file, checked, microseconds", f"{statistics.median(files):.0f}")


def times_of(work: Callable[[int], object], count: int) -> list[float]:
    """Give the microseconds that each call takes."""
    times = []
    for number in range(count):
        started = time.perf_counter()
        work(number)
        times.append((time.perf_counter() - started) * 1e6)
    return times


def compare_forms() -> None:
    """Set the compiled canonical form beside building and canonicalising each credential, in this same run."""
    frame = example_frame()
    template = CredentialTemplate.compile(frame, shape_of(example_values(0).recipient))
    size = len(template.fill(example_values(0)))
    print(f"\ncanonical bytes and hash of one credential ({size:,} bytes)")
    filled = each(lambda number: template.fill(example_values(number)))
    line("filled into the compiled form, microseconds", f"{filled:.1f}")
    for name, encode in (("json.loads and rfc8785", again), ("built, then rfc8785", rfc8785.dumps)):
        took = each(lambda number, encode=encode: encode(build_credential(frame, example_values(number))))
        line(f"{name}, microseconds", f"{took:.1f}", None)
        line("  times as long", f"{took / filled:.0f}")
    if template.fill(example_values(7)) != canonicalize(build_credential(frame, example_values(7))):
        sys.exit("the two forms differ")


def again(credential: dict[str, Any]) -> bytes:
    return rfc8785.dumps(json.loads(json.dumps(credential)))


def each(encode: Callable[[int], bytes]) -> float:
    """Give the microseconds that encoding and hashing one credential takes."""
    started = time.perf_counter()
    for number in range(SAMPLES):
        sha256(encode(number)).digest()
    return (time.perf_counter() - started) / SAMPLES * 1e6
