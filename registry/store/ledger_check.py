"""What is kept of one issuer in a copy of a registry's history, row by row: to be held against the ledger."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Select, Table, select

from registry.store.ledger_copies import CopyId
from registry.store.ledger_events import REGISTRY_ITSELF, ROWS_A_PAGE
from registry.store.ledger_tables import ledger_accounts, ledger_events, ledger_tallies, ledger_words

Kept = tuple[Any, ...]
"""A row, in the order of its table's columns."""


def kept_events(connection: Connection, copy: CopyId, issuer_id: int) -> Generator[Kept]:
    """Give an issuer's events, in order, read as they are wanted; close it if it is not read to its end."""
    return _rows(connection, _of(ledger_events, copy, issuer_id).order_by(ledger_events.c.number))


def kept_words(connection: Connection, copy: CopyId, issuer_id: int) -> Generator[Kept]:
    """Give likewise what its events did to status words, in order of events, lists and words."""
    columns = ledger_words.c
    statement = _of(ledger_words, copy, issuer_id)
    return _rows(connection, statement.order_by(columns.number, columns.status_list, columns.word))


def kept_keys(connection: Connection, copy: CopyId, issuer_id: int, last: int) -> frozenset[Kept]:
    """Give the keys that its events up to a number bound to it."""
    if issuer_id == REGISTRY_ITSELF:
        return frozenset()
    columns = ledger_accounts.c
    own = columns.copy_ref == copy, columns.key_of == issuer_id, columns.number <= last
    return frozenset(_rows(connection, select(ledger_accounts).where(*own)))


def kept_tallies(connection: Connection, copy: CopyId, issuer_id: int) -> frozenset[Kept]:
    """Give how many events of each kind are counted on each day."""
    columns = ledger_tallies.c
    own = columns.copy_ref == copy, columns.issuer_id == issuer_id
    return frozenset(_rows(connection, select(ledger_tallies).where(*own)))


def _of(table: Table, copy: CopyId, issuer_id: int) -> Select[Any]:
    return select(table).where(table.c.copy_ref == copy, table.c.issuer_id == issuer_id)


def _rows(connection: Connection, statement: Select[Any]) -> Generator[Kept]:
    # Closed with whoever reads them: PostgreSQL keeps a cursor for what was not read to its end.
    with closing(connection.execute(statement, execution_options={"yield_per": ROWS_A_PAGE})) as rows:
        for row in rows:
            yield tuple(row)
