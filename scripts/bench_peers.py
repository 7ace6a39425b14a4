"""Sets our speed of issuing beside that of two peers, measured in the same run with credentials of the same content.

cert-issuer (Blockcerts v3): whole credentials, proofs of a mock chain. TradeTrust: OpenAttestation v2, wrapping. Each
does what it does in memory and on one core; ours goes from a roster to a durable database, on all of them.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_common import ROOT, example_frame, example_values, line
from bench_issue import RUNS, TARGET_FROM, Issued
from bench_run import run

from registry.services.credentials import build_credential

BLOCKCERTS_COUNT = 300
OPENATTESTATION_COUNT = 1_000
MIN_TIMES_BLOCKCERTS = 200
MIN_TIMES_OPENATTESTATION = 20

PEERS = ROOT / "scripts" / "peers"
PYTHON = ROOT / ".venv-peers" / "bin" / "python"

# Blockcerts brings no context of Open Badges 3.0: its members get names by a vocabulary, so that all of them count.
BLOCKCERTS_CONTEXT = [
    "https://www.w3.org/ns/credentials/v2",
    {"@vocab": "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"},
    "https://w3id.org/blockcerts/v3.2",
]
OPENATTESTATION_ISSUER = {
    "name": "Collège Boréalis",
    "documentStore": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    "identityProof": {"type": "DNS-TXT", "location": "college.example"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What a peer's quickest run took."""

    version: str
    count: int
    each: float
    """Microseconds for a credential."""
    cpu_each: float
    """Of processor time."""


def install_peers() -> bool:
    """Install what is measured beside us, and tell whether that went well."""
    return subprocess.run([ROOT / "scripts" / "setup", "peers"], check=False).returncode == 0


def measure_peers(ours: Issued) -> None:
    """Measure both peers, and print what a credential takes beside what ours took."""
    frame = example_frame()
    credentials = [build_credential(frame, example_values(number)) for number in range(OPENATTESTATION_COUNT)]
    blockcerts = measure_peer(
        [PYTHON, PEERS / "blockcerts.py"],
        [{**credential, "@context": BLOCKCERTS_CONTEXT} for credential in credentials[:BLOCKCERTS_COUNT]],
    )
    openattestation = measure_peer(
        ["node", PEERS / "openattestation.cjs", "wrap"],
        [{**credential, "issuers": [OPENATTESTATION_ISSUER]} for credential in credentials],
    )
    print("\nbeside peers, microseconds for a credential of the same content (in brackets: of processor time)")
    line(f"credanchor, {ours.count:,}, roster to store", f"{ours.each:,.1f}")
    line("", f"({ours.cpu_each:,.1f})")
    name = f"cert-issuer {blockcerts.version}, {blockcerts.count:,}, mock chain"
    compare(name, blockcerts, ours, MIN_TIMES_BLOCKCERTS)
    name = f"tradetrust {openattestation.version}, {openattestation.count:,}, v2 wrap"
    compare(name, openattestation, ours, MIN_TIMES_OPENATTESTATION)
    print("  The peers keep nothing and use one core. Of cert-issuer its in-memory way is measured, for its files need")
    print("  glob2 0.6, which Python 3.11 cannot run; loading, settings and contexts are not counted for either.")


def measure_peer(command: list[str | Path], documents: list[dict[str, Any]]) -> Peer:
    """Run a peer as often as ours is run; give what its quickest run printed."""
    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as folder:
        file = Path(folder) / "documents.json"
        file.write_text(json.dumps(documents), encoding="utf-8")
        contents = [run([*command, file]).content for _ in range(RUNS)]
    best = min(contents, key=lambda content: float(content["seconds"]))
    each, cpu_each = (best[what] / best["count"] * 1e6 for what in ("seconds", "cpu"))
    return Peer(version=best["version"], count=best["count"], each=each, cpu_each=cpu_each)


def compare(name: str, peer: Peer, ours: Issued, wanted: int) -> None:
    times = peer.each / ours.each
    good = times >= wanted if ours.count >= TARGET_FROM else None
    line(name, f"{peer.each:,.0f}")
    line("", f"({peer.cpu_each:,.0f})")
    line("  ours is as many times as fast", f"{times:,.0f}", good, f"≥ {wanted}")
    line("  in processor time", f"({peer.cpu_each / ours.cpu_each:,.0f})")
