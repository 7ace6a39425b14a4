"""The service's own copy of a registry's history: read from a real node, proven, shown; what is in its way."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, update

from anchor.model import StatusPosition
from registry.errors import NotFoundError, NotReadyError
from registry.services.explorer import keeper
from registry.services.explorer.sync import LEASE_SECONDS
from registry.store.ledger_tables import ledger_copies, ledger_events
from tests.ledger.chain import DID, STATUS_KEY, Chain, root_of
from tests.ledger.proxy import FaultProxy, refusing
from tests.ledger.watch import GO_ON, Watch, copies, count, noted
from tests.support.databases import Database
from tests.support.reading import Rounds


@pytest.fixture
def any_watch(chain: Chain, database: Database) -> Watch:
    """On SQLite, and once more on PostgreSQL."""
    return Watch(chain=chain, store=database.open())


@pytest.fixture
def watch(chain: Chain, sqlite_database: Database) -> Watch:
    return Watch(chain=chain, store=sqlite_database.open())


def test_what_happened_is_shown_once_it_is_proven(chain: Chain, any_watch: Watch) -> None:
    watch = any_watch
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


def problem(watch: Watch) -> str | None:
    with watch.shown() as moment:
        return moment.ledger().problem


def test_chain_that_was_reorganised_is_read_anew_and_takes_the_place_in_one_moment(
    chain: Chain, any_watch: Watch
) -> None:
    watch = any_watch
    chain.anchor(1)
    watch.catch_up()
    with watch.shown() as moment:
        before = moment.ledger()
    chain.node.write("anvil_reorg", [1, []])
    chain.anchor(2)
    watch.catch_up()
    with watch.shown() as moment:
        after = moment.ledger()
        numbers = [each.number for each in moment.events(limit=99)]
        with pytest.raises(NotFoundError):
            moment.batch(root_of(1))
        assert moment.batch(root_of(2))
    assert after.counts.events == before.counts.events
    assert numbers == list(range(after.counts.events, 0, -1))
    assert after.tag != before.tag
    # What is of no use any more goes, but not while somebody may be reading it.
    assert copies(watch) == 2
    watch.ahead = 3_601
    watch.catch_up()
    assert copies(watch) == 1
    assert count(watch) == after.counts.events


def test_only_what_a_reorganisation_changed_is_read_again(chain: Chain, watch: Watch, proxy: FaultProxy) -> None:
    last = chain.client.latest_block().header.number
    chain.anchor(1)
    watch.catch_up()
    chain.node.write("anvil_reorg", [1, []])
    chain.anchor(2)
    asked: list[Any] = []
    proxy.answer = partial(noted, asked)
    # By a process that was not there before, and told to end in the middle.
    other = Watch(chain=chain, store=watch.store, nodes=(proxy.url,), ahead=LEASE_SECONDS + 1)
    stop = threading.Event()
    stop.set()
    assert not other.sync.step(stop)
    assert asked == []
    other.catch_up()
    assert [int(params[0]["fromBlock"], 16) for params in asked] == [last + 1]
    with watch.shown() as moment:
        assert [each.number for each in moment.events(limit=99)] == [6, 5, 4, 3, 2, 1]
        assert moment.batch(root_of(2))
        with pytest.raises(NotFoundError):
            moment.batch(root_of(1))


def test_blocks_without_events_that_are_taken_back_cost_nothing(chain: Chain, watch: Watch, proxy: FaultProxy) -> None:
    chain.anchor(1)
    snapshot = chain.node.write("evm_snapshot", [])
    chain.mine()
    watch.nodes = (proxy.url,)
    watch.catch_up()
    with watch.shown() as moment:
        before = moment.ledger()
    # The same empty block again, but later: else it would be the same one.
    assert chain.node.write("evm_revert", [snapshot])
    chain.node.write("evm_increaseTime", [3])
    chain.mine()
    chain.anchor(2)
    asked: list[Any] = []
    proxy.answer = partial(noted, asked)
    watch.catch_up()
    with watch.shown() as moment:
        after = moment.ledger()
        assert moment.batch(root_of(1))
        assert moment.batch(root_of(2))
    assert after.counts.events == before.counts.events + 1
    assert copies(watch) == 1
    (asked_from,) = [int(params[0]["fromBlock"], 16) for params in asked]
    assert asked_from == before.basis.block_number
    # Also by a process that has to replay what is kept first.
    chain.mine()
    watch.catch_up()
    chain.node.write("anvil_reorg", [1, []])
    chain.mine()
    Watch(chain=chain, store=watch.store).catch_up()
    assert count(watch) == after.counts.events
    assert copies(watch) == 1


@pytest.mark.parametrize("kind", ["withheld", "altered", "invented", "swapped"])
def test_events_that_are_not_the_history_are_not_shown(
    chain: Chain, watch: Watch, proxy: FaultProxy, kind: str
) -> None:
    chain.anchor(1)
    watch.catch_up()
    chain.anchor(2)
    chain.execute(STATUS_KEY, chain.revoke_call([2], [0b101]))
    shown = count(watch)

    def lie(method: str, logs: Any) -> Any:
        if method != "eth_getLogs" or not logs:
            return logs
        first, last = logs[0], logs[-1]
        match kind:
            case "withheld":
                return logs[:-1]
            case "altered":
                return [*logs[:-1], {**last, "data": last["data"][:-1] + ("0" if last["data"][-1] != "0" else "1")}]
            case "invented":
                return [*logs, {**last, "logIndex": hex(int(last["logIndex"], 16) + 1)}]
            case _:
                places = ("blockNumber", "blockHash", "logIndex", "transactionHash")
                return [{**first, **{name: last[name] for name in places}}, *logs[1:-1], last][::-1]

    proxy.change = lie
    watch.nodes = (proxy.url,)
    watch.catch_up()
    assert count(watch) == shown
    assert problem(watch) == "the events that the ledger's nodes gave are not the whole history"
    with watch.shown() as moment, pytest.raises(NotFoundError):
        moment.batch(root_of(2))
    # Another node tells the truth.
    watch.nodes = (proxy.url, chain.url)
    watch.catch_up()
    assert (count(watch), problem(watch)) == (shown + 2, None)


def test_lies_told_from_the_start_are_never_shown(chain: Chain, watch: Watch, proxy: FaultProxy) -> None:
    chain.anchor(1)
    proxy.change = lambda method, result: result[:-1] if method == "eth_getLogs" else result
    watch.nodes = (proxy.url,)
    watch.catch_up()
    with pytest.raises(NotReadyError, match="not the whole history"), watch.shown():
        pass
    watch.nodes = ()
    watch.catch_up()
    assert count(watch) == 6


def test_node_without_answer_changes_nothing_that_is_shown(chain: Chain, watch: Watch, proxy: FaultProxy) -> None:
    watch.nodes = (proxy.url,)
    watch.catch_up()
    shown = count(watch)
    chain.anchor(1)
    for refused in ("eth_getLogs", "eth_getProof", "eth_chainId"):
        proxy.refuse = refusing("not today", refused)
        watch.catch_up()
        assert count(watch) == shown
        assert problem(watch) == "no node of the ledger gave an answer that could be used"
    proxy.refuse = refusing("not today", "nothing")
    watch.catch_up()
    assert (count(watch), problem(watch)) == (shown + 1, None)


def test_contract_that_is_not_the_one_pinned_is_not_read(chain: Chain, watch: Watch) -> None:
    right = watch.policy()
    pin = replace(right.registries[0], code_hash=root_of(1))
    for policy, words in (
        (replace(right, registries=(pin,)), "nothing vouches"),
        (replace(right, registries=()), "policy"),
    ):
        Watch(chain=chain, store=watch.store, trusted=policy).catch_up()
        with pytest.raises(NotReadyError, match=words), watch.shown():
            pass


def test_one_of_several_processes_reads_and_another_goes_on_when_it_is_gone(chain: Chain, any_watch: Watch) -> None:
    watch = any_watch
    other = Watch(chain=chain, store=watch.store, name="other")
    watch.catch_up()
    shown = count(watch)
    chain.anchor(1)
    other.catch_up()
    assert count(watch) == shown
    # It is gone; its turn ends.
    other.ahead = LEASE_SECONDS + 1
    other.catch_up()
    assert count(watch) == shown + 1
    # And comes back: it is not its turn, and it does not go on from what it remembers.
    chain.anchor(2)
    watch.catch_up()
    assert count(watch) == shown + 1
    other.catch_up()
    watch.ahead = 3 * LEASE_SECONDS
    chain.anchor(3)
    watch.catch_up()
    assert count(watch) == shown + 3


def test_process_that_ends_gives_its_turn_back(chain: Chain, any_watch: Watch) -> None:
    watch = any_watch
    watch.sync.run(Rounds())
    chain.anchor(1)
    other = Watch(chain=chain, store=watch.store, name="other")
    other.catch_up()
    assert count(watch) == 6


def is_shown(watch: Watch) -> bool:
    try:
        return count(watch) > 0
    except NotReadyError:
        return False


def test_it_goes_on_where_it_was_ended(chain: Chain, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to end after each transaction, it needs several starts; nothing is shown before the last."""
    monkeypatch.setattr(keeper, "EVENTS_AT_ONCE", 2)
    chain.set_mining(automatic=True)
    for number in range(3):
        chain.anchor(number + 1)
    stop = threading.Event()
    stop.set()
    starts = 0
    while not is_shown(watch):
        Watch(chain=chain, store=watch.store).sync.step(stop if starts < 3 else GO_ON)
        starts += 1
    assert starts >= 3
    assert count(watch) == 8


HARM = {
    "altered": update(ledger_events).where(ledger_events.c.number == 3).values(data=b"x" * 32),
    "cut short": delete(ledger_events).where(ledger_events.c.number == 6),
    "a gap": delete(ledger_events).where(ledger_events.c.number == 4),
    "numbered anew": update(ledger_copies).values(events=5, proven=5),
}


@pytest.mark.parametrize("kind", HARM)
def test_database_that_was_changed_is_found_out_by_the_next_process(chain: Chain, watch: Watch, kind: str) -> None:
    chain.anchor(1)
    watch.catch_up()
    with watch.store.operator_writing() as connection:
        connection.execute(HARM[kind])
    chain.anchor(2)
    again = Watch(chain=chain, store=watch.store)
    assert again.sync.step(GO_ON)
    with pytest.raises(NotReadyError), watch.shown():
        pass
    again.catch_up()
    with watch.shown() as moment:
        assert [each.number for each in moment.events(limit=99)] == [7, 6, 5, 4, 3, 2, 1]
