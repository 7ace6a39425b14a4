"""One account, several processes and institutions: each nonce once, none left out, whoever is killed when."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from anchor.errors import ReplacedError
from anchor.events import BatchAnchored
from anchor.ledger.client import Call
from anchor.ledger.testnet import dev_signer
from anchor.ledger.transactions import TransactionSender
from anchor.logs import parse_log
from anchor.model import to_hex
from registry.errors import BusyError
from registry.services.sending import Outbox, note_mined
from registry.store.connection import InstitutionId
from registry.store.engine import Store
from registry.store.records import TransactionId, TransactionRecord, TransactionState
from registry.store.transactions import get_transaction
from tests.ledger.chain import ANCHOR_KEY, Chain, drop, root_of
from tests.ledger.proxy import FaultProxy
from tests.support.databases import Database
from tests.support.institutions import add
from tests.support.registry import NOW
from tests.support.senders import DiesAfter, DiesBefore, Place, keep_nothing, send_all, send_and_die

PROCESSES = get_context("forkserver")
# Imported once, not by each process.
PROCESSES.set_forkserver_preload([send_all.__module__, "web3", "psycopg", "registry.store.engine"])


@pytest.fixture
def place(chain: Chain, database: Database, tmp_path: Path) -> Place:
    return Place(
        url=chain.url,
        database_url=database.url,
        folder=tmp_path,
        registry=chain.registry.to_text(),
        issuer_id=chain.issuer_id,
    )


@pytest.fixture
def institutions(store: Store) -> tuple[InstitutionId, InstitutionId]:
    return add(store, "a"), add(store, "b")


def nonces_of(chain: Chain) -> int:
    return chain.client.mined_count(dev_signer(ANCHOR_KEY).address)


def record_of(store: Store, transaction: TransactionId) -> TransactionRecord:
    with store.reading() as connection:
        return get_transaction(connection, transaction)


def settle(store: Store, outbox: Outbox, transaction: TransactionId) -> TransactionRecord:
    receipt = outbox.settle(transaction)
    with store.writing() as connection:
        note_mined(connection, transaction, receipt)
    return record_of(store, transaction)


def anchorings(chain: Chain, *numbers: int) -> int:
    """How often batches were anchored, as the ledger's events have it."""
    last = chain.client.latest_block().header.number
    events = map(parse_log, chain.client.logs(chain.registry.address, 0, last))
    roots = {root_of(number) for number in numbers}
    return sum(isinstance(event, BatchAnchored) and event.root in roots for event in events)


def run_killed(target: Callable[..., None], *arguments: object) -> None:
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_processes_of_two_institutions_take_each_nonce_once_and_all_are_mined(
    chain: Chain, place: Place, store: Store, institutions: tuple[InstitutionId, InstitutionId]
) -> None:
    first = nonces_of(chain)
    chain.set_mining(automatic=False)
    tasks = [
        (place, institution, range(start, start + 4)) for institution, start in zip(institutions, (30, 40), strict=True)
    ]
    with PROCESSES.Pool(2) as pool:
        sent = pool.starmap(send_all, tasks)
    chain.mine()
    records = []
    for institution, some in zip(institutions, sent, strict=True):
        own = store.of(institution)
        outbox = place.outbox(own)
        records += [settle(own, outbox, TransactionId(each)) for each in some]
    assert sorted(record.nonce for record in records) == list(range(first, first + 8))
    assert {record.state for record in records} == {TransactionState.MINED}
    assert anchorings(chain, *range(30, 34), *range(40, 44)) == 8


@pytest.mark.parametrize("kind", [DiesBefore, DiesAfter])
def test_killed_what_was_kept_goes_first_and_once(
    chain: Chain,
    place: Place,
    store: Store,
    institutions: tuple[InstitutionId, InstitutionId],
    kind: type[TransactionSender],
) -> None:
    here, there = institutions
    first = nonces_of(chain)
    chain.set_mining(automatic=False)
    run_killed(send_and_die, place, here, 30, kind)
    killed = TransactionId(1)
    assert record_of(store.of(here), killed).state is TransactionState.SIGNED
    # Another institution sends from the same account, and knows nothing of it.
    other = place.send(place.outbox(store.of(there)), 40)
    chain.mine()
    assert settle(store.of(there), place.outbox(store.of(there)), other).nonce == first + 1
    assert settle(store.of(here), place.outbox(store.of(here)), killed).nonce == first
    assert anchorings(chain, 30, 40) == 2
    assert nonces_of(chain) == first + 2


def test_whose_nonce_a_stranger_used_is_replaced(
    chain: Chain, place: Place, store: Store, institutions: tuple[InstitutionId, InstitutionId]
) -> None:
    here, there = institutions
    run_killed(send_and_die, place, here, 30, DiesBefore)
    chain.anchor(77)  # without lock and database
    other = place.send(place.outbox(store.of(there)), 40)
    assert record_of(store.of(here), TransactionId(1)).state is TransactionState.REPLACED
    assert settle(store.of(there), place.outbox(store.of(there)), other).state is TransactionState.MINED
    with pytest.raises(ReplacedError):
        place.outbox(store.of(here)).settle(TransactionId(1))
    assert anchorings(chain, 30) == 0


def test_whoever_lost_the_lock_keeps_and_sends_nothing(
    chain: Chain, place: Place, store: Store, institutions: tuple[InstitutionId, InstitutionId]
) -> None:
    here, there = institutions
    first = nonces_of(chain)

    class Overtaken(TransactionSender):
        def prepare(self, call: Call) -> Any:
            prepared = super().prepare(call)
            place.send(place.outbox(store.of(there)), 40)
            return prepared

    sender = Overtaken(chain.client, chain_id=chain.chain_id, signer=dev_signer(ANCHOR_KEY), lock=nullcontext())
    with pytest.raises(BusyError, match="nothing was sent"):
        Outbox(store.of(here), sender).send(chain.anchor_call(30), keep_nothing, now=NOW)
    assert nonces_of(chain) == first + 1
    assert (anchorings(chain, 30), anchorings(chain, 40)) == (0, 1)


def test_what_a_reorganisation_took_back_is_sent_again_before_anything_new(
    chain: Chain, place: Place, store: Store, institutions: tuple[InstitutionId, InstitutionId]
) -> None:
    here, there = institutions
    first = nonces_of(chain)
    before = chain.node.write("evm_snapshot", [])
    mined = [place.send(place.outbox(store.of(here)), number) for number in (30, 31)]
    for each in mined:
        settle(store.of(here), place.outbox(store.of(here)), each)
    assert chain.node.write("evm_revert", [before])
    assert nonces_of(chain) == first
    other = place.send(place.outbox(store.of(there)), 40)
    assert settle(store.of(there), place.outbox(store.of(there)), other).nonce == first + 2
    assert anchorings(chain, 30, 31, 40) == 3


def test_given_up_it_is_not_sent_again_whatever_the_chain_takes_back(
    chain: Chain, place: Place, store: Store, institutions: tuple[InstitutionId, InstitutionId]
) -> None:
    own = store.of(institutions[0])
    before = chain.node.write("evm_snapshot", [])
    run_killed(send_and_die, place, institutions[0], 30, DiesBefore)
    chain.anchor(77)
    for _ in range(2):
        with pytest.raises(ReplacedError):
            place.outbox(own).settle(TransactionId(1))
        chain.node.write("evm_revert", [before])
    assert anchorings(chain, 30) == 0


def test_what_no_node_will_ever_take_holds_up_nobody(
    chain: Chain,
    place: Place,
    proxy: FaultProxy,
    store: Store,
    institutions: tuple[InstitutionId, InstitutionId],
) -> None:
    here, there = institutions
    first = nonces_of(chain)
    run_killed(send_and_die, place, here, 30, DiesBefore)
    hopeless = to_hex(record_of(store.of(here), TransactionId(1)).raw)
    proxy.refuse = lambda _method, params: "exceeds block gas limit" if params == [hopeless] else None
    outbox = replace(place, url=proxy.url).outbox(store.of(there))
    other = settle(store.of(there), outbox, place.send(outbox, 40))
    assert (other.nonce, other.state) == (first, TransactionState.MINED)
    assert record_of(store.of(here), TransactionId(1)).state is TransactionState.REPLACED


def test_stranger_that_waits_with_the_same_nonce_is_let_go_first(
    chain: Chain, place: Place, store: Store, institutions: tuple[InstitutionId, InstitutionId]
) -> None:
    here, there = institutions
    first = nonces_of(chain)
    chain.set_mining(automatic=False)
    run_killed(send_and_die, place, here, 30, DiesBefore)
    chain.sender(ANCHOR_KEY).send(chain.anchor_call(77), drop)
    other = place.send(place.outbox(store.of(there)), 40)
    chain.mine()
    assert settle(store.of(there), place.outbox(store.of(there)), other).nonce == first + 1
    with pytest.raises(ReplacedError):
        place.outbox(store.of(here)).settle(TransactionId(1))
    assert anchorings(chain, 30, 77, 40) == 2


def test_node_that_has_not_heard_yet_does_not_give_a_nonce_twice(
    chain: Chain, place: Place, proxy: FaultProxy, store: Store, institutions: tuple[InstitutionId, InstitutionId]
) -> None:
    first = nonces_of(chain)
    chain.set_mining(automatic=False)
    proxy.answer = lambda method, _params, result: hex(first) if method == "eth_getTransactionCount" else result
    behind = replace(place, url=proxy.url)
    for institution, number in zip(institutions, (30, 40), strict=True):
        behind.send(behind.outbox(store.of(institution)), number)
    chain.mine()
    assert nonces_of(chain) == first + 2
    assert anchorings(chain, 30, 40) == 2
