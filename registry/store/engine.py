"""Opening the database: connection, transactions, schema. All that is particular to SQLite is here.

Upholds: a commit that returned is on disk, also after a power cut (WAL with synchronous=FULL); a writer holds the
write lock from its first statement, so that two of them wait for each other instead of failing half-way; a database
made by a newer version is refused, one made by an older version is brought up to date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from registry.errors import StoreError

SCHEMA_REVISIONS: Final = ("0001", "0002", "0003", "0004")
"""Alembic revisions in order, the newest last; a test holds it to the folder `migrations`. Known here, so that Alembic,
which takes 0.7 s to import, is needed only when there is something to migrate."""

BUSY_SECONDS: Final = 60
"""How long a writer waits for another one: sealing a million credentials takes less."""

CACHE_KIBIBYTES: Final = 16 * 1024
"""Of SQLite's pages: what a million credentials change of the index of UUIDs is not written again and again."""
_NOT_CLEAN: Final = "it was erased, but the database's files still hold it, for somebody is using them"
_NOT_CLEAN_ADVICE: Final = "End whatever else uses the database, and do the same again."

_WRITES: Final = "credanchor_writes"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Store:
    """The registry's database.

    Args:
        engine: Made by `open_store`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give one consistent view of the data.

        Raises:
            StoreError: The database cannot be read.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            raise _translated(error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that is kept whole, durably, when the block ends, and not at all when it raises.

        Raises:
            StoreError: The database cannot be written; nothing was changed.
        """
        try:
            with self._engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            raise _translated(error) from error

    @contextmanager
    def erasing(self) -> Iterator[Connection]:
        """As `writing`; what is overwritten in it is afterwards in none of the database's files.

        In SQLite, that is: overwritten with zeros wherever it was, pages that are free given up, the journal emptied.
        (In PostgreSQL old rows are gone when VACUUM has run, which it does by itself.)

        Raises:
            StoreError: As `writing`; or it was erased, but others that use the database keep its files from
                being cleaned.
        """
        is_sqlite = self._engine.dialect.name == "sqlite"
        with self.writing() as connection:
            if is_sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            yield connection
        if is_sqlite:
            self._clean()

    def _clean(self) -> None:
        # The driver itself, for SQLAlchemy would begin a transaction, in which this cannot be done.
        driver = self._engine.raw_connection()
        try:
            cursor = driver.cursor()
            if cursor.execute("PRAGMA freelist_count").fetchone() != (0,):
                # Pages that a migration, or an older SQLite, gave up with what was on them.
                cursor.execute("VACUUM")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
        except sqlite3.Error as error:
            raise StoreError(_NOT_CLEAN, advice=_NOT_CLEAN_ADVICE) from error
        finally:
            driver.close()
        if busy:
            raise StoreError(_NOT_CLEAN, advice=_NOT_CLEAN_ADVICE)

    def close(self) -> None:
        """Give up idle connections."""
        self._engine.dispose()


def open_store(url: str) -> Store:
    """Open a database, creating it or bringing its schema up to date where needed.

    Args:
        url: SQLAlchemy address, such as `sqlite:////var/lib/credanchor/registry.db`.

    Raises:
        StoreError: It cannot be opened, or a newer version of credanchor made it.
    """
    try:
        # Parameters are names and e-mails: no error may show them.
        engine = create_engine(url, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError("the setting database_url is not the address of a database that can be used") from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    store = Store(engine)
    with store.reading() as connection:
        revision = _revision(connection)
    if revision != SCHEMA_REVISIONS[-1]:
        _migrate(store, url)
    return store


def _prepare_sqlite(engine: Engine) -> None:
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
            # Erased data shall not linger in free pages; `Store.erasing` sees to it where this does not.
            "secure_delete=FAST",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A reader that turned writer would fail at once with "database is locked": a writer takes the lock first.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    """Read which schema the database has; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is not None and revision not in SCHEMA_REVISIONS:
        raise StoreError(
            "the database was made by a newer version of credanchor",
            advice="Install that version: an older one could damage the data.",
        )
    return revision


def _migrate(store: Store, url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    with store.writing() as connection:
        # Another process may have been faster.
        if _revision(connection) != SCHEMA_REVISIONS[-1]:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _translated(error: DBAPIError) -> StoreError:
    # Not the whole of it: SQLAlchemy shows the statement's parameters, which may be names and e-mails.
    reason = str(error.orig).splitlines()[0] if isinstance(error, OperationalError) else type(error.orig).__name__
    return StoreError(
        f"the database cannot be used: {reason}",
        advice="Check that its disk has room and that its folder can be written, then try again.",
    )
