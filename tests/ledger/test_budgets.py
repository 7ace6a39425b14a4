"""What an institution may spend in a month: nothing is signed beyond it, and it goes on when there is more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anchor.ledger.prepared import max_cost_of
from registry.errors import BudgetError
from registry.services import operation, sending
from registry.services.budgets import month_of, require_budget, spent_this_month
from registry.store.connection import InstitutionId
from registry.store.engine import Store
from registry.store.records import TransactionId
from tests.ledger.chain import Chain, root_of
from tests.ledger.test_accounts import institutions, nonces_of, place, record_of, settle
from tests.ledger.test_stuck import by_hand
from tests.support.registry import NOW
from tests.support.senders import Place, keep_nothing

__all__ = ["institutions", "place"]


class Spender:
    def __init__(self, chain: Chain, place: Place, store: Store, both: tuple[InstitutionId, InstitutionId]) -> None:
        self.chain, self.place, self.all = chain, place, store
        self.store, self.other = store.of(both[0]), store.of(both[1])

    def allow(self, wei: int | None) -> None:
        operation.set_budget(self.all, "a", wei, now=NOW)

    def send(self, number: int, *, now: int = NOW, store: Store | None = None) -> TransactionId:
        call = self.chain.contract.anchor(issuer_id=self.chain.issuer_id, root=root_of(number), size=10)
        return self.place.outbox(store or self.store).send(call, keep_nothing, now=now)

    def spent(self, now: int = NOW) -> int:
        with self.store.reading() as connection:
            return spent_this_month(connection, self.chain.chain_id, now=now)


@pytest.fixture
def spender(
    chain: Chain, place: Place, store: Store, institutions: tuple[InstitutionId, InstitutionId]
) -> Iterator[Spender]:
    with by_hand(chain):
        yield Spender(chain, place, store, institutions)


def test_open_ones_count_with_their_most_and_mined_ones_with_what_they_cost(spender: Spender) -> None:
    sent = spender.send(30)
    most = max_cost_of(record_of(spender.store, sent).raw)
    assert spender.spent() == most
    spender.chain.mine()
    record = settle(spender.store, spender.place.outbox(spender.store), sent)
    assert record.gas_used is not None
    assert record.gas_price_wei is not None
    assert spender.spent() == record.gas_used * record.gas_price_wei < most
    assert spender.spent(month_of(NOW)[1]) == 0
    spender.send(31, store=spender.other)
    assert spender.spent() < most, "another institution's are its own"


def test_nothing_is_signed_beyond_the_budget(spender: Spender) -> None:
    first = spender.send(30)
    most = max_cost_of(record_of(spender.store, first).raw)
    spender.allow(2 * most - 1)
    for _ in range(2):
        with pytest.raises(
            BudgetError, match="are left of what may be spent this month; the next one begins on 2026-06-01"
        ):
            spender.send(31)
    assert spender.spent() == most, "nothing was kept"
    other = spender.send(40, store=spender.other)
    assert record_of(spender.other, other).nonce == record_of(spender.store, first).nonce + 1, "no gap"
    spender.allow(2 * most + most // 10)
    spender.send(31)
    with pytest.raises(BudgetError):
        spender.send(32)
    # What is open counts next month as well, until it is mined.
    spender.chain.mine()
    with pytest.raises(BudgetError):
        spender.send(32, now=month_of(NOW)[1])
    settle(spender.store, spender.place.outbox(spender.store), first)
    spender.send(32, now=month_of(NOW)[1])
    spender.allow(0)
    with pytest.raises(BudgetError):
        spender.send(33, now=month_of(NOW)[1])
    spender.allow(None)
    spender.send(33)


def test_two_accounts_of_one_institution_share_its_budget(spender: Spender, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check before signing may be overtaken by the institution's other key; the one on keeping is not."""
    most = max_cost_of(record_of(spender.store, spender.send(30)).raw)
    spender.allow(2 * most + most // 10)
    really, seen = require_budget, list[bool]()

    def overtaken(*arguments: object, **options: object) -> None:
        really(*arguments, **options)  # type: ignore[arg-type]
        if not seen:
            seen.append(True)
            spender.allow(most)

    monkeypatch.setattr(sending, "require_budget", overtaken)
    count = nonces_of(spender.chain)
    with pytest.raises(BudgetError):
        spender.send(31)
    assert spender.spent() == most
    assert nonces_of(spender.chain) == count
