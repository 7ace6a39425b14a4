"""Revoking, suspending and reinstating on a real chain, by file and by id."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from anchor.errors import (
    CredentialFormatError,
    InclusionError,
    LedgerError,
    NotAnchoredError,
    OutcomeUnknownError,
    RevertedError,
)
from anchor.ledger.answers import Receipt
from anchor.ledger.client import LedgerClient
from anchor.model import Outcome, StatusPosition
from anchor.status import StatusPurpose, positions_of
from registry.errors import NotFoundError, NotPermittedError
from registry.services import anchoring
from registry.services.status_plan import StatusPlan
from registry.services.targets import Choice, StatusTarget
from registry.store.batches import get_credential, iterate_credentials
from registry.store.records import BatchRecord, StatusKind
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, STRANGER, Chain
from tests.ledger.proxy import Fault, FaultProxy, when
from tests.ledger.test_issuing import FAULTS, KILL_POINTS, SEND, Killed
from tests.support.databases import Database
from tests.support.issuing import make_batch
from tests.support.office import Office
from tests.support.registry import NOW


@pytest.fixture
def office(chain: Chain, tmp_path: Path, database: Database) -> Office:
    return Office(chain=chain, folder=tmp_path, database=database, client=chain.client)


@pytest.fixture
def batch(office: Office) -> BatchRecord:
    batch = office.seal(300)
    office.anchoring().anchor(batch.id, now=NOW)
    return batch


def change(office: Office, kind: StatusKind, *files: bytes) -> tuple[StatusPlan, tuple[Receipt, ...]]:
    targets = [office.targets.of_file(f"{number}.json", data) for number, data in enumerate(files)]
    return office.change(targets, kind)


def position_of(target: StatusTarget) -> StatusPosition:
    ((status_list, words),) = target.words.items()
    ((word, mask),) = words.items()
    (position,) = positions_of(status_list, word, mask)
    return position


def test_revoked_for_good(office: Office, batch: BatchRecord) -> None:
    files = office.files(batch.id)
    plan, receipts = change(office, StatusKind.REVOKE, files[0])
    assert [target.name for target in plan.changed] == ["0.json"]
    assert (plan.refused, plan.count, len(receipts)) == ((), 1, 1)
    verdict = office.verdict(files[0])
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "revoked")
    assert office.verdict(files[1]).outcome is Outcome.VALID
    office.audit()


def test_suspended_and_reinstated(office: Office, batch: BatchRecord) -> None:
    (data, *_) = office.files(batch.id)
    change(office, StatusKind.SUSPEND, data)
    assert office.verdict(data).reason == "suspended"
    change(office, StatusKind.REINSTATE, data)
    assert office.verdict(data).outcome is Outcome.VALID
    office.audit()


def test_many_at_once_in_one_transaction(office: Office, batch: BatchRecord) -> None:
    files = office.files(batch.id)
    some = [files[index] for index in (0, 5, 255, 256, 299)]
    plan, receipts = change(office, StatusKind.REVOKE, *some, some[0])
    assert (plan.count, len(plan.changed), len(receipts)) == (5, 5, 1)
    assert {office.verdict(data).reason for data in some} == {"revoked"}
    assert len(office.audit().positions(StatusPurpose.REVOCATION)) == 5


def test_by_file_with_the_database_gone(office: Office, batch: BatchRecord) -> None:
    (data, *_) = office.files(batch.id)
    office.store.close()
    office.database.empty()
    later = office.restarted()
    change(later, StatusKind.REVOKE, data)
    assert later.verdict(data).reason == "revoked"


@pytest.mark.parametrize("form", ["{}", "urn:uuid:{}", "URN:UUID:{}"])
def test_by_id(office: Office, batch: BatchRecord, form: str) -> None:
    with office.store.reading() as connection:
        each = next(iterate_credentials(connection, batch.id))
        assert get_credential(connection, each.uuid) == each
    office.change(office.targets.of_text(form.format(each.uuid), Choice()), StatusKind.REVOKE)
    assert office.verdict(office.files(batch.id)[0]).reason == "revoked"


def test_what_would_change_nothing_is_passed_over(office: Office, batch: BatchRecord) -> None:
    files = office.files(batch.id)
    change(office, StatusKind.REVOKE, files[0])
    change(office, StatusKind.SUSPEND, files[1])

    def words(kind: StatusKind, data: bytes) -> list[str]:
        plan, receipts = change(office, kind, data)
        assert not plan.changed
        assert not receipts
        return [why for _, why in plan.refused]

    assert words(StatusKind.REVOKE, files[0]) == ["is already revoked"]
    assert words(StatusKind.SUSPEND, files[0]) == ["is revoked, and revocation is permanent"]
    assert words(StatusKind.REINSTATE, files[0]) == ["is revoked, and revocation is permanent"]
    assert words(StatusKind.SUSPEND, files[1]) == ["is already suspended"]
    assert words(StatusKind.REINSTATE, files[2]) == ["is not suspended"]
    mixed, _ = change(office, StatusKind.SUSPEND, *files[:3])
    assert [target.name for target in mixed.changed] == ["2.json"]
    assert len(mixed.refused) == 2
    office.audit()


def test_a_suspended_one_may_be_revoked(office: Office, batch: BatchRecord) -> None:
    (data, *_) = office.files(batch.id)
    change(office, StatusKind.SUSPEND, data)
    change(office, StatusKind.REVOKE, data)
    assert office.verdict(data).reason == "revoked"


def test_a_file_that_was_altered_is_refused(office: Office, batch: BatchRecord) -> None:
    (data, *_) = office.files(batch.id)
    value = json.loads(data)
    index = int(value["credentialStatus"][0]["statusListIndex"])
    other = data.replace(f"uint256={index}".encode(), f"uint256={index + 1}".encode())
    other = other.replace(f'"statusListIndex":"{index}"'.encode(), f'"statusListIndex":"{index + 1}"'.encode())
    with pytest.raises(InclusionError, match=r"mine\.json"):
        office.targets.of_file("mine.json", other)


def test_a_forged_batch_cannot_have_another_credential_revoked(office: Office, batch: BatchRecord) -> None:
    """Somebody makes a tree of his own, with the position of a credential that is not his."""
    with office.store.reading() as connection:
        victim = next(iterate_credentials(connection, batch.id))
    assert victim.position.index == 0
    _, (forged, *_) = make_batch(
        office.chain.registry, office.chain.issuer_id, DID, ["A", "B"], status_list=victim.position.status_list
    )
    target = office.targets.of_file("forged.json", json.dumps(forged).encode())
    assert position_of(target) == victim.position
    with pytest.raises(NotAnchoredError):
        office.change([target], StatusKind.REVOKE)
    assert office.verdict(office.files(batch.id)[0]).outcome is Outcome.VALID


def test_credentials_of_others_are_refused(office: Office, batch: BatchRecord) -> None:
    _, (foreign, *_) = make_batch(office.chain.registry, office.chain.issuer_id + 1, DID, ["A"])
    with pytest.raises(NotPermittedError, match="not anchored by issuer"):
        office.targets.of_file("a.json", json.dumps(foreign).encode())
    del foreign["proof"]
    with pytest.raises(NotPermittedError):
        office.targets.of_file("a.json", json.dumps(foreign).encode())
    with pytest.raises(CredentialFormatError, match=r"a\.json: not JSON"):
        office.targets.of_file("a.json", b"x")


def test_ids_that_lead_nowhere(office: Office) -> None:
    with pytest.raises(NotFoundError, match="neither a file, nor the id"):
        office.targets.of_text("nonsense", Choice())
    with pytest.raises(NotFoundError, match="no credential"):
        office.targets.of_text("urn:uuid:8d8a9c1e-0000-4000-8000-000000000001", Choice())


def test_a_batch_that_is_not_anchored_has_no_status(office: Office) -> None:
    batch = office.seal()
    with pytest.raises(NotAnchoredError, match="not on the ledger"):
        change(office, StatusKind.REVOKE, office.files(batch.id)[0])


@pytest.mark.parametrize("account", [ANCHOR_KEY, STRANGER])
def test_a_key_that_may_not_change_status(office: Office, batch: BatchRecord, account: int) -> None:
    target = office.targets.of_file("a.json", office.files(batch.id)[0])
    with pytest.raises(RevertedError):
        office.change([target], StatusKind.REVOKE, service=office.status(office.sender(account)))


def finish(office: Office, target: StatusTarget) -> None:
    """Ask again, as a registrar would; whatever became of the first time, it is revoked now, once."""
    office.change([target], StatusKind.REVOKE)
    history = office.audit()
    assert history.positions(StatusPurpose.REVOCATION) == (position_of(target),)
    assert len(history.changes_of(position_of(target))) == 1


@pytest.mark.parametrize("label", [label for label, point in KILL_POINTS.items() if point.owner is not anchoring])
def test_killed_anywhere_asking_again_does_it_once(
    office: Office, batch: BatchRecord, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = office.targets.of_file("a.json", office.files(batch.id)[0])
    with monkeypatch.context() as patch:
        KILL_POINTS[label].arm(patch)
        with pytest.raises(Killed):
            office.change([target], StatusKind.REVOKE)
    finish(office.restarted(), target)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_with_a_node_that_fails_asking_again_does_it_once(
    office: Office, batch: BatchRecord, proxy: FaultProxy, spoiled: LedgerClient, fault: Fault
) -> None:
    before = replace(office, client=spoiled, wait_seconds=0.2)
    target = office.targets.of_file("a.json", office.files(batch.id)[0])
    proxy.rule = when(SEND, fault)
    with suppress(LedgerError):
        before.change([target], StatusKind.REVOKE)
    finish(office.restarted(), target)


def test_pending_until_it_is_mined(office: Office, batch: BatchRecord) -> None:
    target = office.targets.of_file("a.json", office.files(batch.id)[0])
    office.wait_seconds = 0.1
    office.chain.set_mining(automatic=False)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            office.change([target], StatusKind.REVOKE)
    office.chain.mine()
    finish(office.restarted(), target)


def test_an_earlier_one_that_was_outrun_is_asked_for_again(
    office: Office, batch: BatchRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = office.targets.of_file("a.json", office.files(batch.id)[0])
    with monkeypatch.context() as patch:
        KILL_POINTS["before broadcast"].arm(patch)
        with pytest.raises(Killed):
            office.change([target], StatusKind.REVOKE)
    office.chain.execute(STATUS_KEY, office.chain.revoke_call([0], [1]))  # somebody without the lock uses the nonce
    office.restarted().change([target], StatusKind.REVOKE)
    assert office.verdict(office.files(batch.id)[0]).reason == "revoked"
