"""The process that is measured: a worker that keeps a history which is made up, in a database in FOLDER.

bench_explorer_made_up.py FOLDER first COUNT: reads COUNT events; the database is a new one.
bench_explorer_made_up.py FOLDER again: goes on with an event that is new, from the checkpoint.
bench_explorer_made_up.py FOLDER anew: the same without the checkpoint.

Prints JSON with the seconds until what there is was shown, and those for what is read again after that.
"""

import json
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench_audit_made_up import REGISTRY, Source
from sqlalchemy import delete

from anchor.audit import ProvenHeads
from anchor.events import RawLog
from anchor.model import ZERO_HASH, BlockHeader, Hash32
from registry.services.explorer.keeper import Keeper
from registry.services.explorer.queries import Explorer
from registry.store.engine import open_store
from registry.store.ledger_tables import ledger_checkpoint_parts, ledger_checkpoints
from tests.support.made_up_ledger import MadeUpLedger
from tests.support.reading import Rounds

LATER = 2
ANCHORED_OF = 3
"""One event in so many is a batch: what a process holds in memory are batches, and a million are no small registry."""


class Logs:
    """Logs as they are wanted; the last one again, for whoever takes a part at a time pulls one too many."""

    def __init__(self, logs: Iterator[RawLog]) -> None:
        self._logs = logs
        self._last: RawLog | None = None

    def __iter__(self) -> Iterator[RawLog]:
        if self._last is not None:
            yield self._last
        for log in self._logs:
            self._last = log
            yield log


class Ledger(MadeUpLedger):
    """Has logs whose heads are known once they are written."""

    def write(self, source: Source, logs: Iterator[RawLog]) -> None:
        """Have logs that the source writes."""

        def noted() -> Iterator[RawLog]:
            yield from logs
            self.proven = proven(*source.heads)

        self.logs = Logs(noted())


def main(folder: Path, kind: str, count: int) -> None:
    store, later = open_store(f"sqlite:///{folder / 'registry.db'}"), folder / "later"
    if kind == "first":
        source = Source()
        written = source.logs(count + LATER, ANCHORED_OF)
        ledger = Ledger(logs=(), proven=proven(*source.heads), last_block=count, registry=REGISTRY)
        ledger.write(source, islice(written, count))
    else:
        # Written by this program, just before.
        (log, heads), *rest = pickle.loads(later.read_bytes())  # noqa: S301
        ledger = Ledger(logs=(log,), proven=proven(*heads), last_block=log.block_number, registry=REGISTRY)
    if kind == "anew":
        with store.operator_writing() as connection:
            for table in (ledger_checkpoint_parts, ledger_checkpoints):
                connection.execute(delete(table))
    shown: list[float] = []
    recheck = Keeper.recheck

    def noted(keeper: Keeper, stop: threading.Event) -> bool:
        # It begins when everything is shown.
        shown.append(time.perf_counter())
        return recheck(keeper, stop)

    Keeper.recheck = noted  # type: ignore[method-assign]
    started = time.perf_counter()
    ledger.show(store, Rounds())
    seconds, afterwards = shown[0] - started, time.perf_counter() - shown[0]
    with Explorer(store, REGISTRY).reading() as moment:
        view = moment.ledger()
    if view.basis.block_number != ledger.last_block:
        sys.exit("not all of it is shown")
    if kind == "first":
        rest = [(log, source.heads) for log in written]
    later.write_bytes(pickle.dumps(rest))
    print(json.dumps({"seconds": seconds, "afterwards": afterwards, "events": view.counts.events}))


def proven(registry_head: Hash32, head: Hash32) -> ProvenHeads:
    """Give what a node would prove of a registry with one issuer."""
    block = BlockHeader(hash=ZERO_HASH, number=0, timestamp=0, state_root=ZERO_HASH)
    return ProvenHeads(registry=REGISTRY, block=block, issuer_count=1, registry_head=registry_head, heads={1: head})


main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if sys.argv[2] == "first" else 0)
