"""What `credanchor issue` says of batches and of the time it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anchor.cli.output import console, printable
from anchor.model import to_hex

if TYPE_CHECKING:
    from registry.services.issue import Anchored
    from registry.services.roster import RosterReport


class Phases:
    """How long each part of a command took."""

    def __init__(self) -> None:
        self.seconds: Final[dict[str, float]] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - started, 3)


def batch_content(anchored: Anchored) -> dict[str, Any]:
    """Give an anchored batch as a member of a JSON document."""
    batch, transaction = anchored.batch, anchored.transaction
    return {
        "batch": batch.id,
        "achievement": batch.achievement_name,
        "registry": batch.issuer.registry.to_text(),
        "issuerId": batch.issuer.issuer_id,
        "root": to_hex(batch.root),
        "size": batch.size,
        "state": batch.state.value,
        "anchoredAt": batch.anchored_at,
        "transaction": None
        if transaction is None
        else {
            "hash": to_hex(transaction.hash),
            "blockNumber": transaction.block_number,
            "gasUsed": transaction.gas_used,
            "gasPriceWei": transaction.gas_price_wei,
        },
    }


def print_batch(report: dict[str, Any]) -> None:
    """Say what was anchored; takes what `batch_content` gives, and where the index is."""
    count = "1 credential" if report["size"] == 1 else f"{report['size']:,} credentials"
    console.print(f"[bold green]✔[/] {count} anchored: {printable(report['achievement'])}")
    console.print(f"  batch     {report['batch']} · root {report['root']}")
    transaction = report["transaction"]
    if transaction is None:
        console.print("  the ledger had this root already; nothing was sent")
    else:
        gas, each = transaction["gasUsed"], transaction["gasUsed"] / report["size"]
        console.print(f"  sent      {transaction['hash']}, block {transaction['blockNumber']}")
        console.print(f"  gas       {gas:,}, {each:,.1f} a credential")
    if report["index"] is not None:
        index = Path(report["index"])
        console.print(f"  files     {printable(str(index.parent))}, listed in {printable(index.name)}")


def print_unused(roster: RosterReport) -> None:
    """Say which columns nothing was taken from."""
    if roster.columns.unused:
        names = ", ".join(map(printable, roster.columns.unused))
        console.print(f"  columns of the roster that nothing was taken from: {names}")
