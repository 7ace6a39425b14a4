"""The anchor proof: the entry in a credential's `proof` that leads to the ledger (docs/spec/anchor-proof.md).

Upholds: one proof has one encoding. Members, base64url and CBOR are re-rendered after reading and must come out
byte for byte the same. Leaves to others: whether any of it is true.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from dataclasses import dataclass
from typing import Any, Final

import cbor2

from anchor.canonical import JsonObject
from anchor.errors import ProofFormatError
from anchor.merkle import HASH_BYTES, MAX_LEVELS
from anchor.model import MAX_UINT32, AnchorProof, Hash32, InclusionProof, RegistryId, hash32

PROOF_TYPE: Final = "DataIntegrityProof"
CRYPTOSUITE: Final = "merkle-eip155-jcs-2026"
MAX_PROOF_VALUE_CHARACTERS: Final = 2048
"""A path of 32 siblings and the longest registry name make 1,659; more is refused before it is decoded."""
MAX_PROOFS: Final = 16
"""Proofs of any kind on one credential; each costs work, and nobody needs more."""

_BASE64URL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_FROM_BASE64URL: Final = bytes.maketrans(b"-_", b"+/")
_NO_BASE64URL: Final = "the proofValue is not 'u' followed by unpadded base64url"  # multibase
_MAX_SIBLINGS = MAX_LEVELS - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialProofs:
    """A credential's proofs, sorted into ours and others."""

    anchors: tuple[AnchorProof, ...]
    others: tuple[str, ...]
    """What each other proof calls itself: its cryptosuite, else its type."""


def anchor_proof_member(proof: AnchorProof) -> JsonObject:
    """Build the JSON entry of an anchor proof."""
    return _member(proof, _encode(proof))


def parse_proofs(credential: JsonObject) -> CredentialProofs:
    """Read a credential's `proof`.

    Returns:
        Every anchor proof, decoded, and the names of the other proofs. Both are empty when there is no proof.

    Raises:
        ProofFormatError: An anchor proof breaks its format, or `proof` is no proof at all.
    """
    stated = credential.get("proof", [])
    entries = stated if isinstance(stated, list) else [stated]
    if len(entries) > MAX_PROOFS:
        raise ProofFormatError(f"the credential has {len(entries)} proofs; at most {MAX_PROOFS} are accepted")
    anchors, others = [], []
    for entry in entries:
        if not isinstance(entry, dict):
            raise ProofFormatError("a proof is not a JSON object")
        if entry.get("cryptosuite") != CRYPTOSUITE:
            others.append(_name_of(entry))
        elif entries is not stated:
            raise ProofFormatError("an anchor proof stands in an array, even when it is the only proof")
        else:
            anchors.append(parse_anchor_proof(entry))
    return CredentialProofs(anchors=tuple(anchors), others=tuple(others))


def parse_anchor_proof(member: JsonObject) -> AnchorProof:
    """Read the JSON entry of an anchor proof.

    Raises:
        ProofFormatError: The entry, its base64url or its CBOR is not exactly what `anchor_proof_member` writes.
    """
    value = member.get("proofValue")
    if not isinstance(value, str) or len(value) > MAX_PROOF_VALUE_CHARACTERS or not value.startswith("u"):
        raise ProofFormatError(_NO_BASE64URL)
    try:
        data = _from_base64url(value[1:])
        proof = _decode(data)
    except ProofFormatError:
        raise
    except ValueError as error:  # of base64, or a MalformedError
        raise ProofFormatError("the proofValue does not decode to an anchor proof") from error
    if proof is None or _member(proof, data) != member:
        raise ProofFormatError("the anchor proof is not in its one normal form, or has members of its own")
    return proof


def _member(proof: AnchorProof, encoded: bytes) -> JsonObject:
    return {
        "type": PROOF_TYPE,
        "cryptosuite": CRYPTOSUITE,
        "proofPurpose": "assertionMethod",
        "verificationMethod": _verification_method(proof),
        "proofValue": "u" + urlsafe_b64encode(encoded).rstrip(b"=").decode(),
    }


def _from_base64url(text: str) -> bytes:
    characters = text.encode()
    # Python's decoder passes over what is not of its alphabet.
    if not characters or characters.translate(None, _BASE64URL):
        raise ProofFormatError(_NO_BASE64URL)
    # As much padding as is ever due; it takes more, too.
    return a2b_base64(characters.translate(_FROM_BASE64URL) + b"==")


def _encode(proof: AnchorProof) -> bytes:
    """Write deterministic CBOR (RFC 8949 section 4.2): keys in the order of their encoded bytes."""
    return cbor2.dumps(
        {
            "path": b"".join(proof.inclusion.siblings),
            "root": proof.root,
            "salt": proof.salt,
            "size": proof.inclusion.size,
            "issuerId": proof.issuer_id,
            "registry": proof.registry.to_text(),
            "leafIndex": proof.inclusion.leaf_index,
        }
    )


def _decode(data: bytes) -> AnchorProof | None:
    """Read the CBOR; None when `_encode` would write the proof otherwise."""
    try:
        content = cbor2.loads(data)
    except cbor2.CBORError as error:
        raise ProofFormatError("the proofValue is not CBOR") from error
    if not isinstance(content, dict) or content.keys() != _MEMBER_TYPES.keys():
        raise ProofFormatError(f"the proofValue has exactly the members {', '.join(sorted(_MEMBER_TYPES))}")
    for name, kind in _MEMBER_TYPES.items():
        if type(content[name]) is not kind:
            raise ProofFormatError(f"the proofValue's member {name} has the wrong type")
    siblings = _split_path(content["path"])
    if not 1 <= content["issuerId"] <= MAX_UINT32:
        raise ProofFormatError(f"the issuer id must be 1 to {MAX_UINT32}")
    proof = AnchorProof(
        registry=RegistryId.parse(content["registry"]),
        issuer_id=content["issuerId"],
        root=hash32(content["root"]),
        salt=hash32(content["salt"]),
        inclusion=InclusionProof(leaf_index=content["leafIndex"], size=content["size"], siblings=siblings),
    )
    # What was read is what would be written: the proof has it unchanged, and a registry's name has one writing.
    return proof if list(content) == list(_MEMBER_TYPES) and cbor2.dumps(content) == data else None


_MEMBER_TYPES: Final[dict[str, type[Any]]] = {
    "path": bytes,
    "root": bytes,
    "salt": bytes,
    "size": int,
    "issuerId": int,
    "registry": str,
    "leafIndex": int,
}
"""In the order of their encoded bytes."""


def _split_path(path: bytes) -> tuple[Hash32, ...]:
    count, rest = divmod(len(path), HASH_BYTES)
    if rest or count > _MAX_SIBLINGS:
        raise ProofFormatError(f"the path is not at most {_MAX_SIBLINGS} siblings of {HASH_BYTES} bytes")
    return struct.unpack(f"{HASH_BYTES}s" * count, path)


def _verification_method(proof: AnchorProof) -> str:
    """Name registry and issuer as a DID URL: a hint for people and routers; key and time come from chain state."""
    return f"did:pkh:{proof.registry.to_text()}#issuer-{proof.issuer_id}"


def _name_of(entry: JsonObject) -> str:
    for member in ("cryptosuite", "type"):
        name = entry.get(member)
        if isinstance(name, str):
            return name[:100]
    return "unnamed"
