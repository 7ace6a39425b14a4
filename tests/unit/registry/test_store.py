import sqlite3
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, insert, text

from anchor.errors import MalformedError
from anchor.merkle import build_levels, prove_inclusion
from anchor.model import Address, Hash32, StatusPosition
from anchor.status import LIST_SIZE
from registry.errors import ConflictError, NotFoundError, StoreError
from registry.services.tree import GrowingTree
from registry.store import engine
from registry.store.batches import (
    CHUNK_NODES,
    add_chunk,
    add_credentials,
    add_templates,
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
    read_templates,
    unfinished_batches,
)
from registry.store.engine import SCHEMA_REVISIONS, Store, open_store
from registry.store.records import BatchId, BatchRecord, BatchState, StatusKind, TransactionId, TransactionState
from registry.store.tables import issuers, metadata
from registry.store.transactions import (
    get_transaction,
    keep_status_changes,
    keep_transaction,
    open_status_transactions,
    settle_transaction,
)
from tests.support.registry import REGISTRY, store_in


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_in(tmp_path)


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
        finish_batch(connection, batch, tree.finish(), roster_hash=Hash32(bytes(32)), approval=bytes(32))
        return get_batch(connection, batch)


def keep(connection: Connection, number: int = 0) -> TransactionId:
    return keep_transaction(
        connection,
        chain_id=31337,
        sender=Address(bytes(20)),
        nonce=number,
        transaction_hash=Hash32(number.to_bytes(32, "big")),
        raw=b"raw",
        signed_at=7,
    )


def test_the_migrations_make_the_tables(tmp_path: Path) -> None:
    with store_in(tmp_path).reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """With the rows that version kept: a batch of two credentials, one of them with an e-mail."""
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.executescript(Path(__file__).with_name("store-0001.sql").read_text("utf-8"))
    with store_in(tmp_path).reading() as connection:
        batch = get_batch(connection, BatchId(1))
        kept = list(iterate_credentials(connection, batch.id))
        texts = read_templates(connection, batch.id)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    first = 7 * LIST_SIZE + LIST_SIZE - 1
    assert (batch.first_position, batch.approval, batch.achievement_id) == (first, None, "")
    assert [(each.position.status_list, each.position.index) for each in kept] == [(7, LIST_SIZE - 1), (8, 0)]
    assert [(each.recipient_name, each.recipient_email) for each in kept] == [("Zoé", "zoe@example.org"), ("Ana", None)]
    assert [each.email_salt for each in kept] == [bytes(16), None]
    assert texts == {1: b"with e-mail", 0: b"without"}


def test_the_revisions_known_are_those_there() -> None:
    config = Config()
    config.set_main_option("script_location", str(engine._MIGRATIONS))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == SCHEMA_REVISIONS


def test_opening_again_changes_nothing_and_a_newer_schema_is_refused(tmp_path: Path) -> None:
    first = store_in(tmp_path)
    seal(first, 3)
    first.close()
    second = store_in(tmp_path)
    with second.writing() as connection:
        assert get_batch(connection, BatchId(1)).size == 3
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    second.close()
    with pytest.raises(StoreError, match="newer version"):
        store_in(tmp_path)


def test_several_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _number: store_in(tmp_path), range(4)))
    assert [seal(store, 2, seed).id for seed, store in enumerate(stores)] == [1, 2, 3, 4]


def test_it_is_private_durable_and_checks_references(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    assert (tmp_path / "registry.db").stat().st_mode & 0o077 == 0
    with store.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("url", ["nonsense", "nosuchdatabase://x", "sqlite:////proc/nowhere/registry.db"])
def test_addresses_that_cannot_be_used(url: str) -> None:
    with pytest.raises(StoreError):
        open_store(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="DatabaseError"):
        store_in(tmp_path)


def test_an_in_memory_database_works() -> None:
    assert seal(open_store("sqlite://"), 2).size == 2


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


def test_a_proof_reads_one_chunk_a_level(store: Store) -> None:
    batch = seal(store, 5 * CHUNK_NODES)
    statements: list[str] = []
    with store.reading() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.set_trace_callback(statements.append)
        proof = prove(connection, batch, 4 * CHUNK_NODES)
        driver.set_trace_callback(None)
        (statement,) = statements
        read = connection.exec_driver_sql(statement).all()
    assert len(read) == len(proof.siblings)
    assert sum(len(nodes) for _, nodes in read) <= 5 * 32 * CHUNK_NODES


def test_positions_are_never_given_twice(store: Store) -> None:
    with store.writing() as connection:
        issuer, other = issuer_ref(connection, REGISTRY, 1), issuer_ref(connection, REGISTRY, 2)
        first = allocate_positions(connection, issuer, 10)
        assert allocate_positions(connection, issuer, 5) == first + 10
        assert issuer_ref(connection, REGISTRY, 1) == issuer
        assert other.id != issuer.id
        assert first % LIST_SIZE == 0


def test_a_database_started_anew_starts_elsewhere(tmp_path: Path) -> None:
    firsts = set()
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        with store_in(folder).writing() as connection:
            firsts.add(allocate_positions(connection, issuer_ref(connection, REGISTRY, 1), 1))
    assert len(firsts) == 3


def test_writers_at_once_share_no_position(tmp_path: Path) -> None:
    store_in(tmp_path).close()

    def work(seed: int) -> None:
        store = store_in(tmp_path)
        for turn in range(3):
            seal(store, 50, seed=seed * 10 + turn)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(1, 5)))
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        ranges = connection.execute("SELECT first_position, size FROM batches").fetchall()
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
    with pytest.raises(StoreError, match="IntegrityError") as caught, store.writing() as connection:
        add_credentials(connection, batch.id, [(0, bytes(16), bytes(32), "Secret Person", None, None, None)])
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


def test_rows_go_in_by_name_where_the_driver_wants_names() -> None:
    """As psycopg does."""
    engine = create_engine("sqlite://", paramstyle="named")
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(issuers).values(id=1, registry=REGISTRY.to_text(), issuer_id=1, next_position=0))
        issuer = issuer_ref(connection, REGISTRY, 1)
        batch = begin_batch(
            connection, issuer, size=1, first_position=0, achievement_id="urn:x", achievement_name="x", sealed_at=5
        )
        add_templates(connection, batch, {1: b"with", 0: b"without"})
        assert read_templates(connection, batch) == {1: b"with", 0: b"without"}


def test_what_is_not_there(store: Store) -> None:
    with store.reading() as connection:
        with pytest.raises(NotFoundError):
            get_batch(connection, BatchId(1))
        with pytest.raises(NotFoundError):
            get_transaction(connection, TransactionId(1))
