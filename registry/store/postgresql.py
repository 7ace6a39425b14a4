"""All that is particular to PostgreSQL: many writers, who wait for each other row by row.

What two writers must not do at once, they do under a row lock (`UPDATE`, `FOR UPDATE`) or an advisory lock, never under
a lock of everything. They see what others have committed, statement by statement (READ COMMITTED); a reader sees one
moment (REPEATABLE READ).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from types import TracebackType
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from registry.errors import ConflictError, StoreError
from registry.store.service_tables import job_chunks
from registry.store.tables import batches, credentials, replacements

NAME: Final = "postgresql"
DRIVER: Final = "postgresql+psycopg"

READING: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a connection that gives one consistent view."""

BUSY_SECONDS: Final = 60
"""How long a writer waits for a row that another one holds."""

_MIGRATION_LOCK: Final = 0x63726564_616E6368
"""Of the advisory locks, the one under which tables are made and changed."""

_LOCK_NOT_AVAILABLE: Final = "55P03"

_NO_LOCK: Final = "the database cannot be used: a lock could not be taken"
_NOT_GONE: Final = "it was erased, but the database still keeps it, for somebody is reading what was there before"
_NOT_GONE_ADVICE: Final = "It goes when they have ended and the server has cleaned up, or do the same again then."

_LOCK_SESSION: Final = """
    SELECT set_config('lock_timeout', :limit, false), set_config('tcp_keepalives_idle', '10', false),
        set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)
"""
"""A machine that is gone without a word loses its locks after half a minute, not after hours."""

_SESSION: Final = f"""
    SELECT set_config('lock_timeout', '{BUSY_SECONDS}s', false),
        CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
             THEN set_config('synchronous_commit', 'on', false) END,
        current_setting('server_encoding')
"""


def prepare(engine: Engine) -> None:
    """Set up each connection: a commit that returned is on disk; nobody waits for ever.

    A connection that the server closed meanwhile is replaced by a new one when it is taken from the pool.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        with connection.cursor() as cursor:
            encoding = cursor.execute(_SESSION).fetchone()[2]
        connection.commit()
        if encoding != "UTF8":
            raise StoreError(
                f"the database keeps text as {encoding}, which has not every name's letters",
                advice="Make one with CREATE DATABASE … ENCODING 'UTF8'.",
            )


class AdvisoryLock:
    """A lock by name, held by one process at a time wherever it runs, and set free when that ends or loses the server.

    It is the session's, on a connection of its own, so that no time-out of idle transactions ends it. Whoever loses
    that connection loses the lock without knowing: what is done under it has to be such that this does no harm.

    Args:
        engine: The database that all of them use.
        name: Of what is locked.
        what: What is done under the lock, for messages: "sends transactions for this account".
        timeout_seconds: How long to wait for another process.
    """

    def __init__(self, engine: Engine, name: str, *, what: str, timeout_seconds: float) -> None:
        self._engine: Final = engine
        self._key: Final = int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
        self._what: Final = what
        self._timeout_seconds: Final = timeout_seconds
        self._held: Final = threading.local()

    def __enter__(self) -> None:
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            # Taken out of the pool: whatever happens, nobody else gets a connection that holds the lock.
            connection.detach()
        except DBAPIError as error:
            raise StoreError(_NO_LOCK) from error
        try:
            limit = max(1, round(self._timeout_seconds * 1000))
            connection.execute(text(_LOCK_SESSION), {"limit": str(limit)})
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": self._key})
        except DBAPIError as error:
            connection.close()
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise StoreError(_NO_LOCK) from error
            raise ConflictError(
                f"another process {self._what}", advice="Wait until it has ended, then try again."
            ) from None
        self._held.connection = connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connection: Connection = self._held.connection
        del self._held.connection
        # If the connection was lost, so was the lock: nothing is left to give up.
        with suppress(DBAPIError):
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
        with suppress(DBAPIError):
            connection.close()


def lock_migrations(connection: Connection) -> None:
    """Wait until nobody else makes or changes tables; held until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def copy_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows by COPY: three times as many a second as by INSERT."""
    driver = connection.connection.driver_connection
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[union-attr]  # psycopg's
        for row in rows:
            copy.write_row(row)


def clean_uploads(engine: Engine) -> None:
    """Have what was dropped of uploads removed from its table; what `finish_erasing` says of bytes holds for it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.execute(text("SELECT pg_relation_size(:name)"), {"name": job_chunks.name}).scalar():
            connection.exec_driver_sql(f"VACUUM {job_chunks.name}")


def begin_erasing(connection: Connection) -> int:
    """Give the number of this transaction, for `finish_erasing`."""
    number: int = connection.execute(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one()
    return number


def finish_erasing(engine: Engine, transaction: int) -> None:
    """Have the rows that were overwritten removed from their tables.

    The server may still hold their bytes where it does not read them: in parts of pages that are free now, until new
    rows lie there; in its journal (WAL) until that is recycled; in copies of that (replicas, archives), and in backups.

    Args:
        engine: The database.
        transaction: What `begin_erasing` gave; it has ended.

    Raises:
        StoreError: Somebody began to read before, and may still see them.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        names = ", ".join(table.name for table in (credentials, replacements, batches))
        connection.exec_driver_sql(f"VACUUM {names}")
        # After it: whoever began before the rows were overwritten, and is still there, kept them from being removed.
        earlier = connection.execute(
            text(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND age(backend_xmin) >= age(CAST(CAST(:number AS text) AS xid)) LIMIT 1"
            ),
            {"number": str(transaction % 2**32)},
        ).first()
    if earlier is not None:
        raise StoreError(_NOT_GONE, advice=_NOT_GONE_ADVICE)
