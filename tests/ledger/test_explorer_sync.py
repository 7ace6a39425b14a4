"""The service's own copy of a registry's history: read from a real node, proven, shown; and what is in the way of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from anchor.model import Policy, StatusPosition
from anchor.status import StatusPurpose
from registry.errors import NotReadyError
from registry.services.explorer.queries import Explorer
from registry.services.explorer.sync import HistorySync
from registry.store.engine import Store
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, Chain, root_of
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

    @property
    def explorer(self) -> Explorer:
        return Explorer(self.store, self.chain.registry)

    def policy(self) -> Policy:
        return self.chain.policy(nodes=self.nodes or (self.chain.url,))

    def catch_up(self) -> None:
        while self.sync.step(GO_ON):
            pass


@pytest.fixture
def watch(chain: Chain, database: Database) -> Watch:
    return Watch(chain=chain, store=database.open())


def test_what_happened_is_shown_once_it_is_proven(chain: Chain, watch: Watch) -> None:
    with pytest.raises(NotReadyError):
        watch.explorer.ledger()
    chain.anchor(7, size=3)
    chain.execute(STATUS_KEY, chain.revoke_call([2], [0b101]))
    watch.catch_up()
    ledger = watch.explorer.ledger()
    assert (ledger.issuers, ledger.counts.events, ledger.counts.credentials, ledger.counts.revoked) == (1, 7, 3, 2)
    assert ledger.basis.block_hash == chain.client.latest_block().header.hash
    issuer = watch.explorer.issuer(chain.issuer_id)
    assert (issuer.did, len(issuer.keys)) == (DID, 2)
    (batch,) = watch.explorer.batch(root_of(7))
    assert (batch.batch.size, batch.is_void, batch.is_revoked) == (3, False, False)
    assert watch.explorer.batches(chain.issuer_id, limit=9) == (batch,)
    position = watch.explorer.position(chain.issuer_id, StatusPosition(0, 2 * 256 + 2))
    assert position.is_revoked
    assert not position.is_suspended
    assert [each.event.kind for each in position.changes] == ["credentialsRevoked"]
    assert not watch.explorer.position(chain.issuer_id, StatusPosition(0, 2 * 256 + 1)).changes
    newest = watch.explorer.events(limit=2)
    assert [each.number for each in newest] == [7, 6]
    assert watch.explorer.transaction(newest[0].event.log.transaction_hash).events == newest[:1]
    tallies = {each.kind: (each.events, each.credentials) for each in watch.explorer.tallies(chain.issuer_id)}
    assert tallies["credentialsRevoked"] == (1, 2)
    assert tallies["batchAnchored"] == (1, 3)
    # And what comes after it.
    chain.anchor(8)
    watch.catch_up()
    assert watch.explorer.ledger().counts.events == 8
    assert watch.explorer.ledger().tag != ledger.tag
