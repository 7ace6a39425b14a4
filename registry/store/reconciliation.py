"""What an institution's database says that it has asked the ledger for: to be held against the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, Select, select

from anchor.model import Hash32, RegistryId, StatusPosition
from registry.store.connection import InstitutionConnection
from registry.store.own import of_institution
from registry.store.records import StatusKind, TransactionState
from registry.store.tables import batch_revocations, issuers, status_changes, transactions

_ROWS_A_FETCH: Final = 1000
OPEN: Final = frozenset({TransactionState.SIGNED, TransactionState.SENT})
"""States of transactions of which nobody knows yet what becomes of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedStatus:
    """What was asked for one credential, by transactions that were mined and not refused."""

    position: StatusPosition
    is_revoked: bool
    is_suspended: bool
    is_open: bool
    """A further change is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRevocation:
    """A whole batch that was to be revoked."""

    root: Hash32
    is_open: bool
    """Its transaction is on its way."""


def asked_statuses(connection: InstitutionConnection, registry: RegistryId, issuer_id: int) -> Iterator[AskedStatus]:
    """Give what was asked for each credential whose status was ever to change, in order of list and index.

    Args:
        connection: From `Store.reading`; its rows are read as they are wanted.
        registry: The registry.
        issuer_id: The issuer's number there.
    """
    columns = status_changes.c
    statement = _of_issuer(
        connection,
        select(columns.status_list, columns.status_index, columns.kind, transactions.c.state).join(
            transactions, transactions.c.id == columns.transaction_id
        ),
        registry,
        issuer_id,
    ).order_by(columns.status_list, columns.status_index, columns.transaction_id)
    rows = connection.stream(statement, _ROWS_A_FETCH)
    for place, changes in groupby(rows, key=lambda row: (row.status_list, row.status_index)):
        yield _asked(StatusPosition(*place), changes)


def asked_revocations(
    connection: InstitutionConnection, registry: RegistryId, issuer_id: int
) -> tuple[AskedRevocation, ...]:
    """Give the batches that were to be revoked as a whole, each once; refused transactions left out."""
    statement = _of_issuer(
        connection,
        select(batch_revocations.c.root, transactions.c.state).join(
            transactions, transactions.c.id == batch_revocations.c.transaction_id
        ),
        registry,
        issuer_id,
        table=batch_revocations,
    )
    asked: dict[Hash32, bool] = {}
    for row in connection.execute(statement):
        state, root = TransactionState(row.state), Hash32(row.root)
        if state in OPEN or state is TransactionState.MINED:
            asked[root] = asked.get(root, True) and state in OPEN
    return tuple(AskedRevocation(root=root, is_open=is_open) for root, is_open in asked.items())


def _asked(position: StatusPosition, changes: Iterator[Row[Any]]) -> AskedStatus:
    is_revoked = is_suspended = is_open = False
    for row in changes:
        state, kind = TransactionState(row.state), StatusKind(row.kind)
        if state in OPEN:
            is_open = True
        elif state is TransactionState.MINED:
            is_revoked |= kind is StatusKind.REVOKE
            if kind is not StatusKind.REVOKE:
                is_suspended = kind is StatusKind.SUSPEND
    return AskedStatus(position=position, is_revoked=is_revoked, is_suspended=is_suspended, is_open=is_open)


def _of_issuer(
    connection: InstitutionConnection,
    statement: Select[Any],
    registry: RegistryId,
    issuer_id: int,
    *,
    table: Any = status_changes,
) -> Select[Any]:
    return statement.join(issuers, issuers.c.id == table.c.issuer_ref).where(
        of_institution(connection), issuers.c.registry == registry.to_text(), issuers.c.issuer_id == issuer_id
    )
