"""What only a server can do wrong: connections that break, time-outs, snapshots, locks, and what it says of rows."""

from __future__ import annotations

import struct
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import select, text, update

from registry.errors import ConflictError, StoreError
from registry.store.batches import add_credentials, get_batch, get_credential, iterate_credentials
from registry.store.bulk import insert_rows
from registry.store.engine import Store, make_engine, open_store
from registry.store.erasure import erase_credentials
from registry.store.postgresql import AdvisoryLock
from registry.store.records import BatchId, OpenBatch
from registry.store.tables import institutions
from tests.support.databases import Database
from tests.support.institutions import add
from tests.support.postgres import PostgresServer
from tests.support.registry import NOW, frame_of, recipients_of, seal


def name_of(database: Database) -> str:
    return database.url.partition("?")[0].rpartition("/")[2]


def end_connections(postgres: PostgresServer, database: Database) -> None:
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name_of(database)}'"  # noqa: S608
    )


@contextmanager
def writing_something(store: Store) -> Iterator[None]:
    with store.writing() as connection:
        connection.execute(update(institutions).values(name="x"))
        yield


def test_a_reader_sees_one_moment(database: Database) -> None:
    """Whatever others commit meanwhile."""
    store, other = database.open(), database.open()
    with store.operator_reading() as connection:
        before = connection.execute(select(institutions.c.code)).scalars().all()
        add(other, "college")
        assert connection.execute(select(institutions.c.code)).scalars().all() == before
    with store.operator_reading() as connection:
        assert len(connection.execute(select(institutions.c.code)).scalars().all()) == len(before) + 1


def test_a_reader_cannot_write(postgres_database: Database) -> None:
    with pytest.raises(StoreError, match="ReadOnly"), postgres_database.open().reading() as connection:
        connection.execute(update(institutions).values(name="x"))


def test_a_lost_connection_is_replaced(postgres: PostgresServer, postgres_database: Database) -> None:
    store = postgres_database.open()
    batch = seal(store, frame_of(), recipients_of(2))
    end_connections(postgres, postgres_database)
    with store.reading() as connection:
        assert get_batch(connection, batch.id) == batch
    with pytest.raises(StoreError, match="terminating connection"), writing_something(store):
        end_connections(postgres, postgres_database)
    with store.operator_reading() as plain:
        assert plain.execute(select(institutions.c.name)).scalars().all() == [""]


def test_a_commit_that_returned_is_on_disk(postgres: PostgresServer, postgres_database: Database) -> None:
    """Also where somebody has set otherwise; more than that is left as it is."""
    seen = []
    for setting in ("off", "local", "on", "remote_apply"):
        postgres.execute(f"ALTER DATABASE {name_of(postgres_database)} SET synchronous_commit = '{setting}'")
        store = postgres_database.open()
        with store.operator_reading() as connection:
            seen.append(connection.execute(text("SHOW synchronous_commit")).scalar())
            assert connection.execute(text("SHOW lock_timeout")).scalar() == "1min"
    assert seen == ["on", "on", "on", "remote_apply"]


def test_a_database_that_has_not_every_letter_is_refused(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(StoreError, match="LATIN1"):
        open_store(postgres.url("latin"))
    postgres.drop("latin")


def test_a_server_that_is_not_there() -> None:
    password = "geheim"
    with pytest.raises(StoreError) as caught:
        open_store(f"postgresql://user:{password}@127.0.0.1:1/x")
    assert password not in "".join(traceback.format_exception(caught.value))
    assert "server runs" in caught.value.advice


ROWS = [
    (number, number.to_bytes(16, "big"), bytes(32), f"Secret Person {number}", "s@x", None, None)
    for number in range(30)
]


@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize("what", ["twice", "no name"])
def test_what_the_server_says_of_a_refused_row_is_told_to_nobody(
    postgres_database: Database, count: int, what: str
) -> None:
    store = postgres_database.open()
    batch = OpenBatch(seal(store, frame_of(), recipients_of(1)).id)
    rows = [(place + 1, *rest) for place, *rest in ROWS[:count]]
    rows.append(
        rows[0] if what == "twice" else (99, bytes(15) + b"\xff", bytes(32), None, "secret@example.org", None, None)
    )
    with pytest.raises(StoreError, match=r"UniqueViolation|NotNullViolation") as caught, store.writing() as connection:
        add_credentials(connection, batch, rows)
    assert "ecret" not in "".join(traceback.format_exception(caught.value))
    with store.reading() as connection:
        assert len(list(iterate_credentials(connection, BatchId(batch)))) == 1


@pytest.mark.parametrize("count", [3, 50])
def test_rows_go_in_as_they_are(store: Store, count: int) -> None:
    """Whichever way: quotes, tabs, line ends, backslashes, what COPY takes for NULL, bytes of all kinds."""
    batch = OpenBatch(seal(store, frame_of(), recipients_of(1)).id)
    names = ["\\N", "a\tb", "a\nb", "a\\nb", "'; --", '"', "Zoé ʔ 𝔘", "{}", ",", "%s"]
    rows = [
        (
            place + 1,
            place.to_bytes(16, "big"),
            bytes(range(place, place + 32)),
            names[place % 10],
            None,
            b"\\\x00\n\t",
            None,
        )
        for place in range(count)
    ]
    with store.writing() as connection:
        add_credentials(connection, batch, rows)
    with store.reading() as connection:
        kept = list(iterate_credentials(connection, BatchId(batch)))[1:]
    assert [(each.recipient_name, each.salt) for each in kept] == [(row[3], row[2]) for row in rows]
    assert {each.email_salt for each in kept} == {b"\\\x00\n\t"}


def kept_rows(database: Database) -> list[bytes]:
    """Read every version of a credential's row that its table still has, seen or not, from the pages themselves."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        answer = connection.execute("SELECT pg_read_binary_file(pg_relation_filepath('credentials'))").fetchone()
    assert answer is not None
    content, found = answer[0], []
    for page in (content[start : start + 8192] for start in range(0, len(content), 8192)):
        (end_of_pointers,) = struct.unpack_from("<H", page, 12)
        for place in range(24, end_of_pointers, 4):
            (pointer,) = struct.unpack_from("<I", page, place)
            offset, flags, length = pointer & 0x7FFF, pointer >> 15 & 3, pointer >> 17
            if flags == 1:
                found.append(page[offset : offset + length])
    return found


def test_erased_rows_are_removed(postgres_database: Database) -> None:
    store = postgres_database.open()
    batch = seal(store, frame_of(), [recipient._replace(name="Secret") for recipient in recipients_of(1)])
    with store.reading() as connection:
        (each,) = iterate_credentials(connection, batch.id)
    assert [b"Secret" in row for row in kept_rows(postgres_database)] == [True]
    with store.erasing() as connection:
        erase_credentials(connection, [each.uuid], now=NOW)
    assert [b"Secret" in row for row in kept_rows(postgres_database)] == [False]


def test_whoever_still_reads_keeps_erased_rows_and_that_is_said(postgres_database: Database) -> None:
    store, other = postgres_database.open(), postgres_database.open()
    batch = seal(store, frame_of(), recipients_of(1))
    with other.reading() as reader:
        (each,) = iterate_credentials(reader, batch.id)
        with pytest.raises(StoreError, match="somebody is reading"), store.erasing() as connection:
            erase_credentials(connection, [each.uuid], now=NOW)
        assert get_credential(reader, each.uuid) == each
    with store.erasing() as connection:
        assert get_credential(connection, each.uuid).is_erased


def test_a_lock_is_held_by_one(postgres: PostgresServer, postgres_database: Database) -> None:
    store, other = postgres_database.open(), postgres_database.open()

    def lock(of: Store, name: str = "account 1") -> Callable[[], None]:
        def take() -> None:
            made = of.lock(name, what="sends", timeout_seconds=0.2)
            assert made is not None
            with made:
                pass

        return take

    held = store.lock("account 1", what="sends", timeout_seconds=0.2)
    assert held is not None
    with held:
        with pytest.raises(ConflictError, match="another process sends"):
            lock(other)()
        lock(other, "account 2")()
    lock(other)()
    with held:
        end_connections(postgres, postgres_database)
        lock(other)()


def test_threads_share_a_lock_and_hold_it_one_by_one(postgres_database: Database) -> None:
    lock = postgres_database.open().lock("account 1", what="sends", timeout_seconds=30)
    assert lock is not None
    inside: list[int] = []

    def hold(_number: int) -> int:
        with lock:
            inside.append(1)
            count = len(inside)
            inside.pop()
            return count

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(hold, range(20))) == {1}


def test_lock_without_a_server_is_no_lock(postgres: PostgresServer) -> None:
    engine = make_engine(postgres.url("none"))
    with (
        pytest.raises(StoreError, match="a lock could not be taken"),
        AdvisoryLock(engine, "account 1", what="sends", timeout_seconds=1),
    ):
        raise AssertionError
    engine.dispose()


LOCKED = """
import sys
from registry.store.engine import open_store
with open_store(sys.argv[1]).lock("account 1", what="sends", timeout_seconds=1):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_killed_process_gives_its_locks_up(postgres_database: Database) -> None:
    store = postgres_database.open()
    command = [sys.executable, "-c", LOCKED, postgres_database.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        process.kill()
    lock = store.lock("account 1", what="sends", timeout_seconds=30)
    assert lock is not None
    with lock:
        pass


def test_a_file_needs_no_such_lock(sqlite_database: Database) -> None:
    assert sqlite_database.open().lock("account 1", what="sends", timeout_seconds=1) is None


def test_writers_of_different_institutions_do_not_wait_for_each_other(postgres_database: Database) -> None:
    """One seals while another's transaction is open: it would wait for a minute and fail, if there were one lock."""
    store = postgres_database.open()
    one, other = store.of(add(store, "one")), store.of(add(store, "other"))
    with one.writing() as connection:
        insert_rows(connection, institutions, ("code", "name", "created_at"), [("third", "x", 1)])
        assert seal(other, frame_of(issuer_id=2), recipients_of(30)).size == 30
