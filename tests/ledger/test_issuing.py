"""From a sealed batch to an anchored one on a real chain, killed and with a node that fails at every step."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from anchor.errors import (
    LedgerError,
    LedgerUnavailableError,
    OutcomeUnknownError,
    RevertedError,
    UndeterminedError,
    WrongLedgerError,
)
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.transactions import SignedTransaction, TransactionSender
from anchor.model import Outcome, RegistryId, address
from registry.errors import BudgetError, ConflictError, NotFoundError, NotPermittedError, StoreError
from registry.services import anchoring as anchoring_module
from registry.services import operation, sending
from registry.services.approvals import Approvals
from registry.services.ledger_state import LedgerView
from registry.store.batches import move_batch
from registry.store.records import BatchId, BatchState
from registry.store.tables import credentials
from tests.ledger.chain import ANCHOR_KEY, CONTROLLER, DID, STATUS_KEY, STRANGER, Chain
from tests.ledger.proxy import Fault, FaultProxy, refusing, when
from tests.support.databases import Database
from tests.support.office import Office
from tests.support.registry import APPROVALS, NOW

SEND, RECEIPT = "eth_sendRawTransaction", "eth_getTransactionReceipt"


@pytest.fixture
def office(chain: Chain, tmp_path: Path, database: Database) -> Office:
    return Office(chain=chain, folder=tmp_path, database=database, client=chain.client)


class Killed(BaseException):
    """The process is no more."""


def check_anchored_once(office: Office, batch_id: BatchId) -> None:
    """The ledger, the database and a verifier agree that it happened, and happened once."""
    batch = office.batch(batch_id)
    assert batch.state is BatchState.ANCHORED
    history = office.audit()
    events = [event for event in history.events if getattr(event, "root", None) == batch.root]
    assert len(events) == 1
    assert batch.anchored_at == events[0].at == history.batches[batch.root].anchored_at
    assert {office.verdict(data).outcome for data in office.files(batch_id)} == {Outcome.VALID}


def test_a_sealed_batch_is_anchored(office: Office) -> None:
    anchoring, batch = office.anchoring(), office.seal(9)
    anchoring.check_ready(office.chain.issuer_id, DID)
    anchored = anchoring.anchor(batch.id, now=NOW)
    assert anchored.transaction is not None
    assert anchored.transaction.gas_used is not None
    assert anchored.transaction.gas_used <= 62_000
    check_anchored_once(office, batch.id)


def test_anchoring_again_sends_nothing(office: Office) -> None:
    batch = office.seal()
    first = office.anchoring().anchor(batch.id, now=NOW)
    assert office.restarted().anchoring().anchor(batch.id, now=NOW) == first
    check_anchored_once(office, batch.id)


def test_one_and_many(office: Office) -> None:
    for count in (1, 2, 33):
        batch = office.seal(count)
        office.anchoring().anchor(batch.id, now=NOW)
        check_anchored_once(office, batch.id)


@dataclass
class KillPoint:
    """Where the process is killed: at a function, before or after it did its work."""

    owner: Any
    name: str
    after: bool

    def arm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real: Callable[..., object] = getattr(self.owner, self.name)

        def killing(*args: Any, **kwargs: Any) -> object:
            if self.after:
                real(*args, **kwargs)
            raise Killed

        monkeypatch.setattr(self.owner, self.name, killing)


KILL_POINTS = {
    f"{'after' if after else 'before'} {label}": KillPoint(owner, name, after)
    for label, owner, name in (
        ("prepare", TransactionSender, "prepare"),
        ("sign", TransactionSender, "sign"),
        ("keep", sending, "keep_transaction"),
        ("broadcast", TransactionSender, "broadcast"),
        ("note sent", sending.Outbox, "_note"),
        ("reconcile", TransactionSender, "reconcile"),
        ("wait", TransactionSender, "wait_for_receipt"),
        ("note mined", anchoring_module, "note_mined"),
        ("move", anchoring_module, "move_batch"),
    )
    for after in (False, True)
}


@pytest.mark.parametrize("point", KILL_POINTS.values(), ids=KILL_POINTS.keys())
def test_killed_anywhere_it_goes_on_and_anchors_once(
    office: Office, point: KillPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = office.seal()
    with monkeypatch.context() as patch:
        point.arm(patch)
        with pytest.raises(Killed):
            office.anchoring().anchor(batch.id, now=NOW)
    later = office.restarted()
    later.anchoring().anchor(batch.id, now=NOW)
    check_anchored_once(later, batch.id)


FAULTS = [
    Fault.DROP_BEFORE,
    Fault.DROP_AFTER,
    Fault.HANG_AFTER,
    Fault.GARBAGE,
    Fault.TRUNCATED,
    Fault.ERROR_500_BEFORE,
    Fault.ERROR_500_AFTER,
    Fault.BUSY,
    Fault.NULL,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("method", [SEND, RECEIPT, "eth_estimateGas", "eth_getTransactionCount", "eth_chainId"])
def test_with_a_node_that_fails_it_goes_on_and_anchors_once(
    office: Office, proxy: FaultProxy, spoiled: LedgerClient, method: str, fault: Fault
) -> None:
    batch = office.seal()
    before = replace(office, client=spoiled, wait_seconds=0.2)
    anchoring = before.anchoring()
    proxy.rule = when(method, fault)
    try:
        anchoring.anchor(batch.id, now=NOW)
    except LedgerError as error:
        assert f"--resume {batch.id}" in error.advice  # noqa: PT017 - it may also succeed
    later = office.restarted()
    later.anchoring().anchor(batch.id, now=NOW)
    check_anchored_once(later, batch.id)


def test_pending_until_it_is_mined(office: Office) -> None:
    batch = office.seal()
    office.wait_seconds = 0.1
    office.chain.set_mining(automatic=False)
    with pytest.raises(OutcomeUnknownError, match="not mined") as caught:
        office.anchoring().anchor(batch.id, now=NOW)
    assert f"--resume {batch.id}" in caught.value.advice
    assert office.batch(batch.id).state is BatchState.SENT
    with pytest.raises(OutcomeUnknownError):
        office.anchoring().anchor(batch.id, now=NOW)
    office.chain.mine()
    later = office.restarted()
    later.anchoring().anchor(batch.id, now=NOW)
    check_anchored_once(later, batch.id)


def test_a_transaction_that_was_replaced_is_sent_anew(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = office.seal()
    with monkeypatch.context() as patch:
        KILL_POINTS["before broadcast"].arm(patch)
        with pytest.raises(Killed):
            office.anchoring().anchor(batch.id, now=NOW)
    office.chain.anchor(77)  # somebody without the lock uses the nonce
    later = office.restarted()
    later.anchoring().anchor(batch.id, now=NOW)
    check_anchored_once(later, batch.id)


def test_replaced_again_and_again_it_gives_up_for_now(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, numbers = office.seal(), iter(range(100, 110))
    real = TransactionSender.broadcast

    def outrun(self: TransactionSender, signed: SignedTransaction) -> None:
        monkeypatch.setattr(TransactionSender, "broadcast", real)
        office.chain.anchor(next(numbers))
        monkeypatch.setattr(TransactionSender, "broadcast", outrun)
        real(self, signed)

    monkeypatch.setattr(TransactionSender, "broadcast", outrun)
    with pytest.raises(OutcomeUnknownError, match="replaced again and again"):
        office.anchoring().anchor(batch.id, now=NOW)
    monkeypatch.setattr(TransactionSender, "broadcast", real)
    office.restarted().anchoring().anchor(batch.id, now=NOW)
    check_anchored_once(office, batch.id)


def test_a_root_that_is_anchored_already_is_found_out_by_state_proof(office: Office) -> None:
    batch = office.seal()
    call = office.chain.contract.anchor(issuer_id=office.chain.issuer_id, root=batch.root, size=batch.size)
    office.chain.execute(ANCHOR_KEY, call)
    anchored = office.anchoring().anchor(batch.id, now=NOW)
    assert anchored.transaction is None
    check_anchored_once(office, batch.id)


def test_a_root_that_is_anchored_with_another_size_is_refused(office: Office) -> None:
    batch = office.seal()
    call = office.chain.contract.anchor(issuer_id=office.chain.issuer_id, root=batch.root, size=batch.size + 1)
    office.chain.execute(ANCHOR_KEY, call)
    with pytest.raises(RevertedError, match="AlreadyAnchored"):
        office.anchoring().anchor(batch.id, now=NOW)
    assert office.batch(batch.id).state is BatchState.SEALED


def test_refused_when_mined_it_may_be_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the key is cut off between the estimate and the block."""
    batch = office.seal()
    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "estimate_gas", lambda *_arguments: 200_000)
        with pytest.raises(RevertedError, match="when it was mined"):
            office.anchoring(office.sender(STATUS_KEY)).anchor(batch.id, now=NOW)
    failed = office.batch(batch.id)
    assert failed.state is BatchState.FAILED
    assert failed.failure
    office.restarted().anchoring().anchor(batch.id, now=NOW)
    check_anchored_once(office, batch.id)


@pytest.mark.parametrize("account", [STATUS_KEY, STRANGER, CONTROLLER])
def test_a_key_that_may_not_anchor_is_found_out_before_sealing(office: Office, account: int) -> None:
    with pytest.raises(RevertedError):
        office.anchoring(office.sender(account)).check_ready(office.chain.issuer_id, DID)


def test_a_did_that_is_not_the_issuers_is_found_out_before_sealing(office: Office) -> None:
    with pytest.raises(WrongLedgerError, match=r"is not did:web:other\.example"):
        office.anchoring().check_ready(office.chain.issuer_id, "did:web:other.example")


def test_a_wrong_chain_or_registry_is_found_out_before_sealing(office: Office) -> None:
    elsewhere = RegistryId(chain_id=office.chain.registry.chain_id, address=address(bytes([7]) * 20))
    with pytest.raises(UndeterminedError, match="no contract"):
        LedgerView(office.client, elsewhere).check_issuer(1, DID)
    other_chain = RegistryId(chain_id=1, address=office.chain.registry.address)
    with pytest.raises(WrongLedgerError, match="not chain 1"):
        LedgerView(office.client, other_chain).check_issuer(1, DID)


def test_a_node_that_is_down_is_found_out_before_sealing(
    office: Office, proxy: FaultProxy, spoiled: LedgerClient
) -> None:
    down = replace(office, client=spoiled)
    anchoring = down.anchoring()
    proxy.rule = lambda _method, _count: Fault.DROP_BEFORE
    with pytest.raises(LedgerUnavailableError):
        anchoring.check_ready(office.chain.issuer_id, DID)


def test_an_account_without_coin_is_found_out(office: Office, proxy: FaultProxy, spoiled: LedgerClient) -> None:
    poor = replace(office, client=spoiled)
    batch = poor.seal()
    proxy.refuse = refusing("insufficient funds for gas * price + value", SEND)
    with pytest.raises(LedgerError, match="not enough coin"):
        poor.anchoring().anchor(batch.id, now=NOW)


def test_beyond_the_budget_nothing_is_signed_and_it_says_how_to_go_on(office: Office) -> None:
    batch = office.seal()
    operation.set_budget(office.store, "home", 1, now=NOW)
    with pytest.raises(BudgetError, match=r"to anchor the batch may cost 0\.0") as caught:
        office.anchoring().anchor(batch.id, now=NOW)
    assert f"--resume {batch.id}" in caught.value.advice
    assert office.batch(batch.id).state is BatchState.SEALED
    operation.set_budget(office.store, "home", None, now=NOW)
    office.anchoring().anchor(batch.id, now=NOW)
    check_anchored_once(office, batch.id)


def test_of_two_processes_one_gives_up_before_anything_is_sent(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, other = office.seal(), office.restarted()
    real = TransactionSender.prepare

    def overtaken(self: TransactionSender, call: Call) -> object:
        monkeypatch.setattr(TransactionSender, "prepare", real)
        with other.store.writing() as connection:
            move_batch(connection, batch, BatchState.FAILED, failure="for the test")
        return real(self, call)

    monkeypatch.setattr(TransactionSender, "prepare", overtaken)
    sent = office.chain.client.pending_count(office.sender(ANCHOR_KEY).address)
    with pytest.raises(ConflictError, match="another process"):
        office.anchoring().anchor(batch.id, now=NOW)
    assert office.chain.client.pending_count(office.sender(ANCHOR_KEY).address) == sent


def test_batches_of_another_registry_are_left_alone(office: Office, chain: Chain) -> None:
    batch = office.seal()
    elsewhere = RegistryId(chain_id=chain.registry.chain_id, address=address(bytes([7]) * 20))
    outbox = sending.Outbox(office.store, office.sender(ANCHOR_KEY))
    view = LedgerView(office.client, elsewhere)
    anchoring = anchoring_module.Anchoring(office.store, outbox, view, office.approvals)
    with pytest.raises(ConflictError, match="sealed for the registry"):
        anchoring.anchor(batch.id, now=NOW)


def test_no_such_batch(office: Office) -> None:
    with pytest.raises(NotFoundError):
        office.anchoring().anchor(BatchId(99), now=NOW)


def test_the_bytes_kept_are_those_that_were_sent(office: Office) -> None:
    batch = office.seal()
    anchored = office.anchoring().anchor(batch.id, now=NOW)
    assert anchored.transaction is not None
    sender = office.sender(ANCHOR_KEY)
    again = SignedTransaction(
        raw=anchored.transaction.raw,
        hash=anchored.transaction.hash,
        sender=anchored.transaction.sender,
        nonce=anchored.transaction.nonce,
    )
    sender.broadcast(again)  # the node has it: nothing happens
    check_anchored_once(office, batch.id)


def test_what_was_altered_in_the_database_is_not_signed(office: Office) -> None:
    """By somebody who cannot read the approval key, between sealing and anchoring."""
    batch = office.seal()
    with office.store.writing() as connection:
        connection.execute(update(credentials).where(credentials.c.leaf_index == 0).values(recipient_name="Mallory"))
    later = replace(office, approvals=Approvals(APPROVALS._key))
    with pytest.raises(StoreError, match="does not lead to its root"):
        later.anchoring().anchor(batch.id, now=NOW)
    stranger = replace(office, approvals=Approvals(bytes(32)))
    with pytest.raises(NotPermittedError, match="not approved on this machine"):
        stranger.anchoring().anchor(batch.id, now=NOW)
    assert office.batch(batch.id).state is BatchState.SEALED
    assert not [event for event in office.audit().events if getattr(event, "root", None) == batch.root]
