"""Measures `credanchor issue` as a whole process on a local testnet, and its parts beside the obvious way to do them.

The process counts from its start to its end, imports, key and disk included. Targets are those of issue 2.
"""

import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785

from anchor.canonical import canonicalize
from anchor.ledger.keys import KeyStore
from anchor.model import RegistryId, StatusPosition
from registry.services.credentials import CredentialFrame, CredentialValues, IssuerProfile, build_credential
from registry.services.template import CredentialTemplate

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "docs" / "examples"
PROGRAM = Path(sys.executable).with_name("credanchor")

MAX_SECONDS = 3.0
MAX_MEGABYTES = 250
MAX_GAS = 62_000
SAMPLES = 5_000

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


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before {load:.1f}")
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as folder:
        home = Path(folder) / "home"
        roster = write_roster(Path(folder) / "roster.csv", count)
        credanchor([PROGRAM], home, "dev", "up", "--port", "0")
        try:
            os.environ["BENCH_KEY"] = secret_of(home)
            apart = best_of(runs, [sys.executable, "-c", UNLOCKED], home, roster)
            whole = best_of(runs, [PROGRAM], home, roster)
        finally:
            credanchor([PROGRAM], home, "dev", "down")
        database = (home / "registry.db").stat().st_size / 2 / runs
    report(count, apart, whole, database)
    compare()


def secret_of(home: Path) -> str:
    """Unlock the testnet's anchoring key, which is good for nothing else."""
    signer = KeyStore(home / "keys").open("anchor", (home / "dev-passphrase").read_text().strip())
    return str(signer._account.key.hex())


def write_roster(path: Path, count: int) -> Path:
    """Write a roster with the names of the example, and an e-mail for everyone."""
    with (EXAMPLES / "roster-1000.csv").open(encoding="utf-8") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("name", "email"))
        rows.writerows((names[number % len(names)], f"learner.{number}@example.org") for number in range(count))
    return path


def credanchor(program: list[str | Path], home: Path, *arguments: str) -> dict[str, Any]:
    command = [*program, *arguments, "--home", home, "--json"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"credanchor {arguments[0]} failed: {done.stdout.decode()}{done.stderr.decode()}")
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def best_of(runs: int, program: list[str | Path], home: Path, roster: Path) -> dict[str, Any]:
    """Issue several times, each in a process of its own; give the quickest."""
    return min((issue(program, home, roster) for _ in range(runs)), key=lambda each: each["wall"])


def issue(program: list[str | Path], home: Path, roster: Path) -> dict[str, Any]:
    """Issue once; give what the program said, how long it ran and what memory it took."""
    arguments = ("issue", "--achievement", str(EXAMPLES / "achievement.json"), "--recipients", str(roster))
    reader, writer = os.pipe()
    # Forked, so that the peak memory of this one child can be told.
    child = os.fork()
    if child == 0:
        os.close(reader)
        started = time.perf_counter()
        content = credanchor(program, home, *arguments)
        wall = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        measured = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "megabytes": used.ru_maxrss / 1024}
        os.write(writer, json.dumps({**content, **measured}).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    result: dict[str, Any] = json.loads(answer)
    return result


def report(count: int, apart: dict[str, Any], whole: dict[str, Any], database: float) -> None:
    seconds, (batch,) = apart["seconds"], apart["batches"]
    gas = batch["transaction"]["gasUsed"]
    print(f"\nissue {count:,} credentials: the whole process, from a roster to anchored and stored")
    # The target is for 10,000; more of them take longer.
    quick = apart["wall"] < MAX_SECONDS if count <= 10_000 else None
    line("seconds", f"{apart['wall']:.2f}", quick, f"< {MAX_SECONDS:g}, key unlocking apart")
    for phase, what in PHASES.items():
        line(f"  {what}", f"{seconds[phase]:.2f}")
    line("  processor", f"{apart['cpu']:.2f}")
    line("peak memory, MB", f"{apart['megabytes']:.0f}", apart["megabytes"] < MAX_MEGABYTES, f"< {MAX_MEGABYTES}")
    line("gas", f"{gas:,}", gas <= MAX_GAS, f"≤ {MAX_GAS:,}; {gas / count:.1f} a credential")
    line("sealing a credential, µs", f"{seconds['seal'] / count * 1e6:.1f}")
    line("database, bytes a credential", f"{database / count:.0f}")
    print("the same with the key to be unlocked, as a person runs it")
    line("seconds", f"{whole['wall']:.2f}")
    line("  unlocking, beside the rest", f"{whole['seconds']['unlockKey']:.2f}")
    line("peak memory, MB", f"{whole['megabytes']:.0f}")


def compare() -> None:
    """Set the compiled canonical form beside building and canonicalising each credential, in this same run."""
    frame = CredentialFrame(
        achievement=json.loads((EXAMPLES / "achievement.json").read_bytes()),
        issuer=IssuerProfile(did="did:web:college.example", name="Collège Boréalis", url=None),
        registry=RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"),
        issuer_id=1,
        public_url="https://credentials.college.example",
        valid_from=1_780_000_000,
    )
    template = CredentialTemplate.compile(frame, has_email=True)
    size = len(template.fill(values_of(0)))
    print(f"\ncanonical bytes and hash of one credential ({size:,} bytes)")
    filled = each(lambda number: sha256(template.fill(values_of(number))).digest())
    line("filled into the compiled form, µs", f"{filled:.1f}")
    for name, encode in (("json.loads and rfc8785", again), ("built, then rfc8785", rfc8785.dumps)):
        took = each(lambda number, encode=encode: sha256(encode(build_credential(frame, values_of(number)))).digest())
        line(f"{name}, µs", f"{took:.1f}  {took / filled:.0f} times as long")
    if template.fill(values_of(7)) != canonicalize(build_credential(frame, values_of(7))):
        sys.exit("the two forms differ")


def again(credential: dict[str, Any]) -> bytes:
    return rfc8785.dumps(json.loads(json.dumps(credential)))


def values_of(number: int) -> CredentialValues:
    return CredentialValues(
        id=f"urn:uuid:00000000-0000-4000-8000-{number:012}",
        name="ᐊᓇ Tremblay-Lévesque",
        email=f"learner.{number}@example.org",
        email_salt="0123456789abcdef0123456789abcdef",
        position=StatusPosition(status_list=0, index=number),
    )


def each(work: Callable[[int], object]) -> float:
    """Give the microseconds that one call takes."""
    started = time.perf_counter()
    for number in range(SAMPLES):
        work(number)
    return (time.perf_counter() - started) / SAMPLES * 1e6


def line(what: str, value: str, good: bool | None = None, target: str = "") -> None:
    mark = "" if good is None else f"  {'✔' if good else '✘ MISSED'} {target}"
    print(f"  {what:<34}{value:>12}{mark}")


if __name__ == "__main__":
    main()
