"""All that is particular to SQLite: one file, one writer at a time, and nothing left in it of what was erased."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from registry.errors import StoreError

NAME: Final = "sqlite"

WRITES: Final = "credanchor_writes"
"""Execution option of a connection that takes the write lock with its first statement."""

BUSY_SECONDS: Final = 60
"""How long a writer waits for another one: sealing a million credentials takes less."""

CACHE_KIBIBYTES: Final = 16 * 1024
"""Of SQLite's pages: what a million credentials change of the index of UUIDs is not written again and again."""

NOT_CLEAN: Final = "it was erased, but the database's files still hold it, for somebody is using them"
NOT_CLEAN_ADVICE: Final = "End whatever else uses the database, and do the same again."


def prepare(engine: Engine) -> None:
    """Make the file, and set up each connection.

    Raises:
        StoreError: The file cannot be made.
    """
    database = make_url(engine.url).database
    if database and database != ":memory:":
        try:
            Path(database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Names and e-mails are in it: readable by its owner alone, from the first byte.
            Path(database).touch(mode=0o600)
        except OSError as error:
            raise StoreError(f"the database {database} cannot be made: {error.strerror}") from error

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: `_on_begin` does
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
            f"cache_size=-{CACHE_KIBIBYTES}",
            # Erased data shall not linger in free pages; `begin_erasing` sees to it where this does not.
            "secure_delete=FAST",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A reader that turned writer would fail at once with "database is locked": a writer takes the lock first.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def begin_erasing(connection: Connection) -> None:
    """Have what is overwritten in this transaction overwritten with zeros, wherever it was."""
    connection.exec_driver_sql("PRAGMA secure_delete=ON")


def empty_journal(engine: Engine) -> None:
    """Empty the journal, in which pages stand as they were, unless somebody uses it at this moment."""
    driver = engine.raw_connection()
    try:
        cursor = driver.cursor()
        # Who waited here would keep all others from writing.
        cursor.execute("PRAGMA busy_timeout=0")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    finally:
        driver.close()


def finish_erasing(engine: Engine) -> None:
    """Give up free pages, and empty the journal.

    Raises:
        StoreError: Others that use the database keep its files from being cleaned.
    """
    # The driver itself, for SQLAlchemy would begin a transaction, in which this cannot be done.
    driver = engine.raw_connection()
    try:
        cursor = driver.cursor()
        if cursor.execute("PRAGMA freelist_count").fetchone() != (0,):
            # Pages that a migration, or an older SQLite, gave up with what was on them.
            cursor.execute("VACUUM")
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
    except sqlite3.Error as error:
        raise StoreError(NOT_CLEAN, advice=NOT_CLEAN_ADVICE) from error
    finally:
        driver.close()
    if busy:
        raise StoreError(NOT_CLEAN, advice=NOT_CLEAN_ADVICE)
