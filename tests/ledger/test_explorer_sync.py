"""The service's own copy of a registry's history: read from a real node, proven, shown; what is in its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from anchor.model import Policy, StatusPosition
from registry.errors import NotReadyError
from registry.services.explorer.queries import Explorer, Moment
from registry.services.explorer.sync import HistorySync
from registry.store.engine import Store
from tests.ledger.chain import DID, STATUS_KEY, Chain, root_of
from tests.support.databases import Database

GO_ON = threading.Event()


@dataclass(kw_only=True)
class Watch:
    """One process that keeps the history, and what it shows."""

    chain: Chain
    store: Store
    name: str = "one"
    nodes: tuple[str, ...] = ()
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
        return self.chain.policy(nodes=self.nodes or (self.chain.url,))

    def catch_up(self) -> None:
        while self.sync.step(GO_ON):
            pass


@pytest.fixture
def watch(chain: Chain, database: Database) -> Watch:
    return Watch(chain=chain, store=database.open())


def test_what_happened_is_shown_once_it_is_proven(chain: Chain, watch: Watch) -> None:
    with pytest.raises(NotReadyError), watch.shown():
        pass
    chain.anchor(7, size=3)
    chain.execute(STATUS_KEY, chain.revoke_call([2], [0b101]))
    watch.catch_up()
    with watch.shown() as moment:
        ledger = moment.ledger()
        assert (ledger.issuers, ledger.counts.events, ledger.counts.credentials, ledger.counts.revoked) == (1, 7, 3, 2)
        assert ledger.basis.block_hash == chain.client.latest_block().header.hash
        issuer = moment.issuer(chain.issuer_id)
        assert (issuer.did, len(issuer.keys)) == (DID, 2)
        (batch,) = moment.batch(root_of(7))
        assert (batch.batch.size, batch.is_void, batch.is_revoked) == (3, False, False)
        assert moment.batches(chain.issuer_id, limit=9).batches == (batch,)
        position = moment.position(chain.issuer_id, StatusPosition(0, 2 * 256 + 2))
        assert position.is_revoked
        assert not position.is_suspended
        assert [each.event.kind for each in position.changes] == ["credentialsRevoked"]
        assert not moment.position(chain.issuer_id, StatusPosition(0, 2 * 256 + 1)).changes
        newest = moment.events(limit=2)
        assert [each.number for each in newest] == [7, 6]
        assert moment.transaction(newest[0].event.log.transaction_hash).events == newest[:1]
        tallies = {each.kind: (each.events, each.credentials) for each in moment.tallies(chain.issuer_id)}
        assert tallies["credentialsRevoked"] == (1, 2)
        assert tallies["batchAnchored"] == (1, 3)
    # And what comes after it.
    chain.anchor(8)
    watch.catch_up()
    with watch.shown() as moment:
        assert moment.ledger().counts.events == 8
        assert moment.ledger().tag != ledger.tag
