"""A process that keeps a registry's history, with a real node and a database, as the tests of the explorer have it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from anchor.model import Policy
from registry.services.explorer.queries import Explorer, Moment
from registry.services.explorer.sync import HistorySync
from registry.store.engine import Store
from registry.store.ledger_tables import ledger_copies, ledger_events
from tests.ledger.chain import Chain

GO_ON = threading.Event()


@dataclass(kw_only=True)
class Watch:
    """One process that keeps the history, and what it shows."""

    chain: Chain
    store: Store
    name: str = "one"
    nodes: tuple[str, ...] = ()
    trusted: Policy | None = None
    ahead: int = 0
    """Seconds by which its clock is ahead."""
    sync: HistorySync = field(init=False)

    def __post_init__(self) -> None:
        self.sync = HistorySync(
            self.store, self.chain.registry, self.policy, name=self.name, clock=self.clock, seconds=1
        )

    def clock(self) -> int:
        return int(time.time()) + self.ahead

    @contextmanager
    def shown(self) -> Iterator[Moment]:
        with Explorer(self.store, self.chain.registry).reading() as moment:
            yield moment

    def policy(self) -> Policy:
        return self.trusted or self.chain.policy(nodes=self.nodes or (self.chain.url,))

    def catch_up(self) -> None:
        while self.sync.step(GO_ON):
            pass


def count(watch: Watch) -> int:
    with watch.shown() as moment:
        return moment.ledger().counts.events


def copies(watch: Watch) -> int:
    with watch.store.operator_reading() as connection:
        found: int = connection.execute(select(func.count()).select_from(ledger_copies)).scalar_one()
        ((events,),) = connection.execute(select(func.count(ledger_events.c.copy_ref.distinct())))
    assert events == found
    return found


def noted(asked: list[Any], method: str, params: list[Any], result: Any) -> Any:
    if method == "eth_getLogs":
        asked.append(params)
    return result
