"""What an institution's database says that it has, and has asked the ledger for: to be held against the ledger.

Rows come in order, some at a time. What is held of them is small: of a batch what the ledger has of it, and of what was
asked for credentials a few bits each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Select, select

from anchor.model import Hash32, RegistryId, StatusPosition
from anchor.status import mask_of, word_of
from registry.store.connection import InstitutionConnection
from registry.store.own import of_institution
from registry.store.records import BatchId, BatchState, StatusKind, TransactionState
from registry.store.tables import batch_revocations, batches, issuers, status_changes, transactions

_ROWS_A_FETCH: Final = 1000
OPEN: Final = frozenset({TransactionState.SIGNED, TransactionState.SENT})
"""States of transactions of which nobody knows yet what becomes of them."""


class OwnBatch(NamedTuple):
    """Of a batch, what the ledger has of it, and how far it has come."""

    id: BatchId
    root: Hash32
    size: int
    first_position: int
    state: BatchState
    sealed_at: int
    failure: str | None


class AskedStatus(NamedTuple):
    """What was asked for one credential, by transactions that were mined and not refused."""

    position: StatusPosition
    is_revoked: bool
    is_suspended: bool
    is_open: bool
    """A further change is on its way."""


class AskedWord(NamedTuple):
    """What was asked for the credentials of one status word: for each question a bit each, as on the ledger."""

    known: int = 0
    """A change was asked for, whatever became of it."""
    revoked: int = 0
    suspended: int = 0
    open: int = 0


AskedWords = Mapping[tuple[int, int], AskedWord]
"""By list and word, in this order."""


def sealed_for(connection: InstitutionConnection, registry: RegistryId, issuer_id: int) -> Iterator[OwnBatch]:
    """Give everything that was sealed for an issuer, in order, whatever became of it.

    Args:
        connection: From `Store.reading`; its rows are read as they are wanted.
        registry: The registry.
        issuer_id: The issuer's number there.
    """
    columns = batches.c
    statement = _of_issuer(
        connection,
        select(
            columns.id,
            columns.root,
            columns.size,
            columns.first_position,
            columns.state,
            columns.sealed_at,
            columns.failure,
        ),
        registry,
        issuer_id,
        table=batches,
    ).order_by(columns.id)
    for row in connection.stream(statement, _ROWS_A_FETCH):
        number, root, size, first, state, sealed_at, failure = row
        yield OwnBatch(BatchId(number), Hash32(root), size, first, BatchState(state), sealed_at, failure)


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
        table=status_changes,
    ).order_by(columns.status_list, columns.status_index, columns.transaction_id)
    rows = connection.stream(statement, _ROWS_A_FETCH)
    for place, changes in groupby(rows, key=lambda row: (row.status_list, row.status_index)):
        yield _asked(StatusPosition(*place), changes)


def in_words(statuses: Iterable[AskedStatus]) -> AskedWords:
    """Gather what was asked for credentials, given in order of list and index, into bits.

    The order of list and index is that of lists and words, too.
    """
    words: dict[tuple[int, int], AskedWord] = {}
    places = groupby(statuses, key=lambda each: (each.position.status_list, word_of(each.position.index)))
    for place, asked in places:
        known = revoked = suspended = is_open = 0
        for each in asked:
            mask = mask_of(each.position.index)
            known |= mask
            revoked |= mask * each.is_revoked
            suspended |= mask * each.is_suspended
            is_open |= mask * each.is_open
        words[place] = AskedWord(known, revoked, suspended, is_open)
    return words


def asked_revocations(connection: InstitutionConnection, registry: RegistryId, issuer_id: int) -> Mapping[Hash32, bool]:
    """Give the batches that were to be revoked as a whole; refused transactions left out.

    Returns:
        By root, in the order of asking: whether all transactions for it are still on their way.
    """
    columns = batch_revocations.c
    statement = _of_issuer(
        connection,
        select(columns.root, transactions.c.state).join(transactions, transactions.c.id == columns.transaction_id),
        registry,
        issuer_id,
        table=batch_revocations,
    ).order_by(columns.id)
    asked: dict[Hash32, bool] = {}
    for row in connection.stream(statement, _ROWS_A_FETCH):
        state, root = TransactionState(row.state), Hash32(row.root)
        if state in OPEN or state is TransactionState.MINED:
            asked[root] = asked.get(root, True) and state in OPEN
    return asked


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
    return AskedStatus(position, is_revoked, is_suspended, is_open)


def _of_issuer(
    connection: InstitutionConnection, statement: Select[Any], registry: RegistryId, issuer_id: int, *, table: Any
) -> Select[Any]:
    return statement.join(issuers, issuers.c.id == table.c.issuer_ref).where(
        of_institution(connection), issuers.c.registry == registry.to_text(), issuers.c.issuer_id == issuer_id
    )
