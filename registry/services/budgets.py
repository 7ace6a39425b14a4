"""What an institution's transactions may cost in a calendar month (UTC), set by the operator.

Mined ones count with what they cost, in the month in which they were signed; those that are not mined with the most
that they may cost. So the budget is never exceeded by what is signed. Raising the fees of what is stuck may exceed it:
not to do so would hold up everybody who sends from the account; it counts all the same.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from anchor.errors import MalformedError
from anchor.ledger.prepared import PreparedTransaction, max_cost_of
from registry.errors import BudgetError
from registry.store.connection import InstitutionConnection
from registry.store.institutions import lock_institution, own_institution
from registry.store.spending import read_spending

_COIN_WEI: Final = 10**18


def spent_this_month(connection: InstitutionConnection, chain_id: int, *, now: int) -> int:
    """Tell what the institution's transactions cost, in wei; those not mined count with their most.

    Args:
        connection: From `Store.reading` or `Store.writing`.
        chain_id: The chain whose coin it is about.
        now: Unix seconds.
    """
    spending = read_spending(connection, chain_id, since=month_of(now)[0])
    return spending.mined_wei + sum(map(max_cost_of, spending.open_raw))


def require_budget(
    connection: InstitutionConnection, prepared: PreparedTransaction, *, now: int, alone: bool = False
) -> None:
    """Check that a transaction may be signed.

    Args:
        connection: From `Store.reading`, or from `Store.writing` for the last word.
        prepared: The transaction.
        now: Unix seconds.
        alone: Let nobody else do so for the institution until the database transaction ends.

    Raises:
        BudgetError: The month's budget would be exceeded.
    """
    allowed = own_institution(connection).details.monthly_gas_budget_wei
    if allowed is None:
        return
    if alone:
        lock_institution(connection)
    left = max(allowed - spent_this_month(connection, prepared.chain_id, now=now), 0)
    if prepared.max_cost_wei <= left:
        return
    next_month = datetime.fromtimestamp(month_of(now)[1], UTC).date().isoformat()
    raise BudgetError(
        f"to {prepared.call.what} may cost {coins_of(prepared.max_cost_wei)} coins, and {coins_of(left)} are left of "
        f"what may be spent this month; the next one begins on {next_month}",
        advice="Nothing was signed. The operator sets budgets: `credanchor institution budget`.",
    )


def month_of(now: int) -> tuple[int, int]:
    """Give the first seconds, Unix, of the calendar month (UTC) of a time, and of the next one."""
    day = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
    return int(day.timestamp()), int(after.timestamp())


def coins_of(wei: int) -> str:
    """Write an amount of wei in whole coins of the chain, exactly."""
    coins, rest = divmod(wei, _COIN_WEI)
    return f"{coins}.{rest:018}".rstrip("0").rstrip(".")


def wei_of(coins: str) -> int:
    """Read an amount in whole coins of the chain.

    Raises:
        MalformedError: It is none, or finer than wei.
    """
    found = re.fullmatch(r"([0-9]{1,12})(?:\.([0-9]{1,18}))?", coins, re.ASCII)
    if found is None:
        raise MalformedError("a budget is an amount of coins", advice="Such as 0.5; at most 18 digits after the point.")
    return int(found[1]) * _COIN_WEI + int((found[2] or "").ljust(18, "0"))
