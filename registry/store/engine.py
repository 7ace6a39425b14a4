"""Opening the database, SQLite or PostgreSQL: connections, transactions, schema.

Upholds: a commit that returned is on disk, also after a power cut; a reader sees one moment; writers wait for each
other instead of failing half-way; a database made by a newer version is refused, one made by an older version is
brought up to date, by one process while others wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from registry.errors import StoreError
from registry.store import postgresql, sqlite
from registry.store.connection import HOME, InstitutionConnection, InstitutionId
from registry.store.row_reader import RowReader

SCHEMA_REVISIONS: Final = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
)
"""Alembic revisions in order, the newest last; a test holds it to the folder `migrations`. Known here, so that Alembic,
which takes 0.7 s to import, is needed only when there is something to migrate."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_NO_ADDRESS: Final = "the setting database_url is not the address of a database that can be used"
_ADDRESS_ADVICE: Final = "Examples: sqlite:////var/lib/credanchor/registry.db, postgresql://user@host/database"
_ADVICE: Final = {
    sqlite.NAME: "Check that its disk has room and that its folder can be written, then try again.",
    postgresql.NAME: "Check that the server runs, knows this user and has room on its disk, then try again.",
}


class Store:
    """The registry's database, as one institution has it.

    Args:
        engine: Made by `open_store`.
        institution: Whose data `reading`, `writing` and `erasing` are about.
        rows: Reads single rows of the database; default: a new one.
    """

    def __init__(self, engine: Engine, institution: InstitutionId = HOME, rows: RowReader | None = None) -> None:
        self._engine: Final = engine
        self._rows: Final = RowReader(engine) if rows is None else rows
        self.institution: Final = institution

    def of(self, institution: InstitutionId) -> Store:
        """Give the same database as another institution has it; it is opened and closed with this one."""
        return Store(self._engine, institution, self._rows)

    @property
    def is_postgresql(self) -> bool:
        """Whether a server keeps it, for processes on several machines; else it is a file of this one."""
        return self._engine.dialect.name == postgresql.NAME

    @contextmanager
    def reading(self) -> Iterator[InstitutionConnection]:
        """Give one consistent view of the institution's data.

        Raises:
            StoreError: The database cannot be read.
        """
        with self.operator_reading() as plain:
            connection = InstitutionConnection(plain, self.institution)
            try:
                yield connection
            finally:
                connection.end_streams()

    @contextmanager
    def writing(self) -> Iterator[InstitutionConnection]:
        """Give a transaction that is kept whole, durably, when the block ends, and not at all when it raises.

        In SQLite, nobody else writes meanwhile; in PostgreSQL, nobody else writes the same rows.

        Raises:
            StoreError: The database cannot be written; nothing was changed.
        """
        with self.operator_writing() as plain:
            connection = InstitutionConnection(plain, self.institution)
            try:
                yield connection
            finally:
                connection.end_streams()

    @contextmanager
    def erasing(self) -> Iterator[InstitutionConnection]:
        """As `writing`; what is overwritten in it is afterwards gone from the database.

        In SQLite, it is in none of its files. In PostgreSQL it is in no table; `postgresql.finish_erasing` says where
        the server may still hold its bytes.

        Raises:
            StoreError: As `writing`; or it was erased, but others that use the database keep it from being removed.
        """
        transaction = 0
        with self.writing() as connection:
            if self.is_postgresql:
                transaction = postgresql.begin_erasing(connection.plain)
            else:
                sqlite.begin_erasing(connection.plain)
            yield connection
        with self._translating():
            if self.is_postgresql:
                postgresql.finish_erasing(self._engine, transaction)
            else:
                sqlite.finish_erasing(self._engine)

    def clean_uploads(self) -> None:
        """Remove what is left of uploads that were dropped, as far as it can be done now: it may be done again.

        Raises:
            StoreError: The database cannot be used.
        """
        with self._translating():
            if self.is_postgresql:
                postgresql.clean_uploads(self._engine)
            else:
                sqlite.empty_journal(self._engine)

    @contextmanager
    def operator_reading(self) -> Iterator[Connection]:
        """As `reading`, of what is the operator's or everybody's."""
        options = postgresql.READING if self.is_postgresql else {}
        with self._translating(), self._engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def operator_writing(self) -> Iterator[Connection]:
        """As `writing`, of what is the operator's or everybody's."""
        options = {} if self.is_postgresql else {sqlite.WRITES: True}
        with self._translating(), self._engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    def read_row(self, statement: str, parameters: Sequence[object] | Mapping[str, object]) -> tuple[Any, ...] | None:
        """Read one row by one statement, which is as good as a transaction, in a fifth of the time of `reading`.

        For what is read hundreds of times a second. The statement names the institution where it concerns rows of one.

        Args:
            statement: In the driver's own form.
            parameters: As it wants them.

        Raises:
            StoreError: The database cannot be read.
        """
        with self._translating():
            return self._rows.read(statement, parameters)

    @property
    def dialect(self) -> Dialect:
        """Which database it is."""
        return self._engine.dialect

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Turn the driver's errors into ours, which show no parameters: they may be names and e-mails."""
        driver = self._engine.dialect.loaded_dbapi
        try:
            yield
        except DBAPIError as error:
            raise self._translated(error.orig) from self._cause(error)
        except driver.Error as error:
            # Where rows were copied in past SQLAlchemy.
            raise self._translated(error) from self._cause(error)

    def _cause(self, error: Exception) -> Exception | None:
        # What PostgreSQL says of a refused row shows the row: it is in no traceback either.
        return None if self.is_postgresql else error

    def _translated(self, error: BaseException | None) -> StoreError:
        is_operational = isinstance(error, self._engine.dialect.loaded_dbapi.OperationalError)
        # The first line at most: what PostgreSQL says below it shows values.
        reason = str(error).splitlines()[0] if is_operational and str(error) else type(error).__name__
        constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
        return StoreError(
            f"the database cannot be used: {reason}{f' ({constraint})' if constraint else ''}",
            advice=_ADVICE[self._engine.dialect.name],
        )

    def lock(self, name: str, *, what: str, timeout_seconds: float) -> AbstractContextManager[None] | None:
        """Give a lock between all processes that use the database, on whatever machine.

        Args:
            name: Of what is locked.
            what: What is done under it, for messages: "sends transactions for this account".
            timeout_seconds: How long to wait for another process; then a `ConflictError` is raised.

        Returns:
            None for SQLite: all its processes are on this machine, where a lock on a file does.
        """
        if not self.is_postgresql:
            return None
        return postgresql.AdvisoryLock(self._engine, name, what=what, timeout_seconds=timeout_seconds)

    def close(self) -> None:
        """Give up idle connections."""
        self._rows.close()
        self._engine.dispose()


def open_store(url: str, *, pooled: bool = True) -> Store:
    """Open a database, creating it or bringing its schema up to date where needed.

    Args:
        url: Address, such as `sqlite:////var/lib/credanchor/registry.db` or `postgresql://user@host/database`; a
            PostgreSQL database must be there, empty.
        pooled: Keep connections to a server for the next transaction, until `Store.close`. A command that ends soon,
            and has few, does without.

    Returns:
        The database as the institution of a home folder has it.

    Raises:
        StoreError: It cannot be opened, or a newer version of credanchor made it.
    """
    store = Store(make_engine(url, pooled=pooled))
    try:
        with store.operator_reading() as connection:
            revision = _revision(connection)
        if revision != SCHEMA_REVISIONS[-1]:
            _migrate(store)
    except StoreError:
        store.close()
        raise
    return store


def make_engine(url: str, *, pooled: bool = True) -> Engine:
    """Make what connects to a database, which may have no tables yet.

    Raises:
        StoreError: It is no address of a database of a kind that can be used.
    """
    try:
        address = make_url(url)
        if address.drivername in {"postgres", "postgresql"}:
            address = address.set(drivername=postgresql.DRIVER)
        # Parameters are names and e-mails: no error may show them.
        engine = create_engine(address, hide_parameters=True, **_pool(address, pooled=pooled))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(_NO_ADDRESS, advice=_ADDRESS_ADVICE) from error
    match engine.dialect.name:
        case sqlite.NAME:
            sqlite.prepare(engine)
        case postgresql.NAME:
            postgresql.prepare(engine)
        case _:
            raise StoreError(_NO_ADDRESS, advice=_ADDRESS_ADVICE)
    return engine


def _pool(address: URL, *, pooled: bool) -> dict[str, Any]:
    if address.drivername != postgresql.DRIVER:
        return {}
    return {"pool_pre_ping": True} if pooled else {"poolclass": NullPool}


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


def _migrate(store: Store) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with store.operator_writing() as connection:
        if store.is_postgresql:
            postgresql.lock_migrations(connection)
        # Another process may have been faster.
        if _revision(connection) != SCHEMA_REVISIONS[-1]:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
