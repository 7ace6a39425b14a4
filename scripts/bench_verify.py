"""Measures verification: thousands of files of one batch, judged at one block on one core, evidence once fetched.

From the bytes of a file to its verdict: strict JSON, canonical bytes, leaf, inclusion, thirteen steps. Beside it, the
whole command, with its start, its imports, the node's answers and a report of all verdicts; and two peers, who judge
credentials of the same content on the same core.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_common import EXAMPLES, PROGRAM, credanchor, line, write_roster
from bench_peers import OPENATTESTATION_ISSUER, PEERS, measure_peer

from anchor.cli.policies import load_policy
from anchor.credential import parse_credential
from anchor.evidence import Evidence
from anchor.ledger.client import clients_of
from anchor.ledger.collect import collect_evidence
from anchor.model import Outcome, Policy
from anchor.verify import Verifier

MAX_MICROSECONDS = 120.0
RUNS = 7
SLICE = 250
DATA_INTEGRITY_COUNT = 200
OPENATTESTATION_COUNT = 1_000


@dataclass(slots=True)
class Took:
    """Seconds of processor time: on one core that is the time there is, whatever else runs on a busy machine."""

    parse: float = 0.0
    judge: float = 0.0
    wall: float = 0.0
    """Seconds by the clock, for both."""

    @property
    def both(self) -> float:
        """Of processor time, for both."""
        return self.parse + self.judge


def measure_verify(count: int, *, peers: bool) -> None:
    """Issue on a testnet, verify what was issued, and print what a file takes, beside what it takes peers."""
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as folder:
        home, files = Path(folder) / "home", Path(folder) / "issued"
        roster = write_roster(Path(folder) / "roster.csv", count)
        credanchor(home, "dev", "up", "--port", "0")
        try:
            arguments = ("--achievement", str(EXAMPLES / "achievement.json"), "--recipients", str(roster))
            credanchor(home, "issue", *arguments, "--out", str(files))
            measure(files, home / "policy.json", peers=peers)
        finally:
            credanchor(home, "dev", "down")


def measure(files: Path, policy_file: Path, *, peers: bool) -> None:
    whole = time_command(files, policy_file)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    documents = [path.read_bytes() for path in sorted(files.glob("*.json"))]
    count = len(documents)
    policy = load_policy(policy_file, None, None)
    # They stay in memory, as when thousands of files are judged at one block.
    credentials = [parse_credential(document) for document in documents]
    requests = [request for credential in credentials for request in credential.requests]
    evidence = collect_evidence(clients_of(policy), requests, policy)
    took = Took()
    for start in range(0, count, SLICE):
        best = quickest(documents[start : start + SLICE], evidence, policy)
        took.parse, took.judge, took.wall = took.parse + best.parse, took.judge + best.judge, took.wall + best.wall
    each = took.both / count * 1e6
    size = sum(map(len, documents)) // count
    print(f"\nverify {count:,} files of {size:,} bytes, one batch, evidence shared; one core")
    print(f"processor time; {SLICE} files after {SLICE} files, each time the best of {RUNS}")
    line("microseconds each", f"{each:.0f}", each <= MAX_MICROSECONDS, f"≤ {MAX_MICROSECONDS:g}")
    line("  parse, canonical bytes", f"{took.parse / count * 1e6:.0f}")
    line("  leaf, inclusion, steps, verdict", f"{took.judge / count * 1e6:.0f}")
    line("  by the clock", f"{took.wall / count * 1e6:.0f}")
    line("the whole command --json, seconds", f"{whole:.2f}")
    if peers:
        compare_with_peers(documents, each)


def quickest(documents: Sequence[bytes], evidence: Evidence, policy: Policy) -> Took:
    """Verify these files several times, and give what they took the quickest time."""
    best = Took(parse=float("inf"))
    now = int(time.time())
    for _ in range(RUNS):
        verifier = Verifier(evidence, policy, now)
        clock, started = time.perf_counter(), time.process_time()
        credentials = [parse_credential(document) for document in documents]
        parsed = time.process_time()
        verdicts = [verifier.verify(credential) for credential in credentials]
        ended, wall = time.process_time(), time.perf_counter() - clock
        if any(verdict.outcome is not Outcome.VALID for verdict in verdicts):
            sys.exit("a credential just issued is not valid")
        best = min(best, Took(parse=parsed - started, judge=ended - parsed, wall=wall), key=lambda took: took.both)
    return best


def compare_with_peers(documents: Sequence[bytes], each: float) -> None:
    """Let peers verify what these files say, and print how many times as long they take."""
    contents = [json.loads(document) for document in documents[:OPENATTESTATION_COUNT]]
    for content in contents:
        del content["proof"]
    data_integrity = measure_peer(["node", PEERS / "digitalbazaar.mjs"], contents[:DATA_INTEGRITY_COUNT])
    openattestation = measure_peer(
        ["node", PEERS / "openattestation.cjs", "verify"],
        [{**content, "issuers": [OPENATTESTATION_ISSUER]} for content in contents],
    )
    print("\nbeside peers, microseconds of processor time to verify a credential of the same content, on the same core")
    line("credanchor, file to verdict", f"{each:,.0f}")
    for name, peer in {
        f"@digitalbazaar/vc {data_integrity.version}, eddsa-rdfc-2022": data_integrity,
        f"tradetrust {openattestation.version}, OpenAttestation v2": openattestation,
    }.items():
        line(name, f"{peer.cpu_each:,.0f}")
        line("  ours is as many times as fast", f"{peer.cpu_each / each:,.1f}")
    print("  The peers ask no chain and no status list; keys and contexts are at hand.")


def time_command(files: Path, policy_file: Path) -> float:
    command = [PROGRAM, "verify", files, "--policy", policy_file, "--json"]
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"credanchor verify ended with {done.returncode}")
    return time.perf_counter() - started
