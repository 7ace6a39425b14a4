"""A credential as verification needs it: parsed, hashed, with its proofs, status entries and dates read.

What is wrong here is malformed, whatever the ledger says: the same bytes will never verify (exit code 2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from anchor.canonical import MAX_DOCUMENT_BYTES, JsonObject, credential_hash, leaf_hash, parse_document
from anchor.errors import CredentialFormatError
from anchor.evidence import EvidenceRequest
from anchor.model import Hash32
from anchor.proof import CredentialProofs, parse_proofs
from anchor.status import parse_status

CREDENTIAL_TYPE: Final = "VerifiableCredential"

# xsd:dateTimeStamp (VC Data Model 2.0 section 4.9), as far as a datetime holds it.
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?"
    # A datetime would take 60 minutes and more (Python 3.11), which other readers do not.
    r"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_LONGEST_KEPT_DATE: Final = 40
"""A stranger's date may have digits without end; such a one is not kept in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What verification needs of a well-formed credential. Only `parse_credential` builds one.

    The JSON itself is not kept: thousands of files are judged at one block, all read before.
    """

    content_hash: Hash32
    id: str
    """Empty when the credential has none."""
    name: str
    holder: str
    contact: str
    """What it is, who has it, whom to ask, in the words of the file: worth only as much as the verdict, for anybody can
    have written it. Each is empty when it does not say."""
    issuer_did: str
    valid_from: int | None
    valid_until: int | None
    other_proofs: tuple[str, ...]
    """What each proof that is not ours calls itself."""
    requests: tuple[EvidenceRequest, ...]
    """What the ledger must say to judge each anchor proof; empty without one."""

    def leaf(self, request: EvidenceRequest) -> Hash32:
        """Hash this credential into its leaf, with the salt and status position of one request."""
        return leaf_hash(self.content_hash, request.proof.salt, request.position)


def parse_credential(data: bytes, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Credential:
    """Read a credential: verification steps 1 and, as far as the file alone decides it, 2.

    Args:
        data: The file.
        max_bytes: How long it may be.

    Raises:
        CredentialFormatError: Not strict JSON, not a credential, a date or status entry malformed, or status entries
            that name another registry or issuer than an anchor proof.
        ProofFormatError: An anchor proof breaks its format.
    """
    document = parse_document(data, max_bytes=max_bytes)
    value = document.value
    types = value.get("type")
    if CREDENTIAL_TYPE not in (types if isinstance(types, list) else [types]):
        raise CredentialFormatError(f"not a credential: its type does not include {CREDENTIAL_TYPE}")
    identifier = value.get("id", "")
    if not isinstance(identifier, str):
        raise CredentialFormatError("the credential's id is not text")
    proofs = parse_proofs(value)
    return Credential(
        content_hash=credential_hash(document.canonical_bytes()),
        id=identifier,
        name=_text(value.get("name")),
        holder=_holder(value),
        contact=_contact(value),
        issuer_did=_issuer_did(value),
        valid_from=_parse_date(value, "validFrom"),
        valid_until=_parse_date(value, "validUntil"),
        other_proofs=proofs.others,
        requests=_requests(value, proofs) if proofs.anchors else (),
    )


def _requests(value: JsonObject, proofs: CredentialProofs) -> tuple[EvidenceRequest, ...]:
    status = parse_status(value)
    for proof in proofs.anchors:
        if (proof.registry, proof.issuer_id) != (status.registry, status.issuer_id):
            raise CredentialFormatError("the status entries name another registry or issuer than an anchor proof")
    return tuple([EvidenceRequest(proof=proof, position=status.position) for proof in proofs.anchors])


def _issuer_did(value: JsonObject) -> str:
    issuer = value.get("issuer")
    did = issuer.get("id") if isinstance(issuer, dict) else issuer
    if not isinstance(did, str) or not did:
        raise CredentialFormatError("the credential does not say who issued it: issuer.id is missing")
    return did


def _contact(value: JsonObject) -> str:
    issuer = value.get("issuer")
    if not isinstance(issuer, dict):
        return ""
    stated = [_text(issuer.get(member)) for member in ("name", "url", "email")]
    return " · ".join([text for text in stated if text])


def _holder(value: JsonObject) -> str:
    """Give the names that the credential states in clear."""
    subject = value.get("credentialSubject")
    identifiers = subject.get("identifier") if isinstance(subject, dict) else None
    names = [
        _text(identity.get("identityHash"))
        for identity in (identifiers if isinstance(identifiers, list) else [])
        if isinstance(identity, dict) and identity.get("identityType") == "name" and identity.get("hashed") is False
    ]
    return ", ".join(name for name in names if name)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _parse_date(value: JsonObject, member: str) -> int | None:
    if member not in value:
        return None
    text = value[member]
    problem = f"{member} is not a date and time with a time zone, such as 2026-05-01T00:00:00Z"
    if not isinstance(text, str):
        raise CredentialFormatError(problem)
    try:
        return _read_again(text) if len(text) <= _LONGEST_KEPT_DATE else _read_date(text)
    except ValueError as error:
        raise CredentialFormatError(problem) from error


def _read_date(text: str) -> int:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an xsd:dateTimeStamp")
    return int(datetime.fromisoformat(match[1] + match[2]).timestamp())


_read_again = lru_cache(maxsize=1024)(_read_date)
"""Credentials of one batch have the same dates."""
