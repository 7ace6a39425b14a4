"""A credential as verification needs it: parsed, hashed, with its proofs, status entries and dates read.

What is wrong here is malformed, whatever the ledger says: the same bytes will never verify (exit code 2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from anchor.canonical import JsonObject, credential_hash, leaf_hash, parse_document
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A well-formed credential. Only `parse_credential` builds one."""

    value: JsonObject
    content_hash: Hash32
    id: str
    """Empty when the credential has none."""
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

    def contact(self) -> str:
        """Say whom to ask about it, in the issuer's own words; empty when the credential names nobody.

        Worth only as much as the verdict: before that, anybody can have written it.
        """
        issuer = self.value["issuer"]
        if not isinstance(issuer, dict):
            return ""
        stated = (issuer.get(member) for member in ("name", "url", "email"))
        return " · ".join(text for text in stated if isinstance(text, str))


def parse_credential(data: bytes) -> Credential:
    """Read a credential: verification steps 1 and, as far as the file alone decides it, 2.

    Raises:
        CredentialFormatError: Not strict JSON, not a credential, a date or status entry malformed, or status entries
            that name another registry or issuer than an anchor proof.
        ProofFormatError: An anchor proof breaks its format.
    """
    document = parse_document(data)
    value = document.value
    types = value.get("type")
    if CREDENTIAL_TYPE not in (types if isinstance(types, list) else [types]):
        raise CredentialFormatError(f"not a credential: its type does not include {CREDENTIAL_TYPE}")
    identifier = value.get("id", "")
    if not isinstance(identifier, str):
        raise CredentialFormatError("the credential's id is not text")
    proofs = parse_proofs(value)
    return Credential(
        value=value,
        content_hash=credential_hash(document.canonical_bytes()),
        id=identifier,
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
    return tuple(EvidenceRequest(proof=proof, position=status.position) for proof in proofs.anchors)


def _issuer_did(value: JsonObject) -> str:
    issuer = value.get("issuer")
    did = issuer.get("id") if isinstance(issuer, dict) else issuer
    if not isinstance(did, str) or not did:
        raise CredentialFormatError("the credential does not say who issued it: issuer.id is missing")
    return did


def _parse_date(value: JsonObject, member: str) -> int | None:
    if member not in value:
        return None
    text = value[member]
    match = _DATE_TIME.fullmatch(text) if isinstance(text, str) else None
    problem = f"{member} is not a date and time with a time zone, such as 2026-05-01T00:00:00Z"
    if match is None:
        raise CredentialFormatError(problem)
    try:
        return int(datetime.fromisoformat(match[1] + match[2]).timestamp())
    except ValueError as error:
        raise CredentialFormatError(problem) from error
