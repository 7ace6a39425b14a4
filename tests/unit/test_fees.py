"""Fees that are offered, and more when a transaction is stuck."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.errors import FeesTooHighError
from anchor.ledger.client import Fees
from anchor.ledger.fees import capped_fees, raised_fees

amounts = st.integers(min_value=0, max_value=10**15)


@st.composite
def fees(draw: st.DrawFn) -> Fees:
    tip = draw(amounts)
    base = draw(amounts)
    return Fees(max_fee_wei=2 * base + tip, max_tip_wei=tip, base_fee_wei=base)


@given(fees(), fees(), st.none() | amounts)
def test_raised_they_are_an_eighth_more_and_never_above_the_cap(offered: Fees, asked: Fees, cap: int | None) -> None:
    raised = raised_fees(offered, asked, cap)
    if raised is None:
        assert cap is not None
        assert cap * 8 < offered.max_fee_wei * 9 or cap == offered.max_fee_wei == 0
        return
    assert raised.max_fee_wei * 8 >= offered.max_fee_wei * 9
    assert raised.max_tip_wei * 8 >= offered.max_tip_wei * 9
    assert raised.max_fee_wei > offered.max_fee_wei
    assert raised.max_tip_wei > offered.max_tip_wei or raised.max_tip_wei == raised.max_fee_wei
    assert raised.max_tip_wei <= raised.max_fee_wei
    assert cap is None or raised.max_fee_wei <= cap
    assert cap is not None or raised.max_fee_wei >= asked.max_fee_wei


@given(fees(), st.none() | amounts)
def test_first_ones_are_what_is_asked_for_as_far_as_it_may_be_paid(asked: Fees, cap: int | None) -> None:
    try:
        offered = capped_fees(asked, cap)
    except FeesTooHighError:
        assert cap is not None
        assert asked.base_fee_wei >= cap
        return
    assert offered.max_fee_wei == min(asked.max_fee_wei, asked.max_fee_wei if cap is None else cap)
    assert offered.max_tip_wei <= min(asked.max_tip_wei, offered.max_fee_wei)
    assert cap is None or offered.max_fee_wei <= cap


def test_refused_it_says_what_is_asked_for_and_what_is_allowed() -> None:
    with pytest.raises(FeesTooHighError, match=r"asks for 100 gwei .* at most 2\.5 may") as caught:
        capped_fees(Fees(max_fee_wei=201 * 10**9, max_tip_wei=10**9, base_fee_wei=100 * 10**9), 25 * 10**8)
    assert "max_fee_gwei" in caught.value.advice
