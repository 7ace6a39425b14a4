import pytest
from sqlalchemy import update

from anchor.canonical import parse_document
from anchor.credential import parse_credential
from anchor.identity import matches_email
from anchor.merkle import check_inclusion
from anchor.status import LIST_SIZE
from registry.errors import ConflictError, RosterFormatError, StoreError
from registry.services import spool
from registry.services.recipient import Recipient
from registry.services.stored import credential_files
from registry.services.tree import GrowingTree
from registry.store.batches import (
    allocate_positions,
    issuer_ref,
    iterate_credentials,
    move_batch,
    prove,
    unfinished_batches,
)
from registry.store.engine import Store
from registry.store.records import BatchRecord, BatchState, CredentialRecord
from registry.store.tables import credentials
from tests.support.registry import ACHIEVEMENT, NOW, REGISTRY, frame_of, recipients_of, seal


def credentials_of(store: Store, batch: BatchRecord) -> list[CredentialRecord]:
    with store.reading() as connection:
        return list(iterate_credentials(connection, batch.id))


def test_everyone_on_the_roster_gets_one_credential(store: Store) -> None:
    recipients = recipients_of(30)
    batch = seal(store, frame_of(), recipients)
    assert (batch.size, batch.state, batch.sealed_at, batch.transaction) == (30, BatchState.SEALED, NOW, None)
    kept = credentials_of(store, batch)
    assert sorted((each.recipient_name, each.recipient_email or "") for each in kept) == sorted(
        (each.name, each.email or "") for each in recipients
    )
    assert [each.leaf_index for each in kept] == list(range(30))
    assert len({each.uuid for each in kept}) == len({each.salt for each in kept}) == 30
    assert {each.uuid.version for each in kept} == {4}


def test_each_credential_says_its_own_and_leads_to_the_root(store: Store) -> None:
    batch = seal(store, frame_of(), recipients_of(7))
    with store.reading() as connection:
        for each, content in credential_files(connection, batch):
            value = parse_document(content).value
            assert value["id"] == each.uuid.urn
            identities = value["credentialSubject"]["identifier"]
            assert identities[0]["identityHash"] == each.recipient_name
            assert len(identities) == (1 if each.recipient_email is None else 2)
            if each.recipient_email is not None:
                assert matches_email(identities[1], each.recipient_email)
            credential = parse_credential(content)
            (request,) = credential.requests
            assert (request.proof.registry, request.proof.issuer_id, request.proof.root) == (REGISTRY, 1, batch.root)
            assert (request.position, request.proof.salt) == (each.position, each.salt)
            assert request.proof.inclusion == prove(connection, batch, each.leaf_index)
            check_inclusion(credential.leaf(request), request.proof.inclusion, batch.root)


def test_what_goes_out_is_canonical_but_for_the_proof(store: Store) -> None:
    batch = seal(store, frame_of(), recipients_of(3))
    with store.reading() as connection:
        for _, content in credential_files(connection, batch):
            canonical = parse_document(content).canonical_bytes()
            assert content.startswith(canonical[:-1])


def test_a_row_that_was_altered_is_found_out(store: Store) -> None:
    batch = seal(store, frame_of(), recipients_of(3))
    with store.writing() as connection:
        connection.execute(update(credentials).values(recipient_name="Somebody Else"))
    with store.reading() as connection, pytest.raises(StoreError, match="not the one that was sealed"):
        list(credential_files(connection, batch))


def test_the_order_is_shuffled(store: Store) -> None:
    names = [each.recipient_name for each in credentials_of(store, seal(store, frame_of(), recipients_of(200)))]
    roster = [each.name for each in recipients_of(200)]
    assert names != roster
    assert sorted(names) == sorted(roster)


def test_positions_follow_on_and_cross_lists(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.writing() as connection:
        issuer = issuer_ref(connection, REGISTRY, 1)
        allocate_positions(connection, issuer, LIST_SIZE - 3)
    kept = credentials_of(store, seal(store, frame_of(), recipients_of(5)))
    first_list = kept[0].position.status_list
    assert [each.position.index for each in kept] == [LIST_SIZE - 3, LIST_SIZE - 2, LIST_SIZE - 1, 0, 1]
    assert [each.position.status_list - first_list for each in kept] == [0, 0, 0, 1, 1]


def test_partitions_and_progress(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "PARTITION_SIZE", 4)
    seen: list[int] = []
    batch = seal(store, frame_of(), recipients_of(100), progress=seen.append)
    assert sum(seen) == 100
    assert len(seen) > 5
    assert all(count >= 4 for count in seen[:-1])
    assert [each.leaf_index for each in credentials_of(store, batch)] == list(range(100))


def test_no_recipients(store: Store) -> None:
    with pytest.raises(RosterFormatError):
        seal(store, frame_of(), [])


def test_no_half_batch_when_it_fails_on_the_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_tree: GrowingTree) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(GrowingTree, "finish", fail)
    with pytest.raises(StoreError, match="full"):
        seal(store, frame_of(), recipients_of(10))
    with store.reading() as connection:
        assert unfinished_batches(connection, REGISTRY, 1) == ()
        tables = ("batches", "credentials", "tree_chunks", "issuers")
        assert [connection.plain.exec_driver_sql(f"SELECT count(*) FROM {each}").scalar() for each in tables] == [0] * 4  # noqa: S608


def test_the_same_again_is_refused_until_the_first_is_anchored(store: Store) -> None:
    recipients = recipients_of(4)
    first = seal(store, frame_of(), recipients)
    with pytest.raises(ConflictError, match="same achievement and recipients") as caught:
        seal(store, frame_of(), recipients[::-1], again=True)
    assert f"--resume {first.id}" in caught.value.advice
    seal(store, frame_of(), recipients_of(3))
    seal(store, frame_of({**ACHIEVEMENT, "name": "Other"}), recipients)
    other = [*recipients[1:], Recipient(name=recipients[0].name, email=None)]
    seal(store, frame_of(), other)


def test_the_same_again_is_refused_afterwards_unless_it_is_meant(store: Store) -> None:
    recipients = recipients_of(4)
    first = seal(store, frame_of(), recipients)
    with store.writing() as connection:
        move_batch(connection, first, BatchState.ANCHORED, anchored_at=9)
    with pytest.raises(ConflictError, match=f"issued already, as batch {first.id}") as caught:
        seal(store, frame_of(), recipients[::-1])
    assert "--again" in caught.value.advice
    assert seal(store, frame_of(), recipients, again=True).size == 4
