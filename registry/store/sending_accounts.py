"""Accounts that send, over all institutions that they send for: what is kept of each, and in which order.

Upholds: of two processes that sign for an account at once, whatever lock they think they have, only one can keep what
it signed (`count_kept`); nothing that is not kept is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, or_, select, update

from anchor.model import Address
from registry.errors import BusyError
from registry.store.bulk import insert_if_new
from registry.store.connection import InstitutionId
from registry.store.records import TransactionRecord, TransactionState
from registry.store.tables import sending_accounts, transactions
from registry.store.transactions import OPEN_STATES, transaction_records

_OPEN: Final = [state.value for state in OPEN_STATES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A transaction of an account that may not be on the ledger."""

    institution: InstitutionId
    """For whom it was signed."""
    record: TransactionRecord
    is_open: bool
    """False: it was mined once; if it is not now, a reorganisation took it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBook:
    """What is kept of an account at one moment."""

    kept: int
    """How many signed versions, ever: for `count_kept`."""
    outgoing: tuple[Outgoing, ...]
    """Open ones, and those of nonces that the ledger has not counted; by nonce."""


def read_account(connection: Connection, chain_id: int, sender: Address, *, mined_count: int) -> AccountBook:
    """Read what is kept of an account.

    Args:
        connection: From `Store.operator_reading`.
        chain_id: EIP-155 number.
        sender: The account.
        mined_count: How many transactions of it the ledger has.
    """
    is_account = (sending_accounts.c.chain_id == chain_id) & (sending_accounts.c.sender == sender)
    kept = connection.execute(select(sending_accounts.c.kept).where(is_account)).scalar()
    rows = connection.execute(
        select(transactions)
        .where(
            transactions.c.chain_id == chain_id,
            transactions.c.sender == sender,
            transactions.c.state != TransactionState.REPLACED.value,
            or_(transactions.c.state.in_(_OPEN), transactions.c.nonce >= mined_count),
        )
        .order_by(transactions.c.nonce, transactions.c.id)
    ).all()
    outgoing = (
        Outgoing(institution=InstitutionId(row.institution_ref), record=record, is_open=record.state in OPEN_STATES)
        for row, record in zip(rows, transaction_records(connection, rows), strict=True)
    )
    return AccountBook(kept=kept or 0, outgoing=tuple(outgoing))


def list_accounts(connection: Connection, chain_id: int) -> tuple[Address, ...]:
    """List the accounts that ever sent on a chain."""
    statement = select(sending_accounts.c.sender).where(sending_accounts.c.chain_id == chain_id)
    return tuple(sorted(Address(each) for each in connection.execute(statement).scalars()))


def count_kept(connection: Connection, chain_id: int, sender: Address, *, seen: int) -> None:
    """Count a signed version as kept, in the transaction that keeps it.

    Args:
        connection: From `Store.operator_writing`.
        chain_id: EIP-155 number.
        sender: The account.
        seen: How many had been kept when the nonce was chosen.

    Raises:
        BusyError: Another process has kept one since: the lock was lost. Nothing may be sent.
    """
    insert_if_new(connection, sending_accounts, {"chain_id": chain_id, "sender": sender, "kept": 0})
    row = (
        update(sending_accounts)
        .where(
            sending_accounts.c.chain_id == chain_id,
            sending_accounts.c.sender == sender,
            sending_accounts.c.kept == seen,
        )
        .values(kept=seen + 1)
    )
    if connection.execute(row).rowcount != 1:
        raise BusyError(
            "another process sends transactions for this account at the same time; nothing was sent",
            advice="Try again.",
        )
