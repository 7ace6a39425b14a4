"""Measures what credanchor is to reach, prints each figure beside its target, and sets it beside peers.

Everything is measured on this machine, in this run. Nothing here makes a build fail: a busy machine is slower.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from bench_common import print_machine

PARTS = {
    "issue": "roster to durable store, memory, one proof from the store, `credanchor issue` on a testnet",
    "verify": "files of one batch, evidence once fetched, one core, beside Data Integrity and TradeTrust",
    "light": "what a verifier installs: megabytes, and the time of its import",
    "api": "reading proofs by HTTP, a million credentials stored, beside an empty route of the web framework",
    "api-issue": "issuing by API beside `credanchor issue` on the same rosters, and the service's memory",
    "page": "the verifier page in Chromium: size, first verdict, a thousand credentials",
    "audit": "a history of 100,000 events from a testnet, a second run, and 1,000,000 events that are made up",
    "explorer": "the explorer's worker started again on 100,000 events that are made up, beside replaying all",
    "reconcile": "a database of 10,000, 100,000 and 1,000,000 credentials held against a testnet",
    "peers": "issuing, beside cert-issuer and TradeTrust; installs them when they are wanted first",
    "all": "all of these",
}
ISSUED = 100_000
VERIFIED = 10_000
SERVED = 1_000_000


def main(words: list[str]) -> None:
    arguments = parse(words)
    part, count = arguments.part, arguments.count
    # What a part needs is imported with it: help needs nothing, and measuring memory wants a slim parent.
    peers = part in ("verify", "peers", "all") and are_installed(part)
    print_machine()
    if part in ("light", "all"):
        from bench_light import measure_light

        measure_light()
    if part in ("api", "all"):
        from bench_api import measure_api

        measure_api(count if part == "api" and count else SERVED)
    if part in ("api-issue", "all"):
        from bench_api_issue import measure_api_issue

        measure_api_issue(million=arguments.million)
    if part in ("page", "all"):
        from bench_page import can_measure_page, measure_page

        if can_measure_page():
            measure_page()
        elif part == "page":
            sys.exit(1)
    if part in ("audit", "all"):
        from bench_audit import MADE_UP_EVENTS, NODE_EVENTS, measure_audit

        events = count if part == "audit" and count else NODE_EVENTS
        measure_audit(events, events * (MADE_UP_EVENTS // NODE_EVENTS))
    if part in ("explorer", "all"):
        from bench_explorer import EVENTS, measure_explorer

        measure_explorer(count if part == "explorer" and count else EVENTS)
    if part in ("reconcile", "all"):
        from bench_reconcile import CREDENTIALS, measure_reconcile

        measure_reconcile(count if part == "reconcile" and count else CREDENTIALS)
    if part in ("issue", "peers", "all"):
        issuing(count or ISSUED, million=arguments.million, part=part)
    if part in ("verify", "all"):
        from bench_verify import measure_verify

        measure_verify(count if part == "verify" and count else VERIFIED, peers=peers)


def are_installed(part: str) -> bool:
    """Install the peers, and tell whether they are there; ours is verified without them, too."""
    from bench_peers import install_peers

    installed = install_peers()
    if not installed:
        print("the peers could not be installed; `scripts/bench issue` does without them", file=sys.stderr)
        if part != "verify":
            sys.exit(1)
    return installed


def issuing(count: int, *, million: bool, part: str) -> None:
    """Measure issuing, and what is asked for besides."""
    from bench_issue import MILLION, compare_forms, issue, measure_proofs, report_growth
    from bench_peers import measure_peers
    from bench_whole import measure_whole

    with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as folder:
        largest = issued = issue(Path(folder), count)
        if part in ("peers", "all"):
            # Directly one after the other, so that the machine is as busy for all of them.
            measure_peers(issued)
        if million:
            largest = issue(Path(folder), MILLION, runs=1)
            report_growth(issued, largest)
        if part != "peers":
            measure_proofs(largest)
    if part != "peers":
        compare_forms()
        measure_whole()


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        usage="%(prog)s [issue|verify|light|api|api-issue|page|audit|explorer|reconcile|peers] [--million] [COUNT]",
        description=__doc__,
        epilog="Databases are made in the folder for temporary files: set TMPDIR to a disk that is like yours.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = "; ".join(f"{name}: {what}" for name, what in PARTS.items())
    parser.add_argument("part", choices=PARTS, help=f"what to measure (default: all). {parts}")
    parser.add_argument("--million", action="store_true", help="also issue 1,000,000, to see whether memory grows")
    parser.add_argument(
        "count",
        metavar="COUNT",
        nargs="?",
        type=positive,
        help=f"how many to issue (default: {ISSUED:,}); for verify, to verify (default: {VERIFIED:,}); "
        f"for api, to store (default: {SERVED:,}); for audit, to anchor; for explorer, to make up; "
        "for reconcile, to have anchored",
    )
    if not any(word in PARTS for word in words):
        words = ["all", *words]
    arguments = parser.parse_args(words)
    if arguments.million and arguments.part not in ("issue", "api-issue", "all"):
        parser.error(f"--million is about issuing, not {arguments.part}")
    return arguments


def positive(word: str) -> int:
    if not word.isdecimal() or int(word) == 0:
        raise argparse.ArgumentTypeError(
            f"{', '.join(name for name in PARTS if name != 'all')} or a number from 1 on is wanted, not {word!r}"
        )
    return int(word)


if __name__ == "__main__":
    main(sys.argv[1:])
