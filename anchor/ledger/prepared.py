"""A transaction before it is signed, and as it is read back from its signed bytes (EIP-1559)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import rlp

from anchor.ledger.client import Call
from anchor.model import Address, address

_FEE, _GAS, _TO, _DATA = 3, 4, 5, 7
"""Places of fields in the list after the type's byte; chain, nonce and tip go before them."""
_TYPE_BYTES: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTransaction:
    """A transaction ready to be signed."""

    call: Call
    chain_id: int
    sender: Address
    nonce: int
    gas: int
    max_fee_wei: int
    max_tip_wei: int

    @property
    def max_cost_wei(self) -> int:
        """What it costs at most."""
        return self.gas * self.max_fee_wei


def read_back(raw: bytes, sender: Address) -> PreparedTransaction:
    """Read what was signed.

    Args:
        raw: Signed bytes.
        sender: Who signed them.
    """
    fields = rlp.decode(raw[_TYPE_BYTES:])
    chain_id, nonce, tip, fee, gas = (int.from_bytes(fields[place], "big") for place in range(_GAS + 1))
    to = address(fields[_TO]) if fields[_TO] else None
    return PreparedTransaction(
        call=Call(to=to, data=fields[_DATA], what="do what was signed"),
        chain_id=chain_id,
        sender=sender,
        nonce=nonce,
        gas=gas,
        max_fee_wei=fee,
        max_tip_wei=tip,
    )


def max_cost_of(raw: bytes) -> int:
    """Tell what a signed transaction may cost at most, in wei."""
    fields = rlp.decode(raw[_TYPE_BYTES:])
    return int.from_bytes(fields[_GAS], "big") * int.from_bytes(fields[_FEE], "big")
