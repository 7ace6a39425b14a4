"""Measures `credanchor issue` as a whole process on a local testnet: imports, key, disk and transaction included."""

import sys
import tempfile
from pathlib import Path

from bench_common import EXAMPLES, PROGRAM, credanchor, line, write_roster
from bench_run import Run, run

from anchor.ledger.keys import KeyStore

COUNT = 10_000
RUNS = 3
MAX_SECONDS = 3.0
MAX_MEGABYTES = 250
MAX_GAS = 62_000

PHASES = {
    "read": "read and check the files",
    "load": "load what talks to the ledger",
    "check": "ask the node before sealing",
    "seal": "seal",
    "anchor": "send, wait, note",
}
"""Of the command's own report; the rest is Python's start."""

UNLOCKED = """
import os, sys
from anchor.cli.main import run
from anchor.ledger import keys
from eth_account import Account

keys.KeyStore.open = lambda *_arguments: keys.Signer(Account.from_key(os.environ["BENCH_KEY"]))
sys.exit(run(sys.argv[1:]))
"""
"""The program with a key unlocked already: scrypt takes its second and 256 MB on purpose, and is told apart."""


def measure_whole() -> None:
    """Issue several times, with the key unlocked and as a person runs it, and print the quickest of each."""
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as folder:
        home = Path(folder) / "home"
        roster = write_roster(Path(folder) / "roster.csv", COUNT)
        credanchor(home, "dev", "up", "--port", "0")
        try:
            secret = {"BENCH_KEY": secret_of(home)}
            apart = best_of([sys.executable, "-c", UNLOCKED], home, roster, secret)
            whole = best_of([PROGRAM], home, roster)
        finally:
            credanchor(home, "dev", "down")
    report(apart, whole)


def secret_of(home: Path) -> str:
    """Unlock the testnet's anchoring key, which is good for nothing else."""
    signer = KeyStore(home / "keys").open("anchor", (home / "dev-passphrase").read_text().strip())
    return str(signer._account.key.hex())


def best_of(program: list[str | Path], home: Path, roster: Path, environment: dict[str, str] | None = None) -> Run:
    arguments = ("--achievement", EXAMPLES / "achievement.json", "--recipients", roster, "--home", home)
    command = [*program, "issue", *arguments, "--again", "--json"]
    return min((run(command, environment) for _ in range(RUNS)), key=lambda each: each.wall)


def report(apart: Run, whole: Run) -> None:
    seconds, (batch,) = apart.content["seconds"], apart.content["batches"]
    gas = batch["transaction"]["gasUsed"]
    print(f"\n`credanchor issue`, {COUNT:,}: the whole process, from a roster to anchored and stored; best of {RUNS}")
    line("seconds", f"{apart.wall:.2f}", apart.wall < MAX_SECONDS, f"< {MAX_SECONDS:g}, key unlocking apart")
    for phase, what in PHASES.items():
        line(f"  {what}", f"{seconds[phase]:.2f}")
    line("  processor", f"{apart.cpu:.2f}")
    report_memory(apart, MAX_MEGABYTES)
    line("gas", f"{gas:,}", gas <= MAX_GAS, f"≤ {MAX_GAS:,}; {gas / COUNT:.1f} a credential")
    print("the same with the key to be unlocked, as a person runs it")
    line("seconds", f"{whole.wall:.2f}")
    line("  unlocking, beside the rest", f"{whole.content['seconds']['unlockKey']:.2f}")
    report_memory(whole, None)


def report_memory(done: Run, wanted: int | None) -> None:
    if done.megabytes is not None:
        good = None if wanted is None else done.megabytes < wanted
        line("memory, MB", f"{done.megabytes:.0f}", good, f"< {wanted}")
