"""A key held by a signer elsewhere, asked over HTTP in the words of web3signer's execution-layer API.

    eth_signTransaction   [{"from", "nonce", "gas", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data", "to"}]
    eth_signTypedData     [<0x address>, <the EIP-712 message, as JSON in a text>]

web3signer serves both for keys in files, HashiCorp Vault, AWS KMS, Azure Key Vault and YubiHSM. What comes back is not
believed: every field of the transaction must be the one asked for, and the signature the key's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import rlp
from eth_hash.auto import keccak

from anchor.errors import KeyUnavailableError, LedgerUnavailableError, MalformedError, NodeRefusedError
from anchor.ledger.answers import read_bytes
from anchor.ledger.contract import KeyConsent
from anchor.ledger.rpc import RpcNode
from anchor.ledger.signers import RemoteKey, key_consent_message, require_own_authorisation, require_own_consent
from anchor.model import Address, Hash32, RegistryId, to_hex

if TYPE_CHECKING:
    from anchor.ledger.relayed import Authorisation

TIMEOUT_SECONDS: Final = 60.0
"""A cloud's key service takes a second; a person who has to press a button on a device takes longer."""

_TYPE: Final = b"\x02"
"""EIP-1559."""
_SIGNATURE_BYTES: Final = 65
_QUANTITIES: Final = ("nonce", "gas", "maxFeePerGas", "maxPriorityFeePerGas", "value")
_SIGNED_FIELD_COUNT: Final = 12
"""Nine fields of the transaction, then parity, r and s."""


class RemoteSigner:
    """One key of a remote signer.

    Args:
        key: Where the signer answers, and which of its keys is meant.

    Raises:
        MalformedError: The address is not one.
    """

    def __init__(self, key: RemoteKey, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.address: Final[Address] = key.address
        self._rpc: Final = RpcNode(key.url, timeout_seconds=timeout_seconds)

    def __repr__(self) -> str:
        return f"RemoteSigner({self._rpc.name}, {to_hex(self.address)})"

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, Hash32]:
        """Let the signer sign a transaction; give its raw bytes and its hash.

        Raises:
            KeyUnavailableError: The signer refuses, or gave something else than was asked for.
            LedgerUnavailableError: It did not answer.
        """
        asked: dict[str, object] = {"from": to_hex(self.address), "data": to_hex(fields["data"])}
        asked |= {name: hex(fields[name]) for name in _QUANTITIES}
        if "to" in fields:
            asked["to"] = to_hex(fields["to"])
        raw = self._ask("eth_signTransaction", [asked])
        if not _is_signed_as_asked(raw, fields) or _sender_of(raw) != to_hex(self.address):
            raise self._other_than_asked("transaction")
        return raw, Hash32(keccak(raw))

    def sign_key_consent(self, registry: RegistryId, consent: KeyConsent) -> bytes:
        """Let the signer sign that this key shall act for an issuer.

        Raises:
            KeyUnavailableError: The consent is that of another key, the signer refuses, or it gave something else.
            LedgerUnavailableError: It did not answer.
        """
        require_own_consent(self.address, consent)
        return self._sign_typed_data(key_consent_message(registry, consent), "consent")

    def sign_authorisation(self, authorisation: Authorisation) -> bytes:
        """Let the signer sign what somebody else shall send for this key.

        Raises:
            KeyUnavailableError: It is another key's to sign, the signer refuses, or it gave something else.
            LedgerUnavailableError: It did not answer.
        """
        require_own_authorisation(self.address, authorisation)
        return self._sign_typed_data(authorisation.message, "authorisation")

    def _sign_typed_data(self, message: dict[str, Any], what: str) -> bytes:
        from eth_account import Account
        from eth_account.messages import encode_typed_data
        from eth_keys.exceptions import BadSignature

        signature = self._ask("eth_signTypedData", [to_hex(self.address), json.dumps(message)])
        if len(signature) != _SIGNATURE_BYTES:
            raise self._other_than_asked(what)
        if signature[-1] < 27:
            # Some signers write the parity as 0 or 1; the contract wants 27 or 28.
            signature = signature[:-1] + bytes([signature[-1] + 27])
        try:
            signed_by = Account.recover_message(encode_typed_data(full_message=message), signature=signature)
        except (BadSignature, ValueError):
            signed_by = ""
        if signed_by.lower() != to_hex(self.address):
            raise self._other_than_asked(what)
        return signature

    def _ask(self, method: str, params: list[object]) -> bytes:
        try:
            return read_bytes(self._rpc.read(method, params))
        except NodeRefusedError as error:
            raise KeyUnavailableError(
                f"the signer {self._rpc.name} refused to sign for {to_hex(self.address)}: {error.text}",
                advice="check that it holds this key, that it is for the same chain, and what it allows",
            ) from error
        except LedgerUnavailableError as error:
            raise LedgerUnavailableError(
                f"nothing was signed, for the signer gave no usable answer: {error}",
                advice="check that the signer runs, and its address in settings.toml; then try again",
            ) from error
        except MalformedError as error:
            raise LedgerUnavailableError(f"the signer {self._rpc.name} answered {method} with no bytes") from error

    def _other_than_asked(self, what: str) -> KeyUnavailableError:
        return KeyUnavailableError(
            f"the signer {self._rpc.name} did not sign the {what} that was asked for with {to_hex(self.address)}",
            advice="do not use it until you know why: it signs other things than it is asked to, or with another key",
        )


def _is_signed_as_asked(raw: bytes, fields: Mapping[str, Any]) -> bool:
    """Tell whether a raw transaction has exactly the fields asked for, whoever signed it."""
    if raw[:1] != _TYPE:
        return False
    try:
        found = rlp.decode(raw[1:])
    except rlp.DecodingError:
        return False
    if not isinstance(found, list) or len(found) != _SIGNED_FIELD_COUNT:
        return False
    numbers = [fields[name] for name in ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas")]
    expected = [*map(_minimal, numbers), fields.get("to", b""), _minimal(fields["value"]), fields["data"], []]
    return found[: len(expected)] == expected


def _sender_of(raw: bytes) -> str:
    from eth_account import Account
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    try:
        return str(Account.recover_transaction(raw)).lower()
    except (BadSignature, ValidationError, ValueError, TypeError):
        return ""


def _minimal(number: int) -> bytes:
    """Write a number as RLP does: no leading zero bytes."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
