"""Why a node did not take a transaction: its own words.

They are those of go-ethereum, Erigon, Nethermind, Besu, reth and anvil.
"""

from __future__ import annotations

from typing import Final

from anchor.errors import NodeRefusedError, TooLittleCoinError
from anchor.model import Address, to_hex

_FUNDS: Final = "insufficient funds"
_REPLACEMENT: Final = "replacement"
_UNDERPRICED: Final = "underpriced"
_BASE_FEE: Final = "max fee per gas less than block base fee"

_HOPELESS: Final = ("intrinsic gas too", "exceeds block gas limit", "invalid chain id", "invalid sender")
_DEFINITE: Final = (_FUNDS, _UNDERPRICED, _BASE_FEE, *_HOPELESS, "nonce too high")
"""Words when they have not taken it. All other refusals ("already known", "nonce too low", a proxy's own troubles) say
nothing sure: the ledger is asked."""


def is_definite(refusal: NodeRefusedError) -> bool:
    """Tell whether the node has certainly not taken the transaction."""
    return _says(refusal, *_DEFINITE)


def is_hopeless(refusal: NodeRefusedError) -> bool:
    """Tell whether no node will ever take the transaction as it is."""
    return _says(refusal, *_HOPELESS)


def is_nonce_taken(refusal: NodeRefusedError) -> bool:
    """Tell whether another transaction with the same nonce waits, and this one offers too little to take its place."""
    return _says(refusal, _REPLACEMENT)


def is_fee_too_low(refusal: NodeRefusedError) -> bool:
    """Tell whether the node takes no transaction now that offers so little."""
    return _says(refusal, _UNDERPRICED, _BASE_FEE) and not is_nonce_taken(refusal)


def with_advice(refusal: NodeRefusedError, sender: Address) -> NodeRefusedError:
    """Add to a node's refusal of a transaction of an account what to do."""
    if _says(refusal, _FUNDS):
        return TooLittleCoinError(
            f"the account {to_hex(sender)} has not enough coin to pay for the transaction",
            text=refusal.text,
            data=refusal.data,
            advice="send it some coin, then try again",
        )
    advice = refusal.advice
    if _says(refusal, _UNDERPRICED):
        advice = "another transaction of this account is waiting: try again when it is mined"
    return NodeRefusedError(str(refusal), text=refusal.text, data=refusal.data, advice=advice)


def _says(refusal: NodeRefusedError, *words: str) -> bool:
    text = refusal.text.lower()
    return any(each in text for each in words)
