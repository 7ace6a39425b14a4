"""Names of chains, for people: whoever confirms a transaction should see at a glance where it goes."""

from __future__ import annotations

from typing import Final

from anchor.ledger.testnet import CHAIN_ID

_NAMES: Final = {
    1: "Ethereum",
    10: "OP Mainnet",
    100: "Gnosis Chain",
    137: "Polygon",
    8453: "Base",
    42161: "Arbitrum One",
    84532: "Base Sepolia, a test network",
    560048: "Hoodi, a test network",
    11155111: "Sepolia, a test network",
    CHAIN_ID: "a local testnet",
}


def chain_text(chain_id: int) -> str:
    """Name a chain: `chain 11155111 (Sepolia, a test network)`."""
    name = _NAMES.get(chain_id)
    return f"chain {chain_id} ({name})" if name else f"chain {chain_id}"
