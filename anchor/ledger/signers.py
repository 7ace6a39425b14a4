"""What signs: the one small protocol that a key file, a remote signer, or a hardware or cloud key fulfils.

    keys/anchor.json                                                    a key file        anchor.ledger.keys
    http://127.0.0.1:9000#0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266    a remote signer   anchor.ledger.remote_signer

Quick to import, so that settings can be checked by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from anchor.errors import KeyUnavailableError, MalformedError
from anchor.model import Address, Hash32, RegistryId, address, parse_hex, to_hex

if TYPE_CHECKING:
    from anchor.ledger.contract import KeyConsent

_REMOTE: Final = re.compile(r"(https?://[^\s#]+)#(0x[0-9a-fA-F]{40})")

_DOMAIN_TYPE: Final = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_CONSENT_TYPE: Final = [
    {"name": "issuer", "type": "uint32"},
    {"name": "key", "type": "address"},
    {"name": "scope", "type": "uint8"},
    {"name": "statusEpoch", "type": "uint16"},
    {"name": "validFrom", "type": "uint40"},
    {"name": "deadline", "type": "uint40"},
]


class SigningKey(Protocol):
    """A key that can sign. It is asked under the account's lock, one question at a time, and may be asked again.

    Both methods raise `KeyUnavailableError` when the key will not sign, and `LedgerUnavailableError` when it could not
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
    return {
        "types": {"EIP712Domain": _DOMAIN_TYPE, "KeyConsent": _CONSENT_TYPE},
        "primaryType": "KeyConsent",
        "domain": {
            "name": "credanchor",
            "version": "1",
            "chainId": registry.chain_id,
            "verifyingContract": to_hex(registry.address),
        },
        "message": {
            "issuer": consent.issuer_id,
            "key": to_hex(consent.key),
            "scope": consent.scope.value,
            "statusEpoch": consent.status_epoch,
            "validFrom": consent.valid_from,
            "deadline": consent.deadline,
        },
    }


def require_own_consent(key: Address, consent: KeyConsent) -> None:
    """Check that a key is asked for its own consent.

    Raises:
        KeyUnavailableError: The consent is that of another key.
    """
    if consent.key != key:
        raise KeyUnavailableError(f"{to_hex(key)} cannot consent for the key {to_hex(consent.key)}")
