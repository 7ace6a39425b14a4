"""Changing the status of many: few transactions, whole batches by their root, and killed in between only the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from anchor.errors import LedgerError, NotAnchoredError
from anchor.model import Outcome
from anchor.status import LIST_SIZE, StatusPurpose, StatusReason
from registry.errors import StoreError
from registry.services.sending import Outbox
from registry.services.status_list import targets_of_list
from registry.services.targets import Choice, StatusTarget
from registry.store.batches import issuer_ref, iterate_credentials
from registry.store.erasure import erase_credentials
from registry.store.records import BatchRecord, StatusKind
from registry.store.tables import batches, credentials, issuers
from tests.ledger.chain import Chain
from tests.ledger.test_issuing import KILL_POINTS, Killed
from tests.support.databases import Database
from tests.support.office import Office
from tests.support.registry import NOW


@pytest.fixture
def office(chain: Chain, tmp_path: Path, database: Database) -> Office:
    return Office(chain=chain, folder=tmp_path, database=database, client=chain.client)


def anchored(office: Office, count: int) -> BatchRecord:
    batch = office.seal(count)
    office.anchoring().anchor(batch.id, now=NOW)
    return batch


def over_two_lists(office: Office, count: int = 6) -> BatchRecord:
    """A batch that ends one status list and begins the next."""
    with office.store.writing() as connection:
        issuer_ref(connection, office.chain.registry, office.chain.issuer_id)
        connection.execute(update(issuers).values(next_position=8 * LIST_SIZE - 3))
    return anchored(office, count)


def reasons(office: Office, batch: BatchRecord) -> list[str]:
    return [office.verdict(data).reason for data in office.files(batch.id)]


def test_a_whole_batch_is_revoked_by_its_root(office: Office) -> None:
    batch, other = anchored(office, 300), anchored(office, 2)
    target = office.targets.of_batch(batch.id)
    plan, receipts = office.change([target, target], StatusKind.REVOKE, StatusReason.SUPERSEDED)
    assert (plan.count, len(list(plan.effect.positions())), len(receipts)) == (300, 300, 1)
    assert receipts[0].gas_used <= 65_000
    assert {office.verdict(data).outcome for data in office.files(batch.id)[:3]} == {Outcome.INVALID}
    assert set(reasons(office, other)) == {""}
    again, nothing = office.change([target], StatusKind.REVOKE)
    assert ([why for _, why in again.refused], nothing) == (["is already revoked, with its whole batch"], ())
    office.audit()


def test_what_is_in_a_revoked_batch_needs_no_more(office: Office) -> None:
    batch = anchored(office, 3)
    single = office.targets.of_file("a.json", office.files(batch.id)[0])
    whole = office.targets.of_batch(batch.id)
    plan, receipts = office.change([single, whole], StatusKind.REVOKE)
    assert (plan.count, plan.changed, len(receipts)) == (3, (whole,), 1)
    for kind in StatusKind:
        later, _ = office.change([single], kind)
        assert [why for _, why in later.refused] == ["is already revoked, with its whole batch"]


def test_a_whole_batch_is_suspended_and_reinstated(office: Office) -> None:
    batch = over_two_lists(office)
    first = office.targets.of_file("a.json", office.files(batch.id)[0])
    office.change([first], StatusKind.REVOKE)
    target = office.targets.of_batch(batch.id)
    plan, receipts = office.change([target], StatusKind.SUSPEND)
    assert (plan.count, plan.passed_over_count, len(receipts)) == (5, 1, 2)
    assert reasons(office, batch) == ["revoked", *["suspended"] * 5]
    again, _ = office.change([target], StatusKind.SUSPEND)
    assert [why for _, why in again.refused] == ["has no credential to do this to"]
    office.change([target], StatusKind.REINSTATE)
    assert reasons(office, batch) == ["revoked", *[""] * 5]
    office.audit()


def test_neighbours_share_words_and_lists_transactions(office: Office) -> None:
    batch = anchored(office, 600)
    with office.store.reading() as connection:
        ids = [each.uuid.urn for each in iterate_credentials(connection, batch.id)]
    targets = [target for each in ids for target in office.targets.of_text(each, Choice())]
    plan, receipts = office.change(targets, StatusKind.REVOKE)
    assert (plan.count, len(plan.steps), len(receipts)) == (600, 1, 1)
    (event,) = [each for each in office.audit().events if each.kind == "credentialsRevoked"]
    assert len(getattr(event, "words", ())) == 3
    assert len(office.audit().positions(StatusPurpose.REVOCATION)) == 600


def test_killed_between_two_transactions_only_the_rest_is_done(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = over_two_lists(office)
    targets = [office.targets.of_file(f"{n}.json", data) for n, data in enumerate(office.files(batch.id))]
    sent, real = [], Outbox.send

    def dying(self: Outbox, *args: object, **kwargs: object) -> object:
        sent.append(1)
        if len(sent) == 2:
            raise Killed
        return real(self, *args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "send", dying)
        with pytest.raises(Killed):
            office.change(targets, StatusKind.REVOKE)
    assert reasons(office, batch) == [*["revoked"] * 3, *[""] * 3]
    plan, receipts = office.restarted().change(targets, StatusKind.REVOKE)
    assert (plan.count, len(plan.refused), len(receipts)) == (3, 3, 1)
    assert set(reasons(office, batch)) == {"revoked"}
    assert len([each for each in office.audit().events if each.kind == "credentialsRevoked"]) == 2


def test_a_failure_half_way_says_how_much_is_done(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    target = office.targets.of_batch(over_two_lists(office).id)
    plan = office.status().plan([target], StatusKind.SUSPEND, StatusReason.OTHER)
    service, sent, real = office.status(), [], Outbox.send

    def failing(self: Outbox, *args: object, **kwargs: object) -> object:
        sent.append(1)
        if len(sent) == 2:
            raise LedgerError("the node is gone")
        return real(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Outbox, "send", failing)
    with pytest.raises(LedgerError) as caught:
        service.carry_out(plan, now=NOW)
    assert "1 of 2 transactions are done: the same command again does only the rest" in caught.value.advice


@pytest.mark.parametrize("label", ["after keep", "before broadcast", "after broadcast", "before wait"])
def test_a_batch_revocation_that_was_killed_is_done_once(
    office: Office, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = anchored(office, 3)
    target = office.targets.of_batch(batch.id)
    with monkeypatch.context() as patch:
        KILL_POINTS[label].arm(patch)
        with pytest.raises(Killed):
            office.change([target], StatusKind.REVOKE)
    office.restarted().change([target], StatusKind.REVOKE)
    assert len([each for each in office.audit().events if each.kind == "batchRevoked"]) == 1


def test_a_batch_that_is_not_anchored(office: Office) -> None:
    target: StatusTarget = office.targets.of_batch(office.seal(3).id)
    with pytest.raises(NotAnchoredError):
        office.status().plan([target], StatusKind.REVOKE, StatusReason.OTHER)


def test_an_altered_database_has_nobody_else_revoked(office: Office) -> None:
    """Somebody who can write to it moves a credential to another one's position."""
    batch = anchored(office, 4)
    with office.store.reading() as connection:
        first, second, *_ = iterate_credentials(connection, batch.id)
    swap = {first.leaf_index: 9, second.leaf_index: first.leaf_index, 9: second.leaf_index}
    with office.store.writing() as connection:
        for was, will_be in swap.items():
            connection.execute(update(credentials).where(credentials.c.leaf_index == was).values(leaf_index=will_be))
    for text in (first.uuid.urn, first.recipient_email or second.recipient_email or ""):
        with pytest.raises(StoreError, match="not the one that was sealed"):
            office.targets.of_text(text, Choice())
    list_file = office.folder / "list.csv"
    list_file.write_text(f"id\n{second.uuid}\n")
    with pytest.raises(StoreError, match="not the one that was sealed"):
        targets_of_list(office.store, office.targets, list_file, Choice())


def test_an_altered_batch_has_no_other_suspended(office: Office) -> None:
    batch = anchored(office, 4)
    with office.store.writing() as connection:
        erase_credentials(connection, [next(iterate_credentials(connection, batch.id)).uuid], now=NOW)
    assert office.targets.of_batch(batch.id).size == 4
    with office.store.writing() as connection:
        connection.execute(update(batches).values(first_position=batches.c.first_position + 256))
    with pytest.raises(StoreError, match="not the one that was sealed"):
        office.targets.of_batch(batch.id)
