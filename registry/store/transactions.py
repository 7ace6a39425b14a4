"""Signed transactions and status changes: functions over one connection of `Store.reading` or `Store.writing`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, literal, select, union_all, update

from anchor.model import Address, Hash32, StatusPosition
from registry.errors import NotFoundError
from registry.store.connection import InstitutionConnection
from registry.store.records import (
    IssuerRef,
    StatusEntry,
    StatusKind,
    TransactionId,
    TransactionRecord,
    TransactionState,
    TransactionVersion,
)
from registry.store.tables import batch_revocations, status_changes, transaction_versions, transactions

OPEN_STATES: Final = (TransactionState.SIGNED, TransactionState.SENT)
"""States in which the ledger may yet decide otherwise than the database knows."""
_HASHES_AT_ONCE: Final = 500


def keep_transaction(
    connection: InstitutionConnection,
    *,
    chain_id: int,
    sender: Address,
    nonce: int,
    transaction_hash: Hash32,
    raw: bytes,
    signed_at: int,
    authorised_by: Address | None = None,
) -> TransactionId:
    """Keep a signed transaction, before anybody else has it.

    Args:
        connection: From `Store.writing`.
        chain_id: EIP-155 number.
        sender: The account that sends it.
        nonce: Its nonce.
        transaction_hash: Its hash.
        raw: Its signed bytes.
        signed_at: Unix seconds.
        authorised_by: The institution's key whose signature it carries, if that does not send it.
    """
    row = insert(transactions).values(
        institution_ref=connection.institution,
        chain_id=chain_id,
        sender=sender,
        nonce=nonce,
        hash=transaction_hash,
        raw=raw,
        state=TransactionState.SIGNED.value,
        signed_at=signed_at,
        authorised_by=authorised_by,
    )
    return TransactionId(connection.execute(row.returning(transactions.c.id)).scalar_one())


def keep_version(
    connection: InstitutionConnection,
    transaction: TransactionId,
    *,
    transaction_hash: Hash32,
    raw: bytes,
    signed_at: int,
) -> None:
    """Keep another version of a transaction, before anybody else has it: the same nonce, higher fees.

    It becomes the one that the transaction is known by; those before it are kept beside.
    """
    _set_aside(connection, transaction)
    connection.execute(
        update(transactions)
        .where(transactions.c.id == transaction, _own(connection))
        .values(hash=transaction_hash, raw=raw, raised_at=signed_at)
    )


def all_transaction_hashes(connection: InstitutionConnection) -> frozenset[Hash32]:
    """Give the hashes of all of the institution's transactions, and of all their versions."""
    own = select(transactions.c.id).where(_own(connection))
    known = connection.execute(select(transactions.c.hash).where(_own(connection))).scalars()
    versions = select(transaction_versions.c.hash).where(transaction_versions.c.transaction_id.in_(own))
    return frozenset(map(Hash32, (*known, *connection.execute(versions).scalars())))


def own_transactions(connection: InstitutionConnection, hashes: Iterable[Hash32]) -> frozenset[Hash32]:
    """Tell which of some transactions, whichever of their versions, are the institution's."""
    own, rest = set[Hash32](), iter(hashes)
    while some := list(islice(rest, _HASHES_AT_ONCE)):
        known = select(transactions.c.hash).where(_own(connection), transactions.c.hash.in_(some))
        versions = (
            select(transaction_versions.c.hash)
            .join(transactions, transactions.c.id == transaction_versions.c.transaction_id)
            .where(_own(connection), transaction_versions.c.hash.in_(some))
        )
        own.update(map(Hash32, connection.execute(union_all(known, versions)).scalars()))
    return frozenset(own)


def settle_version(connection: InstitutionConnection, transaction: TransactionId, transaction_hash: Hash32) -> None:
    """Note which version of a transaction was mined: it is known by that one from now on.

    Raises:
        NotFoundError: There is no such version.
    """
    record = get_transaction(connection, transaction)
    if record.hash == transaction_hash:
        return
    raw = next((each.raw for each in record.versions if each.hash == transaction_hash), None)
    if raw is None:
        raise NotFoundError(f"no version of transaction {transaction} has this hash")
    _set_aside(connection, transaction)
    connection.execute(delete(transaction_versions).where(transaction_versions.c.hash == transaction_hash))
    connection.execute(
        update(transactions)
        .where(transactions.c.id == transaction, _own(connection))
        .values(hash=transaction_hash, raw=raw)
    )


def settle_transaction(
    connection: InstitutionConnection,
    transaction: TransactionId,
    state: TransactionState,
    *,
    block_number: int | None = None,
    gas_used: int | None = None,
    gas_price_wei: int | None = None,
) -> None:
    """Note what became of a transaction."""
    connection.execute(
        update(transactions)
        .where(transactions.c.id == transaction, _own(connection))
        .values(
            state=state.value,
            block_number=block_number,
            gas_used=gas_used,
            gas_price_wei=None if gas_price_wei is None else str(gas_price_wei),
        )
    )


def get_transaction(connection: InstitutionConnection, transaction: TransactionId) -> TransactionRecord:
    """Look up a transaction.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = connection.execute(
        select(transactions).where(transactions.c.id == transaction, _own(connection))
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no transaction {transaction} in the database")
    return transaction_records(connection, [row])[0]


def open_status_transactions(
    connection: InstitutionConnection, chain_id: int, sender: Address
) -> tuple[TransactionRecord, ...]:
    """List an account's status transactions whose fate is not known yet, by nonce."""
    of_status = select(status_changes.c.transaction_id).union(select(batch_revocations.c.transaction_id))
    statement = (
        select(transactions)
        .where(
            _own(connection),
            transactions.c.chain_id == chain_id,
            transactions.c.sender == sender,
            transactions.c.state.in_([state.value for state in OPEN_STATES]),
            transactions.c.id.in_(of_status),
        )
        .order_by(transactions.c.nonce)
    )
    return transaction_records(connection, connection.execute(statement).all())


def keep_status_changes(
    connection: InstitutionConnection,
    transaction: TransactionId,
    issuer: IssuerRef,
    positions: Iterable[StatusPosition],
    kind: StatusKind,
    reason: int,
) -> None:
    """Keep which positions a transaction is to change, and why."""
    connection.execute(
        insert(status_changes),
        [
            {
                "transaction_id": transaction,
                "issuer_ref": issuer.id,
                "status_list": position.status_list,
                "status_index": position.index,
                "kind": kind.value,
                "reason": reason,
            }
            for position in positions
        ],
    )


def keep_batch_revocation(
    connection: InstitutionConnection, transaction: TransactionId, issuer: IssuerRef, root: Hash32, reason: int
) -> None:
    """Keep which batch a transaction is to revoke, and why."""
    row = insert(batch_revocations).values(transaction_id=transaction, issuer_ref=issuer.id, root=root, reason=reason)
    connection.execute(row)


def status_history(
    connection: InstitutionConnection, issuer: IssuerRef, position: StatusPosition, root: Hash32
) -> tuple[StatusEntry, ...]:
    """List what was sent to change one credential's status, or its whole batch's, in the order of signing."""
    of_credential = select(
        status_changes.c.transaction_id, status_changes.c.kind, status_changes.c.reason, literal(False).label("whole")
    ).where(
        status_changes.c.issuer_ref == issuer.id,
        status_changes.c.status_list == position.status_list,
        status_changes.c.status_index == position.index,
    )
    of_batch = select(
        batch_revocations.c.transaction_id,
        literal(StatusKind.REVOKE.value).label("kind"),
        batch_revocations.c.reason,
        literal(True).label("whole"),
    ).where(batch_revocations.c.issuer_ref == issuer.id, batch_revocations.c.root == root)
    changes = of_credential.union_all(of_batch).subquery()
    statement = (
        select(transactions, changes.c.kind, changes.c.reason, changes.c.whole)
        .join(changes, changes.c.transaction_id == transactions.c.id)
        .where(_own(connection))
        .order_by(transactions.c.id)
    )
    return tuple(
        StatusEntry(
            kind=StatusKind(row.kind),
            reason=row.reason,
            is_whole_batch=bool(row.whole),
            signed_at=row.signed_at,
            transaction=_record(row),
        )
        for row in connection.execute(statement)
    )


def _own(connection: InstitutionConnection) -> ColumnElement[bool]:
    return transactions.c.institution_ref == connection.institution


def _set_aside(connection: InstitutionConnection, transaction: TransactionId) -> None:
    """Keep the version that a transaction is known by among its others."""
    known = select(transactions.c.id, transactions.c.hash, transactions.c.raw).where(
        transactions.c.id == transaction, _own(connection)
    )
    connection.execute(insert(transaction_versions).from_select(["transaction_id", "hash", "raw"], known))


def transaction_records(
    connection: Connection | InstitutionConnection, rows: Sequence[Row[*tuple[Any, ...]]]
) -> tuple[TransactionRecord, ...]:
    """Read rows of the table, with the other versions of each.

    Args:
        connection: Any.
        rows: With all columns.
    """
    others: dict[int, list[TransactionVersion]] = {}
    statement = select(transaction_versions).where(transaction_versions.c.transaction_id.in_([row.id for row in rows]))
    for each in connection.execute(statement.order_by(transaction_versions.c.id.desc())):
        others.setdefault(each.transaction_id, []).append(TransactionVersion(hash=Hash32(each.hash), raw=each.raw))
    return tuple(_record(row, others.get(row.id, ())) for row in rows)


def _record(row: Row[*tuple[Any, ...]], others: Iterable[TransactionVersion] = ()) -> TransactionRecord:
    return TransactionRecord(
        id=TransactionId(row.id),
        chain_id=row.chain_id,
        sender=Address(row.sender),
        nonce=row.nonce,
        hash=Hash32(row.hash),
        raw=row.raw,
        others=tuple(others),
        state=TransactionState(row.state),
        block_number=row.block_number,
        gas_used=row.gas_used,
        gas_price_wei=None if row.gas_price_wei is None else int(row.gas_price_wei),
        signed_at=row.signed_at if row.raised_at is None else row.raised_at,
        authorised_by=None if row.authorised_by is None else Address(row.authorised_by),
    )
