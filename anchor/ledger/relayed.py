"""Relayed calls: a key signs what it wants done (EIP-712), another account sends it and pays (decision 12).

    anchor(…)        →  anchorBySig(…, key, deadline, signature)
    revoke(…) etc.   →  revokeBySig(…, key, nonce, deadline, signature)

What is signed is good until its deadline and, but for anchoring, only while the key's nonce is the one in it. Anchoring
needs none: the contract anchors a root once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import to_checksum_address

from anchor.errors import KeyUnavailableError, MalformedError
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.contract import abi_contract
from anchor.ledger.signers import eip712_message
from anchor.model import Address, RegistryId, address, parse_hex, to_hex

_KEY: Final = ("key", "address")
_END: Final = (("nonce", "uint256"), ("deadline", "uint40"))
_WORDS: Final = (
    _KEY,
    ("issuer", "uint32"),
    ("list", "uint32"),
    ("words", "uint16[]"),
    ("masks", "uint256[]"),
    ("reason", "uint8"),
    *_END,
)
_TYPES: Final = {
    "anchor": (_KEY, ("issuer", "uint32"), ("root", "bytes32"), ("size", "uint32"), ("deadline", "uint40")),
    "revokeBatch": (_KEY, ("issuer", "uint32"), ("root", "bytes32"), ("reason", "uint8"), *_END),
    "revoke": _WORDS,
    "suspend": _WORDS,
    "reinstate": _WORDS,
}
"""Members of what is signed for each function, in order: as in the contract."""
_NOWHERE: Final = bytes(20)
_SUFFIX: Final = "BySig"
_AUTHORITY: Final = ("key", "nonce", "deadline", "signature")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """What a key signs."""

    registry: RegistryId
    function: str
    """That it wants called: `anchor`, `revoke`, `suspend`, `reinstate`, `revokeBatch`."""
    arguments: dict[str, Any]
    """Of the function, by the contract's names."""
    key: Address
    nonce: int | None
    """None for `anchor`."""
    deadline: int
    """Last second, Unix, at which it is good."""

    @property
    def message(self) -> dict[str, Any]:
        """The whole EIP-712 message, as `eth_signTypedData` takes it."""
        values = {**self.arguments, "key": to_hex(self.key), "nonce": self.nonce, "deadline": self.deadline}
        members = _TYPES[self.function]
        name = self.function[0].upper() + self.function[1:]
        written = {member: _written(values[member], kind) for member, kind in members}
        return eip712_message(self.registry, name, members, written)

    def call(self, signature: bytes, *, what: str) -> Call:
        """Give the call that does it, for any account to send.

        Args:
            signature: The key's, over `message`.
            what: What it does, for messages.
        """
        build = abi_contract()
        authority = [to_checksum_address(self.key), self.nonce, self.deadline, signature]
        values = [*self.arguments.values(), *(each for each in authority if each is not None)]
        data = build.encode_abi(f"{self.function}{_SUFFIX}", args=values)
        return Call(to=self.registry.address, data=parse_hex(data), what=what)


def authorise(registry: RegistryId, call: Call, key: Address, *, nonce: int | None, deadline: int) -> Authorisation:
    """Say of a call, as the key itself would send it, what the key has to sign for others to send it.

    Raises:
        KeyUnavailableError: It is none that can be relayed.
    """
    function, arguments = _decoded(call)
    if call.to != registry.address or function not in _TYPES:
        raise KeyUnavailableError(f"to {call.what} cannot be relayed: the key has to send it itself")
    return Authorisation(
        registry=registry, function=function, arguments=arguments, key=key, nonce=nonce, deadline=deadline
    )


def needs_nonce(call: Call) -> bool:
    """Tell whether what is signed for a call carries the key's nonce: all but anchoring."""
    return _decoded(call)[0] != "anchor"


def read_authorisation(registry: RegistryId, call: Call) -> Authorisation | None:
    """Read back what a key signed for a call that relays it; None: it relays nothing of this registry."""
    if call.to != registry.address:
        return None
    function, arguments = _decoded(call)
    if not function.endswith(_SUFFIX):
        return None
    authority = {name: arguments.pop(name, None) for name in _AUTHORITY}
    return Authorisation(
        registry=registry,
        function=function.removesuffix(_SUFFIX),
        arguments=arguments,
        key=address(parse_hex(authority["key"])),
        nonce=authority["nonce"],
        deadline=authority["deadline"],
    )


def next_nonce(client: LedgerClient, registry: RegistryId, key: Address) -> int:
    """Ask a node for the nonce that a key has to sign next. A node that lies gets a signature that does nothing now."""
    data = abi_contract().encode_abi("nonceOf", args=[to_checksum_address(key)])
    block = client.latest_block().header.number
    answer = client.replay(key, Call(to=registry.address, data=parse_hex(data), what="read the nonce"), block)
    if len(answer) != 32:
        raise MalformedError("a nonce has 32 bytes")
    return int.from_bytes(answer, "big")


def _decoded(call: Call) -> tuple[str, dict[str, Any]]:
    # The address matters for nothing here.
    contract = abi_contract()(to_checksum_address(call.to or _NOWHERE))
    function, arguments = contract.decode_function_input(call.data)
    return str(function.fn_name), dict(arguments)


def _written(value: Any, kind: str) -> Any:
    """Write a value as JSON has it: what a number of JavaScript cannot hold, as decimal digits."""
    if isinstance(value, bytes):
        return to_hex(value)
    if kind == "uint256[]":
        return [str(each) for each in value]
    return str(value) if kind == "uint256" else value
