"""What an institution's transactions cost: mined ones what they did, open ones what they may."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select

from registry.store.connection import InstitutionConnection
from registry.store.records import TransactionState
from registry.store.tables import transactions
from registry.store.transactions import OPEN_STATES

_MINED = (TransactionState.MINED.value, TransactionState.REFUSED.value)
_OPEN = tuple(state.value for state in OPEN_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Of an institution, on one chain."""

    mined_wei: int
    """What those cost that were mined, refused ones among them."""
    open_raw: tuple[bytes, ...]
    """Signed bytes of those not mined, each in its newest version, which is the dearest."""


def read_spending(connection: InstitutionConnection, chain_id: int, *, since: int) -> Spending:
    """Read what an institution's transactions cost.

    Args:
        connection: From `Store.reading` or `Store.writing`.
        chain_id: EIP-155 number: coins of different chains do not add up.
        since: Of mined ones, those count that were signed at this Unix second or later. Open ones all do.
    """
    rows = connection.execute(
        select(transactions.c.state, transactions.c.gas_used, transactions.c.gas_price_wei, transactions.c.raw).where(
            transactions.c.institution_ref == connection.institution,
            transactions.c.chain_id == chain_id,
            or_(
                transactions.c.state.in_(_OPEN),
                (transactions.c.signed_at >= since) & transactions.c.state.in_(_MINED),
            ),
        )
    ).all()
    mined = (row for row in rows if row.state in _MINED)
    return Spending(
        mined_wei=sum((row.gas_used or 0) * int(row.gas_price_wei or 0) for row in mined),
        open_raw=tuple(row.raw for row in rows if row.state in _OPEN),
    )
