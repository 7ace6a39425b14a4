"""Keys without coin: they sign, another account sends and pays; nothing happens twice, whoever is killed or late."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from anchor.errors import KeyUnavailableError, RevertedError
from anchor.events import BatchAnchored, CredentialsRevoked
from anchor.ledger.answers import Receipt
from anchor.ledger.contract import require_event
from anchor.ledger.prepared import read_back
from anchor.ledger.relayed import Authorisation, next_nonce, read_authorisation
from anchor.ledger.relaying import AUTHORISED_SECONDS, RelayingSender
from anchor.ledger.testnet import dev_signer
from anchor.ledger.transactions import SignedTransaction
from anchor.model import Address, Outcome, to_hex
from anchor.status import StatusReason
from registry.errors import BusyError
from registry.senders import account_lock
from registry.services.account import Raising
from registry.services.anchoring import Anchoring
from registry.services.issue import seal_batch
from registry.services.sending import Outbox
from registry.services.spool import RecipientSpool
from registry.services.status import StatusService
from registry.settings import settings_to_text
from registry.store.records import BatchId, BatchRecord, BatchState, StatusKind, TransactionId, TransactionRecord
from registry.store.transactions import get_transaction
from registry.wiring import Institution, now
from tests.ledger.chain import ADMIN, ANCHOR_KEY, DID, STATUS_KEY, Chain
from tests.ledger.test_issuing import Killed
from tests.support.databases import Database
from tests.support.office import Office
from tests.support.registry import frame_of, recipients_of
from tests.support.remote_signer import stand_in
from tests.support.senders import keep_nothing

RELAYER = 5


class Dying(RelayingSender):
    """Killed when what it signed is kept, and no node has it."""

    def broadcast(self, signed: SignedTransaction) -> None:
        del signed
        raise Killed


@dataclass(kw_only=True)
class Agency:
    """An institution whose keys only sign, and the operator's account that sends."""

    chain: Chain
    office: Office

    @property
    def now(self) -> int:
        return self.chain.client.latest_block().header.timestamp

    def outbox(self, account: int = ANCHOR_KEY, kind: type[RelayingSender] = RelayingSender) -> Outbox:
        payer = dev_signer(RELAYER)
        sender = kind(
            self.chain.client,
            registry=self.chain.registry,
            key=dev_signer(account),
            signer=payer,
            lock=account_lock(self.office.folder, self.chain.chain_id, payer.address, self.office.store),
        )
        raising = Raising(after_seconds=None, clock=lambda: self.now)
        return Outbox(self.office.store, sender, wait_seconds=5, raising=raising)

    def anchoring(self, kind: type[RelayingSender] = RelayingSender) -> Anchoring:
        office = self.office
        return Anchoring(office.store, self.outbox(kind=kind), office.view, office.approvals)

    def status(self, kind: type[RelayingSender] = RelayingSender) -> StatusService:
        return StatusService(self.office.store, self.outbox(STATUS_KEY, kind), self.office.view, self.chain.issuer_id)

    def change(
        self, kind: StatusKind, files: Sequence[bytes], *, now: int | None = None, service: StatusService | None = None
    ) -> tuple[Receipt, ...]:
        service = service or self.status()
        targets = [self.office.targets.of_file(f"{number}.json", data) for number, data in enumerate(files)]
        plan = service.plan(targets, kind, StatusReason.OTHER)
        return service.carry_out(plan, now=self.now if now is None else now)

    def record(self, number: int) -> TransactionRecord:
        with self.office.store.reading() as connection:
            return get_transaction(connection, TransactionId(number))

    def nonce(self) -> int:
        return next_nonce(self.chain.client, self.chain.registry, dev_signer(STATUS_KEY).address)

    def authorisation(self, raw: bytes) -> Authorisation:
        found = read_authorisation(self.chain.registry, read_back(raw, dev_signer(RELAYER).address).call)
        assert found is not None
        return found

    def check_anchored_once(self, number: BatchId) -> None:
        batch = self.office.batch(number)
        assert batch.state is BatchState.ANCHORED
        assert sum(getattr(event, "root", None) == batch.root for event in self.office.audit().events) == 1
        assert {self.office.verdict(data).outcome for data in self.office.files(number)} == {Outcome.VALID}


@pytest.fixture
def agency(chain: Chain, tmp_path: Path, sqlite_database: Database) -> Iterator[Agency]:
    for account in (ANCHOR_KEY, STATUS_KEY):
        chain.node.write("anvil_setBalance", [to_hex(dev_signer(account).address), "0x0"])
    chain.mine()
    yield Agency(
        chain=chain, office=Office(chain=chain, folder=tmp_path, database=sqlite_database, client=chain.client)
    )
    chain.node.write("anvil_dropAllTransactions", [])


@pytest.fixture
def batch(agency: Agency) -> BatchRecord:
    batch = agency.office.seal(300)
    agency.anchoring().anchor(batch.id, now=agency.now)
    return batch


def actor_of(receipt: Receipt, chain: Chain) -> Address:
    return require_event(receipt, chain.registry, CredentialsRevoked).actor


def test_the_key_anchors_and_the_account_pays(agency: Agency) -> None:
    chain, batch = agency.chain, agency.office.seal(9)
    agency.anchoring().check_ready(chain.issuer_id, "did:web:college.example")
    assert chain.client.mined_count(dev_signer(RELAYER).address) == 0, "asking signs nothing"
    anchored = agency.anchoring().anchor(batch.id, now=agency.now)
    assert anchored.transaction is not None
    assert anchored.transaction.gas_used is not None
    assert anchored.transaction.gas_used <= 95_000
    assert anchored.transaction.sender == dev_signer(RELAYER).address
    assert anchored.transaction.authorised_by == dev_signer(ANCHOR_KEY).address
    assert agency.authorisation(anchored.transaction.raw).deadline <= agency.now + AUTHORISED_SECONDS
    (event,) = (each for each in agency.office.audit().events if isinstance(each, BatchAnchored))
    assert event.actor == dev_signer(ANCHOR_KEY).address
    assert chain.client.balance(dev_signer(ANCHOR_KEY).address) == 0
    agency.check_anchored_once(batch.id)


def test_all_changes_of_status_are_relayed(agency: Agency, batch: BatchRecord) -> None:
    files = agency.office.files(batch.id)
    kinds = [StatusKind.REVOKE, StatusKind.SUSPEND, StatusKind.REINSTATE]
    for number, (kind, some) in enumerate(zip(kinds, (files[:2], files[2:4], files[3:4]), strict=True)):
        assert agency.nonce() == number
        agency.change(kind, some)
    outcomes = [agency.office.verdict(each).reason for each in files[:5]]
    assert outcomes == ["revoked", "revoked", "suspended", "", ""]
    service, whole = agency.status(), agency.office.targets.of_batch(batch.id)
    assert service.carry_out(service.plan([whole], StatusKind.REVOKE, StatusReason.OTHER), now=agency.now)
    assert agency.office.verdict(files[4]).reason == "batchRevoked"
    assert agency.nonce() == 4


def test_whole_list_fits_into_the_gas_that_is_asked_for(agency: Agency) -> None:
    call = agency.chain.revoke_call(list(range(512)), [2**256 - 1] * 512)
    outbox = agency.outbox(STATUS_KEY)
    receipt = outbox.settle(outbox.send(call, keep_nothing, now=agency.now))
    assert actor_of(receipt, agency.chain) == dev_signer(STATUS_KEY).address


def test_status_key_signs_one_after_the_other(agency: Agency) -> None:
    chain = agency.chain
    chain.set_mining(automatic=False)
    outbox = agency.outbox(STATUS_KEY)
    first = outbox.send(chain.revoke_call([0], [1]), keep_nothing, now=agency.now)
    with pytest.raises(BusyError, match="one after the other"):
        agency.outbox(STATUS_KEY).send(chain.revoke_call([0], [2]), keep_nothing, now=agency.now)
    # Another key's authorisations, and anchorings, need not wait.
    anchoring = agency.outbox()
    others = [anchoring.send(chain.anchor_call(number), keep_nothing, now=agency.now) for number in (30, 31)]
    chain.mine()
    nonces = [agency.record(each).nonce for each in (first, *others)]
    assert nonces == [0, 1, 2]
    assert all(outbox.settle(each).succeeded for each in (first, *others))
    second = outbox.send(chain.revoke_call([0], [2]), keep_nothing, now=agency.now)
    chain.mine()
    assert outbox.settle(second).succeeded
    assert agency.nonce() == 2


def test_killed_before_sending_and_late_it_is_signed_anew_and_anchored_once(agency: Agency) -> None:
    batch = agency.office.seal(5)
    long_ago = agency.now - AUTHORISED_SECONDS - 10
    with pytest.raises(Killed):
        agency.anchoring(Dying).anchor(batch.id, now=long_ago)
    before = agency.record(1)
    assert agency.authorisation(before.raw).deadline < agency.now
    agency.anchoring().anchor(batch.id, now=agency.now)
    after = agency.record(1)
    assert [each.hash for each in after.others] == [before.hash]
    assert agency.authorisation(after.raw).deadline > agency.now
    assert after.nonce == before.nonce
    agency.check_anchored_once(batch.id)


def test_change_that_was_killed_and_is_late_is_signed_anew_with_its_nonce(agency: Agency, batch: BatchRecord) -> None:
    files = agency.office.files(batch.id)[:1]
    long_ago = agency.now - AUTHORISED_SECONDS - 10
    with pytest.raises(Killed):
        agency.change(StatusKind.SUSPEND, files, now=long_ago, service=agency.status(Dying))
    before = agency.record(2)
    assert agency.change(StatusKind.SUSPEND, files) == (), "the plan settled what was kept: nothing is left to do"
    after = agency.record(2)
    assert [agency.authorisation(each.raw).nonce for each in after.versions] == [0, 0]
    assert after.hash != before.hash
    assert agency.nonce() == 1
    assert agency.office.verdict(files[0]).reason == "suspended"


def test_what_was_still_good_is_sent_as_it_was(agency: Agency) -> None:
    batch = agency.office.seal(5)
    with pytest.raises(Killed):
        agency.anchoring(Dying).anchor(batch.id, now=agency.now)
    before = agency.record(1)
    agency.anchoring().anchor(batch.id, now=agency.now)
    assert agency.record(1).versions == before.versions
    agency.check_anchored_once(batch.id)


def test_mined_too_late_it_is_refused_and_sent_again(agency: Agency) -> None:
    batch = agency.office.seal(5)
    with pytest.raises(RevertedError) as refused:
        agency.anchoring().anchor(batch.id, now=agency.now - AUTHORISED_SECONDS - 10)
    assert refused.value.name == "SignatureExpired"
    assert agency.office.batch(batch.id).state is BatchState.FAILED
    agency.anchoring().anchor(batch.id, now=agency.now)
    agency.check_anchored_once(batch.id)


def test_only_what_the_contract_relays_is_relayed(agency: Agency) -> None:
    outbox = agency.outbox(ADMIN)
    call = agency.chain.contract.accredit(did="did:web:x.example", controller=dev_signer(ADMIN).address)
    with pytest.raises(KeyUnavailableError, match="cannot be relayed"):
        outbox.send(call, keep_nothing, now=agency.now)


def test_key_that_may_not_is_told_so_before_it_signs(agency: Agency) -> None:
    with pytest.raises(RevertedError) as refused:
        agency.outbox(STATUS_KEY).send(agency.chain.anchor_call(30), keep_nothing, now=agency.now)
    assert refused.value.name == "WrongScope"


def test_institution_with_a_remote_signer_issues_by_its_settings(chain: Chain, tmp_path: Path) -> None:
    for account in (ANCHOR_KEY, STATUS_KEY):
        chain.node.write("anvil_setBalance", [to_hex(dev_signer(account).address), "0x0"])
    chain.mine()
    accounts = [dev_signer(account)._account for account in (ANCHOR_KEY, STATUS_KEY, RELAYER)]
    with stand_in(*(each.key for each in accounts)) as remote:
        anchor_key, status_key, relayer_key = map(remote.reference, accounts)
        settings: dict[str, str | int] = {
            "rpc_url": chain.url,
            "public_url": "https://credentials.college.example",
            "registry": chain.registry.to_text(),
            "issuer_id": chain.issuer_id,
            "issuer_did": DID,
            "issuer_name": "Collège Boréalis",
            "anchor_key": anchor_key,
            "status_key": status_key,
        }
        service = f"relayed = true\n[service]\nrelayer_key = {json.dumps(relayer_key)}\n"
        (tmp_path / "settings.toml").write_text(settings_to_text(settings) + service)
        institution = Institution(tmp_path, lambda: "")
        frame = frame_of(registry=chain.registry, issuer_id=chain.issuer_id)
        batch = seal_batch(
            institution.store, frame, RecipientSpool.of(recipients_of(3)), approvals=institution.approvals
        )
        told = institution.cost_of_anchoring(batch.root, batch.size)
        anchored = institution.anchoring.anchor(batch.id, now=now())
        plan = institution.status.plan([institution.targets.of_batch(batch.id)], StatusKind.REVOKE, StatusReason.OTHER)
        assert institution.status.carry_out(plan, now=now())
        institution.store.close()
    assert anchored.transaction is not None
    assert anchored.transaction.sender == dev_signer(RELAYER).address
    used = anchored.transaction.gas_used
    assert used is not None
    assert used * 0.9 <= told.gas <= used * 1.1
    assert remote.asked == ["eth_signTypedData", "eth_signTransaction"] * 2
