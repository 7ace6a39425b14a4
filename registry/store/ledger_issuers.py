"""Issuers of a registry, as the proven events left them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select

from anchor.model import Hash32
from registry.store.ledger_copies import CopyId
from registry.store.ledger_tables import ledger_issuers


class IssuerRow(NamedTuple):
    """One issuer."""

    issuer_id: int
    did: str
    """For searching: without zero bytes, which PostgreSQL keeps in no text."""
    did_hash: bytes
    content: bytes


def put_issuers(connection: Connection, copy: CopyId, rows: Collection[IssuerRow]) -> None:
    """Keep issuers in place of what was kept of them.

    Args:
        connection: From `Store.operator_writing`.
        copy: Of which history.
        rows: They.
    """
    table = ledger_issuers
    for row in rows:
        connection.execute(delete(table).where(table.c.copy_ref == copy, table.c.issuer_id == row.issuer_id))
        values = {**row._asdict(), "did": row.did.replace("\0", "\\x00")}
        connection.execute(insert(table).values(copy_ref=copy, **values))


def get_issuers(connection: Connection, copy: CopyId, *, after: int, limit: int) -> tuple[IssuerRow, ...]:
    """List issuers after a number, in order."""
    table = ledger_issuers.c
    own = table.copy_ref == copy, table.issuer_id > after
    return _rows(connection, select(ledger_issuers).where(*own).order_by(table.issuer_id).limit(limit))


def find_issuer(connection: Connection, copy: CopyId, issuer_id: int) -> IssuerRow | None:
    """Look up an issuer by number."""
    own = ledger_issuers.c.copy_ref == copy, ledger_issuers.c.issuer_id == issuer_id
    return next(iter(_rows(connection, select(ledger_issuers).where(*own))), None)


def find_by_did(connection: Connection, copy: CopyId, did_hash: Hash32) -> IssuerRow | None:
    """Look up an issuer by the hash of its DID."""
    own = ledger_issuers.c.copy_ref == copy, ledger_issuers.c.did_hash == did_hash
    return next(iter(_rows(connection, select(ledger_issuers).where(*own))), None)


def search_dids(connection: Connection, copy: CopyId, text: str, *, limit: int) -> tuple[IssuerRow, ...]:
    """List issuers in whose DID a text occurs, whatever the case of letters from A to Z, in order."""
    table = ledger_issuers.c
    holds = func.lower(table.did).contains(text.lower(), autoescape=True)
    return _rows(
        connection, select(ledger_issuers).where(table.copy_ref == copy, holds).order_by(table.issuer_id).limit(limit)
    )


def _rows(connection: Connection, statement: Any) -> tuple[IssuerRow, ...]:
    return tuple(map(_row, connection.execute(statement)))


def _row(row: Row[*tuple[Any, ...]]) -> IssuerRow:
    return IssuerRow(row.issuer_id, row.did, row.did_hash, row.content)
