"""W3C Data Integrity proofs of cryptosuite `eddsa-jcs-2022` over JSON documents (vc-di-eddsa 1.0, section 3.3).

    proof config = the proof without proofValue
    proofValue   = "z" + base58btc( Ed25519( SHA-256(JCS(proof config)) ‖ SHA-256(JCS(document without proof)) ) )

    >>> from anchor.did_key import Ed25519Key
    >>> signed = sign_document({"format": "example@v1"}, Ed25519Key(bytes(32)), 1790000000)
    >>> check_document(parse_document(json.dumps(signed).encode())).signer
    'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp'

Only keys that name themselves, did:key of Ed25519: nothing is looked up anywhere. Upholds: a proof has one form.
Leaves to others: who the signer is, and whether what was signed is so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from anchor.canonical import Document, JsonObject, canonicalize, parse_document
from anchor.did_key import SIGNATURE_BYTES, Ed25519Key, check_did, check_signature, from_multibase, to_multibase
from anchor.errors import SignatureError, SignedFormatError

PROOF_TYPE: Final = "DataIntegrityProof"
CRYPTOSUITE: Final = "eddsa-jcs-2022"
PURPOSE: Final = "assertionMethod"

_REQUIRED: Final = frozenset({"type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"})
_OWN: Final = _REQUIRED | {"created"}
_CONTEXT: Final = "@context"

# One form of the time: no offset, no fraction.
_CREATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed, and when by his own word."""

    signer: str
    """did:key."""
    signed_at: int


def sign_document(content: JsonObject, key: Ed25519Key, signed_at: int) -> JsonObject:
    """Sign a JSON object.

    Args:
        content: Without `proof`.
        key: Whose statement it is.
        signed_at: The time to state, Unix seconds.

    Returns:
        The object with its `proof`.

    Raises:
        CredentialFormatError: No reader would take the content: it is not strict JSON.
    """
    proof: JsonObject = {
        "type": PROOF_TYPE,
        "cryptosuite": CRYPTOSUITE,
        "created": _to_created(signed_at),
        "verificationMethod": _method_of(key.did),
        "proofPurpose": PURPOSE,
    }
    # Through the reader's own parser, so that nothing is signed that cannot be read.
    document = parse_document(json.dumps(content, ensure_ascii=False).encode(), max_bytes=None)
    proof["proofValue"] = to_multibase(key.sign(_signed_bytes(proof, document)))
    return {**content, "proof": proof}


def check_document(document: Document) -> Signature:
    """Check a document of ours: one proof, with exactly the members that `sign_document` writes.

    Raises:
        SignedFormatError: The proof is absent or not in its one form.
        SignatureError: The signature does not hold.
    """
    proof = document.value.get("proof")
    if not isinstance(proof, dict) or proof.keys() != _OWN:
        raise SignedFormatError(f"expected one proof with exactly the members {', '.join(sorted(_OWN))}")
    signed_at = _from_created(proof["created"])
    return Signature(signer=check_proof(proof, document), signed_at=signed_at)


def check_proof(proof: JsonObject, document: Document) -> str:
    """Check one proof over a document, ours or another's.

    A proof may have `created`, `@context` and `id` besides what it needs. Others, such as `expires` or `previousProof`,
    change what it says, and are refused.

    Args:
        proof: The proof, as it stands in the document.
        document: The document; its `proof`, whatever it is, is not part of what was signed.

    Returns:
        did:key of the signer.

    Raises:
        SignedFormatError: It is no proof of this cryptosuite by a did:key, or not one that can be judged here.
        SignatureError: It does not hold.
    """
    if not _REQUIRED <= proof.keys() <= _OWN | {_CONTEXT, "id"}:
        raise SignedFormatError("the proof lacks members, or has some that are not judged here")
    named = (proof["type"], proof["cryptosuite"], proof["proofPurpose"])
    if named != (PROOF_TYPE, CRYPTOSUITE, PURPOSE):
        raise SignedFormatError(f"expected a {PROOF_TYPE} of {CRYPTOSUITE} for {PURPOSE}")
    signer = _signer_of(proof["verificationMethod"])
    value = proof["proofValue"]
    signature = from_multibase(value, SIGNATURE_BYTES) if isinstance(value, str) else None
    if signature is None:
        raise SignedFormatError(f"the proofValue is not 'z' and {SIGNATURE_BYTES} bytes in base58btc")
    check_signature(signer, _signed_bytes(proof, document), signature)
    return signer


def require_signer(signature: Signature, signer: str) -> None:
    """Check who signed.

    Raises:
        SignatureError: Somebody else did.
    """
    if signature.signer != signer:
        raise SignatureError(f"signed by {signature.signer}, not by {signer}")


def _signed_bytes(proof: JsonObject, document: Document) -> bytes:
    """Hash proof config and document, vc-di-eddsa sections 3.3.4 and 3.3.5; 64 bytes."""
    if _CONTEXT in proof:
        document = _in_context(document, proof[_CONTEXT])
    config = {name: member for name, member in proof.items() if name != "proofValue"}
    return sha256(canonicalize(config)).digest() + sha256(document.canonical_bytes()).digest()


def _in_context(document: Document, context: Any) -> Document:
    """Take the document as the proof saw it: with its `@context`, to which more may have been added since."""
    stated = document.value.get(_CONTEXT)
    now, then = (each if isinstance(each, list) else [each] for each in (stated, context))
    # In their canonical form, for to Python 1 and true are equal.
    if canonicalize({_CONTEXT: now[: len(then)]}) != canonicalize({_CONTEXT: then}):
        raise SignatureError("the document's @context is not the one that was signed")
    return replace(document, value={**document.value, _CONTEXT: context})


def _method_of(did: str) -> str:
    return f"{did}#{did.removeprefix('did:key:')}"


def _signer_of(method: object) -> str:
    did = method.partition("#")[0] if isinstance(method, str) else ""
    check_did(did)
    if method != _method_of(did):
        raise SignedFormatError("the verificationMethod is not did:key:z6Mk…#z6Mk…, twice the same key")
    return did


def _to_created(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _from_created(value: object) -> int:
    if isinstance(value, str) and _CREATED.fullmatch(value):
        try:
            return int(datetime.fromisoformat(value).timestamp())
        except ValueError:
            pass
    raise SignedFormatError("the proof's created is not a time in UTC, such as 2026-05-01T00:00:00Z")
