"""Processes that begin and end on a real chain: each goes on from where another stopped, whatever became of blocks."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from anchor.events import RawLog
from registry.errors import NotFoundError
from registry.services.explorer import restoring
from registry.services.explorer.running import Running
from registry.services.explorer.sync import LEASE_SECONDS
from registry.store.ledger_tables import ledger_checkpoints
from tests.ledger.chain import Chain, root_of
from tests.ledger.proxy import FaultProxy
from tests.ledger.watch import Watch, copies, count, noted
from tests.support.databases import Database
from tests.support.reading import Rounds


@pytest.fixture
def any_watch(chain: Chain, database: Database) -> Watch:
    """On SQLite, and once more on PostgreSQL."""
    return Watch(chain=chain, store=database.open())


@pytest.fixture
def watch(chain: Chain, sqlite_database: Database) -> Watch:
    return Watch(chain=chain, store=sqlite_database.open())


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after each event."""
    monkeypatch.setattr(restoring, "EVENTS_BETWEEN", 1)


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note which events of the database are replayed."""
    numbers: list[int] = []
    restore = Running.restore

    def note(running: Running, log: RawLog) -> None:
        numbers.append(running.count + 1)
        restore(running, log)

    monkeypatch.setattr(Running, "restore", note)
    return numbers


def kept(watch: Watch) -> list[int]:
    """Tell after how many events the checkpoints are."""
    with watch.store.operator_reading() as connection:
        return list(connection.scalars(select(ledger_checkpoints.c.events)))


def another(watch: Watch, *nodes: str) -> Watch:
    """Begin a process, after the one before was killed."""
    return Watch(
        chain=watch.chain, store=watch.store, name="another", nodes=nodes, ahead=watch.ahead + LEASE_SECONDS + 1
    )


def test_process_goes_on_from_the_one_before(chain: Chain, any_watch: Watch, replayed: list[int]) -> None:
    chain.anchor(1)
    any_watch.catch_up()
    assert kept(any_watch) == [6]
    chain.anchor(2)
    another(any_watch).catch_up()
    assert (count(any_watch), kept(any_watch), replayed) == (7, [7], [])


def test_checkpoint_of_blocks_that_are_not_on_the_chain_any_more_is_not_gone_on_from(
    chain: Chain, any_watch: Watch
) -> None:
    chain.anchor(1)
    any_watch.catch_up()
    chain.node.write("anvil_reorg", [1, []])
    chain.anchor(2)
    other = another(any_watch)
    other.catch_up()
    with other.shown() as moment:
        assert [each.number for each in moment.events(limit=99)] == [6, 5, 4, 3, 2, 1]
        assert moment.batch(root_of(2))
        with pytest.raises(NotFoundError):
            moment.batch(root_of(1))
    # That of the old copy is gone with it.
    assert kept(other) == [6]
    chain.anchor(3)
    last = another(other)
    last.catch_up()
    with last.shown() as moment:
        assert moment.batch(root_of(2))
        assert moment.batch(root_of(3))


def test_events_in_blocks_that_take_the_place_of_empty_ones_are_taken(
    chain: Chain, any_watch: Watch, replayed: list[int], proxy: FaultProxy
) -> None:
    """The checkpoint is of a time when more blocks had been read, without events; others came in their place."""
    chain.anchor(1)
    snapshot = chain.node.write("evm_snapshot", [])
    for _ in range(3):
        chain.mine()
    any_watch.catch_up()
    with any_watch.shown() as moment:
        before = moment.ledger().basis.block_number
    assert chain.node.write("evm_revert", [snapshot])
    chain.node.write("evm_increaseTime", [3])
    chain.anchor(2)
    placed = chain.client.latest_block().header.number
    for _ in range(3):
        chain.mine()
    assert placed < before
    asked: list[Any] = []
    proxy.answer = partial(noted, asked)
    other = another(any_watch, proxy.url)
    other.catch_up()
    with other.shown() as moment:
        assert moment.batch(root_of(1))
        assert moment.batch(root_of(2))
    assert (replayed, copies(other)) == ([], 1)
    assert [int(params[0]["fromBlock"], 16) for params in asked] == [placed]


def test_process_that_ends_leaves_a_checkpoint(
    chain: Chain, any_watch: Watch, replayed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "EVENTS_BETWEEN", 1_000)
    monkeypatch.setattr(restoring, "EVENTS_AT_END", 2)
    any_watch.sync.run(Rounds())
    assert kept(any_watch) == [5]
    # Not for a single event, which is replayed in no time.
    chain.anchor(1)
    Watch(chain=chain, store=any_watch.store, name="other").sync.run(Rounds())
    assert (kept(any_watch), replayed) == ([5], [])
    chain.anchor(2)
    Watch(chain=chain, store=any_watch.store, name="other").sync.run(Rounds())
    assert (kept(any_watch), replayed, count(any_watch)) == ([7], [6], 7)


def test_process_whose_turn_it_is_not_leaves_none(chain: Chain, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "EVENTS_BETWEEN", 1_000)
    monkeypatch.setattr(restoring, "EVENTS_AT_END", 1)
    watch.catch_up()
    other = another(watch)
    chain.anchor(1)
    other.catch_up()
    # It has been thought dead, and is told to end.
    stop = Rounds()
    stop.set()
    watch.sync.run(stop)
    assert kept(watch) == []
    other.sync.run(stop)
    assert kept(watch) == [6]


def test_lies_of_a_node_cost_no_checkpoint_and_one_replay_at_most(
    chain: Chain, watch: Watch, replayed: list[int], proxy: FaultProxy
) -> None:
    chain.anchor(1)
    watch.catch_up()
    chain.anchor(2)
    other = another(watch, proxy.url)
    proxy.change = lambda method, result: result[:-1] if method == "eth_getLogs" else result
    other.catch_up()
    assert (count(watch), kept(watch)) == (6, [6])
    # It may have been the checkpoint: so all is replayed, once, and kept anew.
    other.nodes = (chain.url,)
    other.catch_up()
    assert (count(watch), kept(watch), replayed) == (7, [7], [1, 2, 3, 4, 5, 6])
    chain.anchor(3)
    for nodes in ((proxy.url,), (proxy.url,), (chain.url,)):
        other.nodes = nodes
        other.catch_up()
    assert (count(watch), kept(watch), len(replayed)) == (8, [8], 6)
