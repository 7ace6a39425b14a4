"""Ed25519 keys named by a did:key, and signatures made with them (RFC 8032; did:key method, multicodec `ed25519-pub`).

    did:key:z6Mk…  =  "did:key:z" + base58btc(0xed 0x01 ‖ the 32 bytes of the public key)

Upholds: a key has one name, and whether a signature holds is the same for every reader. Libraries differ over points
outside the group of prime order, and over numbers that are not in their smallest form. Neither occurs in keys and
signatures made as the RFC says; both are refused here.

Leaves to others: what is signed (`anchor.data_integrity`), and whose key it is.
"""

from __future__ import annotations

from typing import Final

from Crypto.PublicKey.ECC import EccKey, EccPoint
from Crypto.Signature import eddsa

from anchor.errors import SignatureError, SignedFormatError

SEED_BYTES: Final = 32
"""What an Ed25519 private key consists of."""
SIGNATURE_BYTES: Final = 64

_PREFIX: Final = "did:key:"
_MULTICODEC: Final = b"\xed\x01"
"""`ed25519-pub` as a varint, from the multicodec table."""
_MAX_DID_CHARACTERS: Final = 64
"""One of an Ed25519 key has 56; more is refused before it is decoded."""
_POINT_BYTES: Final = 32
_GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""L of RFC 8032 section 5.1."""
_NEUTRAL: Final = (0, 1)

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""base58btc: no 0, O, I, l."""


class Ed25519Key:
    """An Ed25519 private key. Shown, it is its did:key.

    Args:
        seed: Its 32 secret bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self._key: Final = eddsa.import_private_key(seed)
        self.did: Final = did_of(self._key.public_key().export_key(format="raw"))

    def __repr__(self) -> str:
        return f"Ed25519Key({self.did})"

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519 (RFC 8032 section 5.1.6); the same message gives the same 64 bytes."""
        return eddsa.new(self._key, "rfc8032").sign(message)


def did_of(public_key: bytes) -> str:
    """Name a public key, 32 bytes, by its did:key."""
    return f"{_PREFIX}{to_multibase(_MULTICODEC + public_key)}"


def check_did(did: str) -> None:
    """Check that a text is the did:key of an Ed25519 key, in its one form.

    Raises:
        SignedFormatError: It is not.
    """
    _key_of(did)


def check_signature(did: str, message: bytes, signature: bytes) -> None:
    """Check a signature: RFC 8032 section 5.1.7, with both points in the group of prime order.

    Args:
        did: did:key of who is said to have signed.
        message: What was signed.
        signature: 64 bytes.

    Raises:
        SignedFormatError: The did:key is not one.
        SignatureError: The signature does not hold.
    """
    key = _key_of(did)
    # The library refuses S beyond L, but multiplies away whatever is outside the group.
    is_strict = len(signature) == SIGNATURE_BYTES and _point(signature[:_POINT_BYTES]) is not None
    try:
        if not is_strict:
            raise ValueError("not strict")
        eddsa.new(key, "rfc8032").verify(message, signature)
    except ValueError as error:
        raise SignatureError(f"the signature does not hold: what was signed was changed, or not by {did}") from error


def to_multibase(data: bytes) -> str:
    """Write bytes as multibase base58btc: `z` and the digits."""
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, len(_BASE58))
        digits = _BASE58[digit] + digits
    zeros = len(data) - len(data.lstrip(b"\x00"))
    return "z" + _BASE58[0] * zeros + digits


def from_multibase(text: str, length: int) -> bytes | None:
    """Read multibase base58btc of so many bytes in its one form; None for anything else."""
    # Each byte makes 1.37 digits: a text that is far too long is not worked through.
    if not text.startswith("z") or len(text) > 1 + 2 * length:
        return None
    number = 0
    for character in text[1:]:
        digit = _BASE58.find(character)
        if digit < 0:
            return None
        number = number * len(_BASE58) + digit
    if number.bit_length() > 8 * length:
        return None
    data = number.to_bytes(length, "big")
    return data if to_multibase(data) == text else None


def _key_of(did: str) -> EccKey:
    problem = SignedFormatError("expected the did:key of an Ed25519 key: did:key:z6Mk…")
    if len(did) > _MAX_DID_CHARACTERS or not did.startswith(_PREFIX):
        raise problem
    data = from_multibase(did.removeprefix(_PREFIX), len(_MULTICODEC) + _POINT_BYTES)
    if data is None or not data.startswith(_MULTICODEC):
        raise problem
    key = _point(data.removeprefix(_MULTICODEC))
    if key is None:
        raise problem
    return key


def _point(encoded: bytes) -> EccKey | None:
    """Read a point in its one encoding; None if it is none, or outside the group of prime order."""
    try:
        key = eddsa.import_public_key(encoded)
    except ValueError:
        return None
    if key.export_key(format="raw") != encoded or not _is_of_prime_order(key.pointQ):
        return None
    return key


def _is_of_prime_order(point: EccPoint) -> bool:
    # Not `is_point_at_infinity`, which takes the point of order 2 for the neutral one.
    return point.xy != _NEUTRAL and (point * _GROUP_ORDER).xy == _NEUTRAL
