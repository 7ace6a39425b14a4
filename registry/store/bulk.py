"""Rows by the thousand, and rows that somebody else may have made: what each database has its own means for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from registry.store import postgresql
from registry.store.connection import InstitutionConnection

_COPIED_FROM: Final = 20
"""Rows from which on PostgreSQL's COPY is the quicker way."""


def insert_rows(
    connection: Connection | InstitutionConnection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    """Insert many rows as the driver does it: a third of the time that SQLAlchemy takes with types and dictionaries.

    Args:
        connection: In a transaction.
        table: Where.
        columns: Names of those that the rows have values for.
        rows: Values, in the order of `columns`.
    """
    plain = connection.plain if isinstance(connection, InstitutionConnection) else connection
    if plain.dialect.name == postgresql.NAME and len(rows) >= _COPIED_FROM:
        postgresql.copy_rows(plain, table, columns, rows)
        return
    compiled = insert(table).compile(dialect=plain.dialect, column_keys=list(columns))
    order = compiled.positiontup
    if order is None:
        plain.exec_driver_sql(str(compiled), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    places = [columns.index(name) for name in order]
    in_order = rows if places == sorted(places) else [tuple(row[place] for place in places) for row in rows]
    plain.exec_driver_sql(str(compiled), list(in_order))


def insert_if_new(
    connection: Connection | InstitutionConnection, table: Table, values: Mapping[str, Any]
) -> Row[*tuple[Any, ...]] | None:
    """Insert a row, or do nothing if there is one with the same key already.

    PostgreSQL waits until somebody who is about to make the same row has done so, or has not.

    Args:
        connection: In a writing transaction.
        table: Where.
        values: Of the row, by column.

    Returns:
        The new row; None: there was one.
    """
    chosen = postgresql_insert if connection.dialect.name == postgresql.NAME else sqlite_insert
    # What is returned tells, for drivers count inserted rows each in its own way.
    row = chosen(table).values(values).on_conflict_do_nothing().returning(*table.c)
    return connection.execute(row).one_or_none()
