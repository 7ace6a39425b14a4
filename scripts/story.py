"""The story that scripts/demo tells. Every line that starts with `$` is the command as you would type it.

All commands run in this one process, which saves each the half second that it takes to start. Each must end as the
story says, with the right exit code, or the demo fails.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

from rich.console import Console

from anchor.cli.main import run

ROOT = Path(__file__).resolve().parents[1]
PLACE = Path("build/demo")
EXAMPLES = Path("docs/examples")
console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Tell the story; the exit code is 0 only if all of it went as told."""
    os.chdir(ROOT)
    started = time.monotonic()
    os.environ["CREDANCHOR_HOME"] = str(PLACE / "home")
    if (PLACE / "home").exists():
        run(["dev", "down"])
    shutil.rmtree(PLACE, ignore_errors=True)
    try:
        tell()
    finally:
        run(["dev", "down"])
    console.print(f"\n[bold]All of it went as told, in {time.monotonic() - started:.0f} s.[/] Files: {PLACE}/")
    return 0


def tell() -> None:
    issued = PLACE / "issued"
    say("A local Ethereum testnet, with a registry contract and an accredited issuer.")
    credanchor("dev", "up", "--port", "8645")

    say("A roster of 1,000 learners becomes one batch: one root, one transaction, one file for each learner.")
    issue("achievement.json", "roster-1000.csv", issued)
    files = sorted(issued.glob("*.json"))
    expect(len(files) == 1000, f"1,000 files, found {len(files)}")
    first, second, third = (str(path) for path in files[:3])

    say("An employer checks one of them. Nothing is asked of the issuer; the node is believed for the block hash only.")
    credanchor("verify", first)

    say("She keeps the proof with it, and notes which block it rests on.")
    bundle, known = str(PLACE / "badge.bundle.json"), str(PLACE / "known-blocks.json")
    credanchor("bundle", first, "--out", bundle)
    credanchor("known-blocks", "add", bundle, "--to", known)

    say("Who wants to install nothing opens this page, which checks in the browser and sends the file nowhere.")
    credanchor("page", "--out", str(PLACE / "verify.html"))

    say("Somebody improves his copy by one letter.")
    document = json.loads(Path(first).read_text())
    document["name"] = document["name"].replace("a", "o", 1)
    tampered = PLACE / "tampered.json"
    tampered.write_text(json.dumps(document, ensure_ascii=False))
    credanchor("verify", str(tampered), exits=1)

    say("The institution revokes one credential, and suspends another until a fee is paid.")
    credanchor("revoke", second, "--reason", "issued-in-error")
    credanchor("verify", second, exits=1)
    credanchor("suspend", third, "--reason", "other")
    credanchor("verify", third, exits=1)
    credanchor("reinstate", third, "--reason", "other")

    say("The Open Badges 3.0 specification's own full example, as an achievement, goes out to five learners.")
    issue("full-achievement.json", "roster-5.csv", PLACE / "issued-full")
    credanchor("verify", str(PLACE / "issued-full"))

    say("The institution loses its database. Its learners lose nothing.")
    for path in (PLACE / "home").glob("*.db*"):
        path.unlink()
    console.print(f"[bold cyan]$ rm {PLACE}/home/*.db[/]")
    counts = verify_all(issued)
    whole = {"valid": 999, "invalid": 1, "unknown": 0, "malformed": 0}
    expect(counts == whole, f"999 valid and 1 revoked, got {counts}")
    console.print(f"{counts['valid']} valid, {counts['invalid']} not valid: the one that was revoked.")

    say("The ledger cannot be reached. Then nothing is known, and nothing is claimed.")
    credanchor("dev", "down")
    credanchor("verify", first, exits=3)

    say("The employer's bundle says what was so at the block that she noted. It needs nobody.")
    credanchor("verify", bundle, "--known-blocks", known)

    say("It comes back with all it held. An auditor reads the whole history, and proves that it is whole.")
    credanchor("dev", "up")
    credanchor("audit")

    say("For those who decide, the same as a report: what happened, why and by whom, and what proves that this is all.")
    credanchor("audit", "--out", str(PLACE / "audit.html"))


def issue(achievement: str, roster: str, out: Path) -> None:
    """Issue one example roster."""
    files = ("--achievement", str(EXAMPLES / achievement), "--recipients", str(EXAMPLES / roster))
    credanchor("issue", *files, "--out", str(out))


def verify_all(folder: Path) -> dict[str, int]:
    """Verify a folder and give the counts; a thousand lines would tell no more."""
    from anchor.cli.addresses import fetch_all
    from anchor.cli.checking import check
    from anchor.cli.inputs import read_inputs
    from anchor.cli.policies import load_policy

    console.print(f"[bold cyan]$ credanchor verify {folder}[/]")
    counts = dict.fromkeys(("valid", "invalid", "unknown", "malformed"), 0)
    for checked in check(read_inputs([str(folder)], fetch_all), load_policy(None, None, None)).files:
        counts[checked.outcome] += 1
    return counts


def say(words: str) -> None:
    """Announce what comes next."""
    console.print(f"\n[bold]{words}[/]\n")


def credanchor(*arguments: str, exits: int = 0) -> None:
    """Run a command and require its exit code."""
    console.print(f"[bold cyan]$ credanchor {' '.join(arguments)}[/]", markup=True)
    code = run(arguments)
    expect(code == exits, f"exit code {exits}, got {code}")


def expect(holds: bool, words: str) -> None:
    """Stop the demo where the story is not true."""
    if not holds:
        console.print(f"[bold red]The demo went wrong here: expected {words}.[/]")
        raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main())
