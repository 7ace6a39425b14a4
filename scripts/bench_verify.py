"""Measures verification: thousands of files of one batch, judged at one block on one core, evidence once fetched.

From the bytes of a file to its verdict: strict JSON, canonical bytes, leaf, inclusion, thirteen steps. Beside it, the
whole command, with its start, its imports, the node's answers and a report of all verdicts. Target of issue 4.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_common import EXAMPLES, PROGRAM, credanchor, line, write_roster

from anchor.cli.policies import load_policy
from anchor.credential import parse_credential
from anchor.ledger.client import clients_of
from anchor.ledger.collect import collect_evidence
from anchor.model import Outcome
from anchor.verify import Verifier

MAX_MICROSECONDS = 150.0
RUNS = 5


def measure_verify(count: int) -> None:
    """Issue on a testnet, verify what was issued, and print what a file takes."""
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as folder:
        home, files = Path(folder) / "home", Path(folder) / "issued"
        roster = write_roster(Path(folder) / "roster.csv", count)
        credanchor(home, "dev", "up", "--port", "0")
        try:
            arguments = ("--achievement", str(EXAMPLES / "achievement.json"), "--recipients", str(roster))
            credanchor(home, "issue", *arguments, "--out", str(files))
            measure(files, home / "policy.json")
        finally:
            credanchor(home, "dev", "down")


def measure(files: Path, policy_file: Path) -> None:
    whole = time_command(files, policy_file)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    documents = [path.read_bytes() for path in sorted(files.glob("*.json"))]
    count = len(documents)
    policy = load_policy(policy_file, None, None)
    credentials = [parse_credential(document) for document in documents]
    requests = [request for credential in credentials for request in credential.requests]
    evidence = collect_evidence(clients_of(policy), requests, policy)
    now = int(time.time())
    parse = judge = float("inf")
    for _ in range(RUNS):
        started = time.perf_counter()
        credentials = [parse_credential(document) for document in documents]
        parsed = time.perf_counter()
        verifier = Verifier(evidence, policy, now)
        verdicts = [verifier.verify(credential) for credential in credentials]
        ended = time.perf_counter()
        if any(verdict.outcome is not Outcome.VALID for verdict in verdicts):
            sys.exit("a credential just issued is not valid")
        if ended - started < parse + judge:
            parse, judge = parsed - started, ended - parsed
    each = (parse + judge) / count * 1e6
    size = sum(map(len, documents)) // count
    print(f"\nverify {count:,} files of {size:,} bytes, one batch, evidence shared; one core, best of {RUNS}")
    line("microseconds each", f"{each:.0f}", each <= MAX_MICROSECONDS, f"≤ {MAX_MICROSECONDS:g}")
    line("  parse, canonical bytes, leaf", f"{parse / count * 1e6:.0f}")
    line("  inclusion, steps, verdict", f"{judge / count * 1e6:.0f}")
    line("the whole command --json, seconds", f"{whole:.2f}")


def time_command(files: Path, policy_file: Path) -> float:
    command = [PROGRAM, "verify", files, "--policy", policy_file, "--json"]
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"credanchor verify ended with {done.returncode}")
    return time.perf_counter() - started
