"""What the parts of the benchmark share: what is issued, to whom, and how a figure is printed beside its target."""

import csv
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from anchor.model import RegistryId, StatusPosition
from registry.services.credentials import CredentialFrame, CredentialValues, IssuerProfile
from registry.services.recipient import Recipient

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "docs" / "examples"
PROGRAM = Path(sys.executable).with_name("credanchor")


def print_machine() -> None:
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before {load:.1f}")


def line(what: str, value: str, good: bool | None = None, target: str = "") -> None:
    """Print a figure and, if it has a target, whether it is reached."""
    mark = "" if good is None else f"  {'✔' if good else '✘ MISSED'} {target}"
    print(f"  {what:<46}{value:>12}{mark}", flush=True)


def example_frame() -> CredentialFrame:
    """Give what all credentials have in common: the example achievement."""
    return CredentialFrame(
        achievement=json.loads((EXAMPLES / "achievement.json").read_bytes()),
        issuer=IssuerProfile(did="did:web:college.example", name="Collège Boréalis", url=None),
        registry=RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"),
        issuer_id=1,
        public_url="https://credentials.college.example",
        valid_from=1_780_000_000,
    )


def example_values(number: int) -> CredentialValues:
    """Give what is the numbered credential's own."""
    return CredentialValues(
        id=f"urn:uuid:00000000-0000-4000-8000-{number:012}",
        recipient=Recipient("ᐊᓇ Tremblay-Lévesque", f"learner.{number}@example.org"),
        email_salt="0123456789abcdef0123456789abcdef",
        position=StatusPosition(status_list=0, index=number),
    )


def write_roster(path: Path, count: int) -> Path:
    """Write a roster with the names of the example, and an e-mail for everyone."""
    with (EXAMPLES / "roster-1000.csv").open(encoding="utf-8") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("name", "email"))
        rows.writerows((names[number % len(names)], f"learner.{number}@example.org") for number in range(count))
    return path


def credanchor(home: Path, *arguments: str) -> dict[str, Any]:
    """Run the program, and give what it says."""
    done = subprocess.run([PROGRAM, *arguments, "--home", home, "--json"], capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"credanchor {arguments[0]} failed: {done.stdout.decode()}{done.stderr.decode()}")
    content: dict[str, Any] = json.loads(done.stdout)
    return content
