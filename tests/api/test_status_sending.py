"""A status change's job on its way: waiting for blocks, taken back by the chain, killed, relayed; it is done once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from anchor.ledger.relaying import RelayingSender
from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from registry.senders import account_lock
from registry.services.account import Raising
from registry.services.sending import Outbox
from registry.services.status import StatusService
from registry.services.worker import LEASE_SECONDS
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import list_jobs
from registry.store.tables import transactions
from tests.api.test_jobs import work
from tests.api.test_status import SOON, asked, second_batch, state_of, worker_of
from tests.api.town import Town
from tests.ledger.chain import STATUS_KEY

STATES = ["validated", "signed", "sent", "mined", "final"]
RELAYER = 5


class Killed(BaseException):
    """The process is no more."""


def states_of(town: Town, *addresses: str) -> list[Any]:
    return [town.get(each).json()["state"] for each in addresses]


def test_nothing_is_added_while_something_waits_to_be_mined(town: Town) -> None:
    town.here.office.wait_seconds = 0
    first = asked(town, "revoke", 0)
    town.chain.set_mining(automatic=False)
    worker = worker_of(town)
    assert worker.work_once()
    assert states_of(town, first) == ["sent"]
    later = [asked(town, "revoke", 1), asked(town, "revoke", 2), asked(town, "suspend", 3)]
    for now in range(SOON, SOON + 30, 6):
        work(worker_of(town, now))
    assert states_of(town, first, *later) == ["sent", *["validated"] * 3]
    town.chain.mine(1)
    for now in range(SOON + 30, SOON + 90, 6):
        work(worker_of(town, now))
        town.chain.mine(1)
    assert states_of(town, first, *later) == ["final"] * 4
    # What came while the first was waiting went together.
    (one,), (other,), _ = (town.get(each).json()["transactions"] for each in later)
    assert one == other


def test_key_that_only_signs_does_several_one_after_the_other(town: Town) -> None:
    here, payer, chain = town.here, dev_signer(RELAYER), town.chain
    batch = second_batch(town)
    # What the key signs ends by the chain's clock, and jobs are due by the service's.
    clock = max(chain.client.latest_block().header.timestamp, town.service.now()) + 60
    sender = RelayingSender(
        chain.client,
        registry=chain.registry,
        key=dev_signer(STATUS_KEY),
        signer=payer,
        lock=account_lock(here.office.folder, chain.chain_id, payer.address, here.store),
    )
    chain.mine(1)  # its clock stood still since the last test
    raising = Raising(after_seconds=None, clock=lambda: clock)
    service = StatusService(
        here.store, Outbox(here.store, sender, wait_seconds=0, raising=raising), here.office.view, 1
    )
    assert service.planner.issuer_id == here.issuer_id
    jobs = [asked(town, "revoke", 0, batches=[to_hex(batch.root)]), asked(town, "revoke", 1)]
    chain.set_mining(automatic=False)
    assert worker_of(town, clock, status=service).work_once()
    assert states_of(town, *jobs) == ["sent", "received"]
    assert town.get(jobs[0]).json()["failure"] is None
    for now in range(clock + 6, clock + 66, 6):
        work(worker_of(town, now, status=service))
        chain.mine(1)
    assert states_of(town, *jobs) == ["final", "final"]
    whole, bits = town.get(jobs[0]).json()["transactions"]
    assert town.get(jobs[1]).json()["transactions"] == [bits]
    assert whole != bits
    assert [state_of(town, place) for place in range(3)] == ["revoked", "revoked", "active"]


def test_final_only_when_the_block_that_shows_it_is(town: Town) -> None:
    address = asked(town, "revoke", 0)
    work(worker_of(town, confirmations=3))
    town.chain.mine(2)
    work(worker_of(town, SOON + 20, confirmations=3))
    assert town.get(address).json()["state"] == "mined"
    # What it is later does not matter: it came about.
    town.chain.mine(1)
    work(worker_of(town, SOON + 40, confirmations=3))
    assert town.get(address).json()["state"] == "final"


def test_change_that_the_chain_took_back_is_sent_again(town: Town) -> None:
    address = asked(town, "revoke", 0)
    before = town.chain.node.write("evm_snapshot", [])
    worker = worker_of(town, confirmations=3)
    work(worker)
    assert (town.get(address).json()["state"], state_of(town, 0)) == ("mined", "revoked")
    town.chain.node.write("evm_revert", [before])
    assert state_of(town, 0) == "active"
    worker = worker_of(town, SOON + 20, confirmations=3)
    assert worker.work_once()
    assert town.get(address).json()["state"] == "sent"
    work(worker)
    town.chain.mine(3)
    work(worker_of(town, SOON + 40, confirmations=3))
    job = town.get(address).json()
    assert (job["state"], len(job["transactions"]), state_of(town, 0)) == ("final", 1, "revoked")
    town.here.office.audit()


def test_reinstated_since_and_reorganised_it_is_not_suspended_again(town: Town) -> None:
    first = asked(town, "suspend", 0)
    before = town.chain.node.write("evm_snapshot", [])
    work(worker_of(town, confirmations=5))
    second = asked(town, "reinstate", 0)
    work(worker_of(town, confirmations=5))
    town.chain.node.write("evm_revert", [before])
    # On the new chain both come about, in other blocks, before anybody looks.
    town.chain.mine(1)
    with town.here.store.reading() as connection:
        raws = connection.execute(select(transactions.c.raw).order_by(transactions.c.nonce)).scalars().all()[-2:]
    for raw in raws:
        town.chain.client.send_raw(raw)
    for now in (SOON + 20, SOON + 40):
        work(worker_of(town, now, confirmations=5))
        town.chain.mine(5)
    work(worker_of(town, SOON + 60, confirmations=5))
    assert states_of(town, first, second) == ["final", "final"]
    assert [len(town.get(each).json()["transactions"]) for each in (first, second)] == [1, 1]
    assert state_of(town, 0) == "active"


@pytest.mark.parametrize("state", STATES)
def test_killed_at_any_state_it_is_done_once(town: Town, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = second_batch(town)
    address = asked(town, "revoke", 0, batches=[to_hex(batch.root)])
    along = asked(town, "revoke", 1)
    job_id = address.rpartition("/")[2]
    really_writing = Store.writing

    @contextmanager
    def writing(store: Store) -> Iterator[InstitutionConnection]:
        with really_writing(store) as connection:
            yield connection
            (job,) = (each for each in list_jobs(connection) if str(each.public_id) == job_id)
        if job.state.value == state:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Store, "writing", writing)
        with pytest.raises(Killed):
            work(worker_of(town))
    for later in (1, 40):
        work(worker_of(town, SOON + LEASE_SECONDS + later))
    for each in (address, along):
        job = town.get(each).json()
        assert (job["state"], job["done"] == job["total"]) == ("final", True), job
    assert [state_of(town, place) for place in range(3)] == ["revoked", "revoked", "active"]
    # A change that changes nothing would have been refused: each came about once.
    history = town.here.office.audit()
    assert len(history.batches) == 2
