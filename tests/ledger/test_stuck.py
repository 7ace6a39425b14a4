"""What is sent and not mined: fees too low, dropped by nodes, taken back; every version kept before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from anchor.errors import LedgerError, OutcomeUnknownError, RevertedError
from anchor.ledger.prepared import read_back
from anchor.ledger.testnet import dev_signer
from anchor.ledger.transactions import Reconciliation, SignedTransaction, TransactionSender
from anchor.model import to_hex
from registry.services.account import Raising
from registry.services.sending import Outbox
from registry.store.connection import InstitutionId
from registry.store.engine import Store
from registry.store.records import TransactionId, TransactionRecord, TransactionState
from tests.ledger.chain import ANCHOR_KEY, CONTROLLER, Chain
from tests.ledger.test_accounts import anchorings, institutions, nonces_of, place, record_of, run_killed, settle
from tests.support.databases import Database
from tests.support.registry import NOW
from tests.support.senders import DiesAfter, DiesBefore, Place, raise_and_die

__all__ = ["institutions", "place"]

GWEI = 10**9


@dataclass(kw_only=True)
class Post:
    """An institution that sends, by a clock of its own, to a chain whose blocks are made when the test says so."""

    chain: Chain
    place: Place
    store: Store
    now: int = NOW
    max_fee_wei: int = 10**12

    def of(self, institution: InstitutionId) -> Post:
        return Post(chain=self.chain, place=self.place, store=self.store.of(institution), now=self.now)

    @property
    def outbox(self) -> Outbox:
        raising = Raising(after_seconds=60, clock=lambda: self.now)
        return self.place.outbox(self.store, wait_seconds=0.1, raising=raising, max_fee_wei=self.max_fee_wei)

    def send(self, number: int) -> TransactionId:
        return self.place.send(self.outbox, number)

    def settle(self, transaction: TransactionId) -> TransactionRecord:
        return settle(self.store, self.outbox, transaction)

    def record(self, transaction: TransactionId) -> TransactionRecord:
        return record_of(self.store, transaction)

    def wait_in_vain(self, transaction: TransactionId, *, seconds: int = 61) -> TransactionRecord:
        """Let so much time pass, and find it not mined."""
        self.now += seconds
        with pytest.raises(OutcomeUnknownError):
            self.outbox.settle(transaction)
        return self.record(transaction)

    def mine_at(self, base_fee_gwei: int) -> None:
        """Make a block with what offers that much."""
        self.chain.node.write("anvil_setNextBlockBaseFeePerGas", [hex(base_fee_gwei * GWEI)])
        self.chain.mine()

    def has(self, raw_hash: bytes) -> bool:
        return self.chain.node.read("eth_getTransactionByHash", [to_hex(raw_hash)]) is not None


@contextmanager
def by_hand(chain: Chain) -> Iterator[None]:
    """Make blocks when the test says so; what going back to a snapshot leaves as it is, is put right afterwards."""
    base_fee = chain.client.latest_block().base_fee_wei
    assert base_fee is not None
    chain.set_mining(automatic=False)
    yield
    chain.node.write("anvil_dropAllTransactions", [])
    chain.node.write("anvil_setNextBlockBaseFeePerGas", [hex(base_fee)])


@pytest.fixture
def post(chain: Chain, place: Place, store: Store, institutions: tuple[InstitutionId, InstitutionId]) -> Iterator[Post]:
    with by_hand(chain):
        yield Post(chain=chain, place=place, store=store.of(institutions[0]))


@pytest.fixture
def sqlite_post(chain: Chain, sqlite_database: Database, tmp_path: Path) -> Iterator[Post]:
    """Of the home folder, where which database it is makes no difference."""
    place = Place(
        url=chain.url,
        database_url=sqlite_database.url,
        folder=tmp_path,
        registry=chain.registry.to_text(),
        issuer_id=chain.issuer_id,
    )
    with by_hand(chain):
        yield Post(chain=chain, place=place, store=sqlite_database.open())


def fees_of(record: TransactionRecord, raw: bytes) -> tuple[int, int]:
    prepared = read_back(raw, record.sender)
    return prepared.max_fee_wei, prepared.max_tip_wei


def test_stuck_it_offers_more_and_is_mined_once(post: Post) -> None:
    first = nonces_of(post.chain)
    sent = post.send(30)
    original = post.record(sent)
    assert post.wait_in_vain(sent, seconds=59).others == (), "not yet"
    raised = post.wait_in_vain(sent, seconds=2)
    assert [each.hash for each in raised.others] == [original.hash]
    for before, after in zip(fees_of(raised, original.raw), fees_of(raised, raised.raw), strict=True):
        assert after * 8 >= before * 9
    post.chain.mine()
    settled = post.settle(sent)
    assert (settled.hash, settled.state) == (raised.hash, TransactionState.MINED)
    assert anchorings(post.chain, 30) == 1
    assert nonces_of(post.chain) == first + 1


def test_the_older_version_may_be_mined_after_all(post: Post) -> None:
    sent = post.send(30)
    original = post.record(sent)
    raised = post.wait_in_vain(sent)
    assert raised.hash != original.hash
    post.chain.node.write("anvil_dropTransaction", [to_hex(raised.hash)])
    post.chain.node.write("eth_sendRawTransaction", [to_hex(original.raw)])
    post.mine_at(1)
    settled = post.settle(sent)
    assert (settled.hash, settled.raw, settled.state) == (original.hash, original.raw, TransactionState.MINED)
    assert [each.hash for each in settled.others] == [raised.hash]
    assert anchorings(post.chain, 30) == 1
    # And when a reorganisation brings the other one instead, that is found out, too.
    assert post.settle(sent) == settled


def test_dropped_by_the_node_it_is_sent_again_as_it_was(sqlite_post: Post) -> None:
    post, sent = sqlite_post, sqlite_post.send(30)
    original = post.record(sent)
    post.chain.node.write("anvil_dropTransaction", [to_hex(original.hash)])
    assert not post.has(original.hash)
    assert post.wait_in_vain(sent, seconds=0) == original
    assert post.has(original.hash)
    post.chain.mine()
    assert post.settle(sent).hash == original.hash


def test_dropped_and_then_too_cheap_it_offers_more_at_once(sqlite_post: Post) -> None:
    post, sent = sqlite_post, sqlite_post.send(30)
    original = post.record(sent)
    post.chain.node.write("anvil_dropTransaction", [to_hex(original.hash)])
    post.mine_at(100)
    raised = post.wait_in_vain(sent, seconds=0)
    assert [each.hash for each in raised.others] == [original.hash]
    post.mine_at(100)
    assert post.settle(sent).hash == raised.hash


def test_at_the_highest_fees_allowed_it_waits_and_says_so(sqlite_post: Post) -> None:
    post = sqlite_post
    sent = post.send(30)
    original = post.record(sent)
    post.max_fee_wei = fees_of(original, original.raw)[0] * 9 // 8 - 1
    post.now += 61
    with pytest.raises(OutcomeUnknownError) as caught:
        post.outbox.settle(sent)
    assert "max_fee_gwei" in caught.value.advice
    assert post.record(sent) == original
    # Dropped, it must go first nevertheless: nothing else is sent.
    post.mine_at(100)
    post.chain.node.write("anvil_dropTransaction", [to_hex(original.hash)])
    with pytest.raises(LedgerError, match="must go first"):
        post.send(31)
    post.max_fee_wei = 10**12
    second = post.send(31)
    post.mine_at(100)
    assert post.settle(sent).nonce + 1 == post.settle(second).nonce


def test_nothing_is_signed_while_the_chain_asks_for_more_than_is_allowed(sqlite_post: Post) -> None:
    post = sqlite_post
    post.mine_at(100)
    post.max_fee_wei = 100 * GWEI
    with pytest.raises(LedgerError, match="at most 100 may be paid"):
        post.send(30)
    post.max_fee_wei = 101 * GWEI
    record = post.record(post.send(30))
    assert fees_of(record, record.raw)[0] == 101 * GWEI


def test_what_is_stuck_is_raised_by_whoever_waits_behind_it(
    post: Post, institutions: tuple[InstitutionId, InstitutionId]
) -> None:
    sent = post.send(30)
    other = post.of(institutions[1])
    behind = other.send(40)
    other.wait_in_vain(behind)
    assert post.record(sent).others
    assert not other.record(behind).others
    post.chain.mine()
    assert post.settle(sent).nonce + 1 == other.settle(behind).nonce


@pytest.mark.parametrize("kind", [DiesBefore, DiesAfter])
def test_killed_while_raising_it_is_mined_once(
    post: Post, institutions: tuple[InstitutionId, InstitutionId], kind: type[TransactionSender]
) -> None:
    sent = post.send(30)
    run_killed(raise_and_die, post.place, institutions[0], sent, kind)
    raised = post.record(sent)
    assert len(raised.others) == 1
    assert post.has(raised.hash) == (kind is DiesAfter)
    post.now = NOW + 61
    again = post.wait_in_vain(sent)  # 61 seconds after that
    assert len(again.others) == 2
    post.chain.mine()
    assert post.settle(sent).hash == again.hash
    assert anchorings(post.chain, 30) == 1


def test_a_raised_one_that_a_reorganisation_took_back_is_mined_again(sqlite_post: Post) -> None:
    post, sent = sqlite_post, sqlite_post.send(30)
    raised = post.wait_in_vain(sent)
    post.chain.mine()
    assert post.settle(sent).hash == raised.hash
    post.chain.node.write("anvil_reorg", [1, []])
    assert anchorings(post.chain, 30) == 0
    assert post.wait_in_vain(sent, seconds=0).state is TransactionState.SENT
    again = post.wait_in_vain(sent)
    assert len(again.others) == 2, "it may be stuck once more"
    post.chain.mine()
    assert post.settle(sent).hash == again.hash
    assert anchorings(post.chain, 30) == 1


def test_refused_when_mined_it_cost_something_all_the_same(sqlite_post: Post) -> None:
    post, sent = sqlite_post, sqlite_post.send(30)
    post.chain.node.write("anvil_dropTransaction", [to_hex(post.record(sent).hash)])
    post.chain.set_mining(automatic=True)
    since = post.chain.client.latest_block().header.timestamp
    post.chain.execute(CONTROLLER, post.chain.contract.compromise_key(dev_signer(ANCHOR_KEY).address, since=since))
    with pytest.raises(RevertedError):
        post.outbox.settle(sent)
    record = post.record(sent)
    assert record.state is TransactionState.REFUSED
    assert record.gas_used
    assert record.gas_price_wei


def test_raised_and_mined_by_another_process_meanwhile_it_is_not_taken_for_replaced(
    sqlite_post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, sent = sqlite_post, sqlite_post.send(30)
    really = TransactionSender.reconcile

    def overtaken(self: TransactionSender, *versions: SignedTransaction) -> Reconciliation:
        monkeypatch.setattr(TransactionSender, "reconcile", really)
        post.wait_in_vain(sent)
        post.chain.mine()
        return really(self, *versions)

    monkeypatch.setattr(TransactionSender, "reconcile", overtaken)
    settled = post.settle(sent)
    assert settled.state is TransactionState.MINED
    assert len(settled.others) == 1
