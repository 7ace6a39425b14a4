"""What an institution's transactions may cost in a calendar month (UTC), set by the operator.

Mined ones count with what they cost, in the month in which they were signed; those that are not mined with the most
that they may cost. So the budget is never exceeded by what is signed. Raising the fees of what is stuck may exceed it:
not to do so would hold up everybody who sends from the account; it counts all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from anchor.ledger.transactions import PreparedTransaction, max_cost_of
from registry.errors import BudgetError
from registry.store.connection import InstitutionConnection
from registry.store.institutions import lock_institution, own_institution
from registry.store.spending import read_spending

COIN_WEI: Final = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How an institution stands in a month."""

    allowed_wei: int | None
    """None: no limit."""
    spent_wei: int
    """What is not mined counts with its most."""
    ends_at: int
    """When the next month begins, in Unix seconds."""

    @property
    def left_wei(self) -> int | None:
        """What may still be spent; None: anything."""
        return None if self.allowed_wei is None else max(self.allowed_wei - self.spent_wei, 0)


def read_budget(connection: InstitutionConnection, chain_id: int, *, now: int) -> Budget:
    """Read how the institution stands.

    Args:
        connection: From `Store.reading` or `Store.writing`.
        chain_id: The chain whose coin it is about.
        now: Unix seconds.
    """
    starts_at, ends_at = month_of(now)
    spending = read_spending(connection, chain_id, since=starts_at)
    return Budget(
        allowed_wei=own_institution(connection).details.monthly_gas_budget_wei,
        spent_wei=spending.mined_wei + sum(map(max_cost_of, spending.open_raw)),
        ends_at=ends_at,
    )


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
    if own_institution(connection).details.monthly_gas_budget_wei is None:
        return
    if alone:
        lock_institution(connection)
    budget = read_budget(connection, prepared.chain_id, now=now)
    if budget.left_wei is None or prepared.max_cost_wei <= budget.left_wei:
        return
    month_ends = datetime.fromtimestamp(budget.ends_at, UTC).date().isoformat()
    raise BudgetError(
        f"to {prepared.call.what} may cost {coins_of(prepared.max_cost_wei)} coins, and {coins_of(budget.left_wei)} "
        f"are left of what the institution may spend this month; it is done when there is more, at the latest on "
        f"{month_ends} if the next month's suffices",
        advice="Nothing was signed. The operator sets the budget: `credanchor institution budget`.",
    )


def month_of(now: int) -> tuple[int, int]:
    """Give the first seconds, Unix, of the calendar month (UTC) of a time, and of the next one."""
    day = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
    return int(day.timestamp()), int(after.timestamp())


def coins_of(wei: int) -> str:
    """Write wei in whole coins of the chain, exactly."""
    text = format(Decimal(wei).scaleb(-18), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
