"""Opening a database: made, migrated, refused; what each kind of database promises."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from anchor.status import LIST_SIZE
from registry.errors import StoreError
from registry.store import engine
from registry.store import ledger_tables as _ledger_tables  # noqa: F401 - adds its tables
from registry.store import service_tables as _service_tables  # noqa: F401 - adds its tables
from registry.store.batches import (
    allocate_positions,
    get_batch,
    issuer_ref,
    iterate_credentials,
    newest_batch,
    read_templates,
)
from registry.store.connection import HOME, InstitutionId
from registry.store.engine import SCHEMA_REVISIONS, Store, open_store
from registry.store.institutions import InstitutionDetails, add_institution, get_institution
from registry.store.records import BatchId
from registry.store.tables import metadata
from tests.support.databases import Database
from tests.support.registry import REGISTRY, frame_of, recipients_of, seal

FIRST_VERSION = Path(__file__).with_name("store-0001.sql").read_text("utf-8")


def migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(engine._MIGRATIONS))
    return config


def check_tables(store: Store) -> None:
    with store.operator_reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_migrations_make_the_tables(store: Store) -> None:
    check_tables(store)


def test_the_revisions_known_are_those_there() -> None:
    revisions = [script.revision for script in ScriptDirectory.from_config(migrations()).walk_revisions()]
    assert tuple(reversed(revisions)) == SCHEMA_REVISIONS


def first_version_in_sqlite(database: Database) -> None:
    with sqlite3.connect(database.url.removeprefix("sqlite:///")) as connection:
        connection.executescript(FIRST_VERSION)


def first_version_in_postgresql(database: Database) -> None:
    """The tables as its migration makes them there, the rows as SQLite has them."""
    database.empty()
    made = engine.make_engine(database.url)
    config = migrations()
    with made.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    made.dispose()
    with sqlite3.connect(":memory:") as old, psycopg.connect(database.url) as new:
        old.executescript(FIRST_VERSION)
        for table in (
            "issuers",
            "transactions",
            "batches",
            "status_changes",
            "credentials",
            "tree_chunks",
            "templates",
        ):
            rows = old.execute(f"SELECT * FROM {table}")  # noqa: S608
            names = [each[0] for each in rows.description]
            for row in rows:
                values = [
                    bool(each) if column == "has_email" else each for column, each in zip(names, row, strict=True)
                ]
                marks = ", ".join(["%s"] * len(values))
                new.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", values)  # noqa: S608


def test_a_database_of_the_first_version_is_brought_up_to_date(database: Database) -> None:
    """With the rows that version kept: a batch of two credentials, one of them with an e-mail."""
    if database.is_postgresql:
        first_version_in_postgresql(database)
    else:
        first_version_in_sqlite(database)
    store = database.open()
    check_tables(store)
    with store.reading() as connection:
        batch = get_batch(connection, BatchId(1))
        kept = list(iterate_credentials(connection, batch.id))
        texts = read_templates(connection, batch.id)
    first = 7 * LIST_SIZE + LIST_SIZE - 1
    assert (batch.first_position, batch.approval, batch.achievement_id) == (first, None, "")
    assert [(each.position.status_list, each.position.index) for each in kept] == [(7, LIST_SIZE - 1), (8, 0)]
    assert [(each.recipient_name, each.recipient_email) for each in kept] == [("Zoé", "zoe@example.org"), ("Ana", None)]
    assert [each.email_salt for each in kept] == [bytes(16), None]
    assert texts == {1: b"with e-mail", 0: b"without"}
    with store.of(added_institution(store)).reading() as connection:
        assert newest_batch(connection) is None


def added_institution(store: Store) -> InstitutionId:
    with store.operator_writing() as connection:
        return add_institution(connection, code="other", details=InstitutionDetails(name="Other"), created_at=1).id


def test_the_first_institution_is_there_and_others_get_other_numbers(store: Store) -> None:
    with store.operator_reading() as connection:
        assert get_institution(connection, HOME).code == "home"
    assert added_institution(store) > HOME


def test_opening_again_changes_nothing_and_a_newer_schema_is_refused(database: Database) -> None:
    batch = seal(database.open(), frame_of(), recipients_of(3))
    with database.open().writing() as connection:
        assert get_batch(connection, batch.id).size == 3
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        database.open()


def test_several_may_open_a_new_database_at_once(database: Database) -> None:
    database.empty()
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _number: database.open(), range(4)))
    batches = [seal(store, frame_of(), recipients_of(2 + number)) for number, store in enumerate(stores)]
    assert [batch.id for batch in batches] == [1, 2, 3, 4]


def test_a_database_started_anew_starts_elsewhere(tmp_path: Path) -> None:
    firsts = set()
    for number in range(3):
        with open_store(f"sqlite:///{tmp_path / str(number)}").writing() as connection:
            firsts.add(allocate_positions(connection, issuer_ref(connection, REGISTRY, 1), 1))
    assert len(firsts) == 3


@pytest.mark.parametrize(
    "url",
    ["nonsense", "nosuchdatabase://x", "mysql://x", "sqlite:////proc/nowhere/registry.db", "postgresql://%zz:x@/"],
)
def test_addresses_that_cannot_be_used(url: str) -> None:
    with pytest.raises(StoreError):
        open_store(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="DatabaseError"):
        open_store(f"sqlite:///{tmp_path / 'registry.db'}")


def test_an_in_memory_database_works() -> None:
    assert seal(open_store("sqlite://"), frame_of(), recipients_of(2)).size == 2


def test_sqlite_is_private_durable_and_checks_references(sqlite_database: Database, tmp_path: Path) -> None:
    store = sqlite_database.open()
    assert (tmp_path / "registry.db").stat().st_mode & 0o077 == 0
    with store.operator_reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
