"""What transactions would cost, told beforehand, against what they cost."""

from __future__ import annotations

import pytest

from anchor.errors import RevertedError
from anchor.ledger.contract import RegistryContract
from anchor.ledger.testnet import dev_signer
from registry.services.costs import coins_to_text, preview_cost
from tests.ledger.chain import ANCHOR_KEY, STRANGER, Chain, root_of


def test_preview_is_close_to_what_is_paid(chain: Chain) -> None:
    calls = [
        RegistryContract(chain.registry).anchor(issuer_id=chain.issuer_id, root=root_of(n), size=9) for n in (1, 2)
    ]
    # anvil's revert to the start of each test keeps the fee of the next block: after one, fees are as they should be.
    chain.mine()
    cost = preview_cost(chain.client, dev_signer(ANCHOR_KEY).address, calls)
    assert cost.transaction_count == 2
    sender, paid, used = chain.sender(ANCHOR_KEY), 0, 0
    for call in calls:
        receipt = sender.wait_for_receipt(sender.send(call, lambda _signed: None), 10)
        used += receipt.gas_used
        paid += receipt.gas_used * receipt.gas_price_wei
    assert used <= cost.gas <= used * 1.1
    assert paid <= cost.max_wei
    assert cost.likely_wei * 0.7 <= paid <= cost.likely_wei * 1.2
    assert cost.to_text().startswith(f"{cost.gas:,} gas in 2 transactions, about 0.0")


def test_a_call_that_the_contract_would_refuse_is_refused_beforehand(chain: Chain) -> None:
    call = RegistryContract(chain.registry).anchor(issuer_id=chain.issuer_id, root=root_of(1), size=9)
    with pytest.raises(RevertedError, match="KeyNotOfIssuer"):
        preview_cost(chain.client, dev_signer(STRANGER).address, [call])


@pytest.mark.parametrize(
    ("wei", "text"), [(0, "0"), (1, "0.000000000000000001"), (123_456 * 10**9, "0.000123"), (12_345 * 10**17, "1230")]
)
def test_amounts_are_written_without_exponents(wei: int, text: str) -> None:
    assert coins_to_text(wei) == text
