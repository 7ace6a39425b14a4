"""What signs: the one small protocol that a key file, a remote signer, or a hardware or cloud key fulfils.

    keys/anchor.json                                                    a key file        anchor.ledger.keys
    http://127.0.0.1:9000#0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266    a remote signer   anchor.ledger.remote_signer

Quick to import, so that settings can be checked by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from anchor.errors import KeyUnavailableError, MalformedError
from anchor.model import Address, Hash32, RegistryId, address, parse_hex, to_hex

if TYPE_CHECKING:
    from anchor.ledger.contract import KeyConsent
    from anchor.ledger.relayed import Authorisation

_REMOTE: Final = re.compile(r"(https?://[^\s#]+)#(0x[0-9a-fA-F]{40})")

_DOMAIN_TYPE: Final = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_CONSENT_TYPE: Final = (
    ("issuer", "uint32"),
    ("key", "address"),
    ("scope", "uint8"),
    ("statusEpoch", "uint16"),
    ("validFrom", "uint40"),
    ("deadline", "uint40"),
)


class SigningKey(Protocol):
    """A key that can sign. It is asked under the account's lock, one question at a time, and may be asked again.

    All methods raise `KeyUnavailableError` when the key will not sign, and `LedgerUnavailableError` when it could not
    be asked; then nothing was signed that anybody knows of, and it is safe to try again.
    """

    @property
    def address(self) -> Address:
        """The key's account."""

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, Hash32]:
        """Sign an EIP-1559 transaction.

        Args:
            fields: `type` 2, `chainId`, `nonce`, `gas`, `maxFeePerGas`, `maxPriorityFeePerGas`, `value`; `data` and,
                unless it deploys, `to` as bytes.

        Returns:
            Its raw bytes, ready to broadcast, and its hash.
        """

    def sign_key_consent(self, registry: RegistryId, consent: KeyConsent) -> bytes:
        """Sign, by EIP-712 (`key_consent_message`), that this key shall act for an issuer; give r, s and v."""

    def sign_authorisation(self, authorisation: Authorisation) -> bytes:
        """Sign, by EIP-712, what somebody else shall send for this key; give r, s and v."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteKey:
    """A key that a signer elsewhere holds: `<address of the signer>#<0x address of the key>`."""

    url: str
    address: Address


def parse_remote_key(text: str) -> RemoteKey | None:
    """Read a reference to a remote signer's key; None if it is none, but the name or path of a key file.

    Raises:
        MalformedError: It starts like an address, and names no key.
    """
    if not text.startswith(("http://", "https://")):
        return None
    match = _REMOTE.fullmatch(text)
    if match is None:
        # Not repeated: a password may stand in it.
        raise MalformedError("a remote signer's key is written http://<host>:<port>#<0x address of the key>")
    return RemoteKey(url=match[1], address=address(parse_hex(match[2])))


def key_consent_message(registry: RegistryId, consent: KeyConsent) -> dict[str, Any]:
    """Give the whole EIP-712 message by which a key consents, as `eth_signTypedData` takes it."""
    content = {
        "issuer": consent.issuer_id,
        "key": to_hex(consent.key),
        "scope": consent.scope.value,
        "statusEpoch": consent.status_epoch,
        "validFrom": consent.valid_from,
        "deadline": consent.deadline,
    }
    return eip712_message(registry, "KeyConsent", _CONSENT_TYPE, content)


def eip712_message(
    registry: RegistryId, name: str, members: Sequence[tuple[str, str]], content: Mapping[str, object]
) -> dict[str, Any]:
    """Give a whole EIP-712 message for a registry, as `eth_signTypedData` takes it.

    Args:
        registry: Whose contract checks the signature.
        name: Of the struct.
        members: Their names and Solidity types, in order.
        content: Their values, as JSON has them.
    """
    return {
        "types": {
            "EIP712Domain": _DOMAIN_TYPE,
            name: [{"name": member, "type": kind} for member, kind in members],
        },
        "primaryType": name,
        "domain": {
            "name": "credanchor",
            "version": "1",
            "chainId": registry.chain_id,
            "verifyingContract": to_hex(registry.address),
        },
        "message": dict(content),
    }


def require_own_consent(key: Address, consent: KeyConsent) -> None:
    """Check that a key is asked for its own consent.

    Raises:
        KeyUnavailableError: The consent is that of another key.
    """
    if consent.key != key:
        raise KeyUnavailableError(f"{to_hex(key)} cannot consent for the key {to_hex(consent.key)}")


def require_own_authorisation(key: Address, authorisation: Authorisation) -> None:
    """Check that a key is asked to sign for itself.

    Raises:
        KeyUnavailableError: It is another key's to sign.
    """
    if authorisation.key != key:
        raise KeyUnavailableError(f"{to_hex(key)} cannot sign for the key {to_hex(authorisation.key)}")
