"""What a transaction offers for a unit of gas (EIP-1559): what is asked for, as far as it may be paid; more when stuck.

Pure. Nodes take a second transaction with a nonce only if it offers a tenth more, in fee and tip; some want an eighth.
"""

from __future__ import annotations

from anchor.errors import FeesTooHighError
from anchor.ledger.client import Fees

_GWEI = 10**9


def capped_fees(asked: Fees, max_fee_wei: int | None) -> Fees:
    """Give fees to offer.

    Args:
        asked: With which a transaction is mined soon.
        max_fee_wei: Most to offer for a unit of gas, tip included; None: any.

    Raises:
        FeesTooHighError: At that fee it would not be mined now.
    """
    if max_fee_wei is None or asked.max_fee_wei <= max_fee_wei:
        return asked
    if asked.base_fee_wei >= max_fee_wei:
        raise FeesTooHighError(
            f"the chain asks for {asked.base_fee_wei / _GWEI:g} gwei a unit of gas, and at most "
            f"{max_fee_wei / _GWEI:g} may be paid",
            advice="wait until fees are lower, or allow higher ones: the setting max_fee_gwei",
        )
    return Fees(max_fee_wei=max_fee_wei, max_tip_wei=min(asked.max_tip_wei, max_fee_wei))


def raised_fees(offered: Fees, asked: Fees, max_fee_wei: int | None) -> Fees | None:
    """Give fees with which a transaction takes the place of one that is not mined.

    Args:
        offered: By the one that is not mined.
        asked: With which one is mined soon, as it is now.
        max_fee_wei: As for `capped_fees`.

    Returns:
        At least an eighth more of both; None if that is more than may be paid.
    """
    least_fee, least_tip = _eighth_more(offered.max_fee_wei), _eighth_more(offered.max_tip_wei)
    if max_fee_wei is not None and least_fee > max_fee_wei:
        return None
    fee = max(least_fee, asked.max_fee_wei)
    fee = fee if max_fee_wei is None else min(fee, max_fee_wei)
    # A tip is part of the fee. It was within the one that is offered, so that an eighth more of it is within this one.
    return Fees(max_fee_wei=fee, max_tip_wei=min(max(least_tip, asked.max_tip_wei), fee))


def _eighth_more(amount: int) -> int:
    # One more at least: an eighth of nothing is nothing.
    return max(-(-amount * 9 // 8), amount + 1)
