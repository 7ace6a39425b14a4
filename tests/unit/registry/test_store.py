from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, select, text

from anchor.errors import MalformedError
from anchor.merkle import build_levels, prove_inclusion
from anchor.model import Address, Hash32, StatusPosition
from anchor.status import LIST_SIZE
from registry.errors import ConflictError, NotFoundError, StoreError
from registry.services.tree import GrowingTree
from registry.store.batches import (
    CHUNK_NODES,
    add_chunk,
    add_credentials,
    allocate_positions,
    begin_batch,
    finish_batch,
    get_batch,
    issuer_ref,
    iterate_credentials,
    move_batch,
    newest_batch,
    prove,
    read_levels,
    unfinished_batches,
)
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import (
    BatchId,
    BatchRecord,
    BatchState,
    OpenBatch,
    StatusKind,
    TransactionId,
    TransactionState,
)
from registry.store.replacements import keep_replacement
from registry.store.tables import batches
from registry.store.transactions import (
    get_transaction,
    keep_status_changes,
    keep_transaction,
    open_status_transactions,
    settle_transaction,
)
from tests.support.databases import Database
from tests.support.registry import REGISTRY


def leaves_of(count: int, seed: int = 0) -> bytes:
    return b"".join((seed * 2**32 + number + 1).to_bytes(32, "big") for number in range(count))


def seal(store: Store, count: int, seed: int = 0, *, issuer_id: int = 1) -> BatchRecord:
    with store.writing() as connection:
        issuer = issuer_ref(connection, REGISTRY, issuer_id)
        first = allocate_positions(connection, issuer, count)
        batch = begin_batch(
            connection,
            issuer,
            size=count,
            first_position=first,
            achievement_id="urn:x",
            achievement_name="x",
            sealed_at=5,
        )
        add_credentials(
            connection,
            batch,
            [
                (number, (seed * 2**32 + number).to_bytes(16, "big"), bytes(32), f"name {number}", None, None, None)
                for number in range(count)
            ],
        )
        tree = GrowingTree(partial(add_chunk, connection, batch), CHUNK_NODES)
        tree.add(leaves_of(count, seed))
        root = tree.finish()
        number = finish_batch(connection, batch, root, roster_hash=Hash32(bytes(32)), approval=bytes(32))
        return get_batch(connection, number)


def keep(connection: InstitutionConnection, number: int = 0) -> TransactionId:
    return keep_transaction(
        connection,
        chain_id=31337,
        sender=Address(bytes(20)),
        nonce=number,
        transaction_hash=Hash32(number.to_bytes(32, "big")),
        raw=b"raw",
        signed_at=7,
    )


@pytest.mark.parametrize("count", [1, 2, 3, CHUNK_NODES, CHUNK_NODES + 1, 3 * CHUNK_NODES + 5])
def test_proofs_from_the_stored_tree(store: Store, count: int) -> None:
    batch = seal(store, count)
    levels = build_levels(leaves_of(count))
    assert (batch.root, batch.state, batch.size) == (levels[-1], BatchState.SEALED, count)
    with store.reading() as connection:
        assert read_levels(connection, batch.id) == levels
        for leaf_index in {0, 1 % count, count // 2, count - 1}:
            assert prove(connection, batch, leaf_index) == prove_inclusion(levels, leaf_index)
        with pytest.raises(MalformedError):
            prove(connection, batch, count)


def test_a_proof_reads_one_chunk_a_level(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = seal(store, 5 * CHUNK_NODES)
    read: list[list[Row[*tuple[Any, ...]]]] = []
    execute = InstitutionConnection.execute

    def watched(connection: InstitutionConnection, *arguments: Any, **options: Any) -> list[Row[*tuple[Any, ...]]]:
        read.append(list(execute(connection, *arguments, **options)))
        return read[-1]

    monkeypatch.setattr(InstitutionConnection, "execute", watched)
    with store.reading() as connection:
        proof = prove(connection, batch, 4 * CHUNK_NODES)
    (rows,) = read
    assert len(rows) == len(proof.siblings)
    assert sum(len(row.nodes) for row in rows) <= 5 * 32 * CHUNK_NODES


def test_positions_are_never_given_twice(store: Store) -> None:
    with store.writing() as connection:
        issuer, other = issuer_ref(connection, REGISTRY, 1), issuer_ref(connection, REGISTRY, 2)
        first = allocate_positions(connection, issuer, 10)
        assert allocate_positions(connection, issuer, 5) == first + 10
        assert issuer_ref(connection, REGISTRY, 1) == issuer
        assert other.id != issuer.id
        assert first % LIST_SIZE == 0


def test_writers_at_once_share_no_position(database: Database) -> None:
    database.open()

    def work(seed: int) -> None:
        store = database.open()
        for turn in range(3):
            seal(store, 50, seed=seed * 10 + turn)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(1, 5)))
    with database.open().reading() as connection:
        ranges = connection.execute(select(batches.c.first_position, batches.c.size)).all()
    taken = [position for first, size in ranges for position in range(first, first + size)]
    assert len(taken) == len(set(taken)) == 4 * 3 * 50


@pytest.mark.parametrize("shift", [-2, 0, 4])
def test_positions_used_twice_are_refused(store: Store, shift: int) -> None:
    batch = seal(store, 5)
    with pytest.raises(StoreError, match="for the second time"), store.writing() as connection:
        begin_batch(
            connection,
            batch.issuer,
            size=3,
            first_position=batch.first_position + shift,
            achievement_id="urn:x",
            achievement_name="x",
            sealed_at=5,
        )


@pytest.mark.parametrize("shift", [-3, 5])
def test_neighbouring_positions_are_not_used_twice(store: Store, shift: int) -> None:
    batch = seal(store, 5)
    with store.writing() as connection:
        begin_batch(
            connection,
            batch.issuer,
            size=3,
            first_position=batch.first_position + shift,
            achievement_id="urn:x",
            achievement_name="x",
            sealed_at=5,
        )


def test_a_refused_row_is_not_in_the_error(store: Store) -> None:
    batch = seal(store, 1)
    with pytest.raises(StoreError, match=r"IntegrityError|UniqueViolation") as caught, store.writing() as connection:
        add_credentials(connection, OpenBatch(batch.id), [(0, bytes(16), bytes(32), "Secret Person", None, None, None)])
    assert "Secret" not in f"{caught.value} {caught.value.__cause__}"


def test_nothing_is_kept_of_a_block_that_raises(store: Store) -> None:
    with pytest.raises(NotFoundError), store.writing() as connection:
        get_batch(connection, BatchId(issuer_ref(connection, REGISTRY, 1).id + 1))
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM issuers")).scalar() == 0


def test_a_batch_moves_on_only_from_the_state_that_was_read(store: Store) -> None:
    batch = seal(store, 2)
    with store.writing() as connection:
        transaction = keep(connection)
        move_batch(connection, batch, BatchState.SIGNED, transaction=transaction)
    with pytest.raises(ConflictError, match="another process"), store.writing() as connection:
        move_batch(connection, batch, BatchState.SIGNED, transaction=transaction)
    with store.writing() as connection:
        signed = get_batch(connection, batch.id)
        assert (signed.state, signed.transaction) == (BatchState.SIGNED, transaction)
        move_batch(connection, signed, BatchState.ANCHORED, anchored_at=9)
        anchored = get_batch(connection, batch.id)
    assert (anchored.anchored_at, anchored.transaction) == (9, transaction)


def test_unfinished_batches_of_one_issuer(store: Store) -> None:
    with store.reading() as connection:
        assert newest_batch(connection) is None
    first, second, other = seal(store, 1), seal(store, 1, 1), seal(store, 1, 2, issuer_id=2)
    with store.writing() as connection:
        move_batch(connection, first, BatchState.ANCHORED, anchored_at=9)
        assert [batch.id for batch in unfinished_batches(connection, REGISTRY, 1)] == [second.id]
        assert newest_batch(connection) == other.id


def test_transactions_and_what_became_of_them(store: Store) -> None:
    with store.writing() as connection:
        transaction = keep(connection, 4)
        issuer = issuer_ref(connection, REGISTRY, 1)
        positions = [StatusPosition(status_list=1, index=2)]
        keep_status_changes(connection, transaction, issuer, positions, StatusKind.REVOKE, 4)
        assert [each.id for each in open_status_transactions(connection, 31337, Address(bytes(20)))] == [transaction]
        settle_transaction(
            connection, transaction, TransactionState.MINED, block_number=3, gas_used=60_000, gas_price_wei=2**70
        )
        record = get_transaction(connection, transaction)
        assert open_status_transactions(connection, 31337, Address(bytes(20))) == ()
    assert (record.state, record.nonce, record.raw) == (TransactionState.MINED, 4, b"raw")
    assert (record.block_number, record.gas_used, record.gas_price_wei) == (3, 60_000, 2**70)


def test_a_credential_is_replaced_once(store: Store) -> None:
    batch = seal(store, 3)
    with store.writing() as connection:
        first, second, third = (each.uuid for each in iterate_credentials(connection, batch.id))
        keep_replacement(connection, first, second)
        with pytest.raises(ConflictError, match=second.urn):
            keep_replacement(connection, first, third)
        with pytest.raises(NotFoundError):
            keep_replacement(connection, second, UUID(int=2**100))


def test_what_is_not_there(store: Store) -> None:
    with store.reading() as connection:
        with pytest.raises(NotFoundError):
            get_batch(connection, BatchId(1))
        with pytest.raises(NotFoundError):
            get_transaction(connection, TransactionId(1))
