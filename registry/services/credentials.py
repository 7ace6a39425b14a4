"""What a credential says: Open Badges 3.0, for one recipient of one achievement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from anchor.canonical import JsonObject
from anchor.identity import email_identity, name_identity
from anchor.model import RegistryId, StatusPosition
from anchor.status import CredentialStatus, status_entries
from registry.services.recipient import Recipient
from registry.services.results import result_rule

VC_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
OB_CONTEXT: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS_CONTEXT: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

_EXTENSION_TYPES: Final = frozenset(
    {"1EdTechJsonSchemaValidator2019", "1EdTechRevocationList", "1EdTechCredentialRefresh"}
)
"""Terms that only `EXTENSIONS_CONTEXT` defines; JSON-LD processors in safe mode refuse them without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerProfile:
    """Who issues, as the credential says it."""

    did: str
    name: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFrame:
    """What all credentials of a batch have in common."""

    achievement: JsonObject
    issuer: IssuerProfile
    registry: RegistryId
    issuer_id: int
    public_url: str
    """Where the service shows status lists."""
    valid_from: int
    """Unix seconds; for recipients who have none of their own."""


class CredentialValues(NamedTuple):
    """What is one credential's own."""

    id: str
    """`urn:uuid:…`."""
    recipient: Recipient
    email_salt: str
    """Random text; unused without an e-mail."""
    position: StatusPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialParts:
    """One credential's own values as they stand in it; what is None does not stand there."""

    id: str
    identities: Sequence[JsonObject]
    position: StatusPosition
    valid_from: str
    did: str | None = None
    valid_until: str | None = None
    awarded: str | None = None
    activity_start: str | None = None
    activity_end: str | None = None
    results: Any = None
    """A list of OB 3.0 `Result`; anything, for a template."""
    evidence_url: str | None = None
    narrative: str | None = None
    license_number: str | None = None


def build_credential(frame: CredentialFrame, values: CredentialValues) -> JsonObject:
    """Build a credential without its proof."""
    recipient = values.recipient
    identities = [name_identity(recipient.name)]
    if recipient.email is not None:
        identities.append(email_identity(recipient.email, values.email_salt))
    parts = CredentialParts(
        id=values.id,
        identities=identities,
        position=values.position,
        valid_from=iso_time(frame.valid_from if recipient.valid_from is None else recipient.valid_from),
        did=recipient.did,
        valid_until=_iso_time_or_none(recipient.valid_until),
        awarded=_iso_time_or_none(recipient.awarded_at),
        activity_start=_iso_time_or_none(recipient.activity_start_at),
        activity_end=_iso_time_or_none(recipient.activity_end_at),
        results=None if recipient.result is None else result_rule(frame.achievement).to_result(recipient.result),
        evidence_url=recipient.evidence_url,
        narrative=recipient.narrative,
        license_number=recipient.license_number,
    )
    return assemble_credential(frame, parts)


def assemble_credential(frame: CredentialFrame, parts: CredentialParts) -> JsonObject:
    """Put a credential together from its parts."""
    issuer: JsonObject = {"id": frame.issuer.did, "type": ["Profile"], "name": frame.issuer.name}
    if frame.issuer.url is not None:
        issuer["url"] = frame.issuer.url
    subject: JsonObject = {
        "id": parts.did,
        "type": ["AchievementSubject"],
        "identifier": list(parts.identities),
        "achievement": frame.achievement,
        "activityStartDate": parts.activity_start,
        "activityEndDate": parts.activity_end,
        "result": parts.results,
        "narrative": parts.narrative,
        "licenseNumber": parts.license_number,
    }
    status = CredentialStatus(registry=frame.registry, issuer_id=frame.issuer_id, position=parts.position)
    evidence = None if parts.evidence_url is None else [{"id": parts.evidence_url, "type": ["Evidence"]}]
    return _without_none(
        {
            "@context": _contexts(frame.achievement),
            "id": parts.id,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": frame.achievement["name"],
            "issuer": issuer,
            "validFrom": parts.valid_from,
            "validUntil": parts.valid_until,
            "awardedDate": parts.awarded,
            "credentialSubject": _without_none(subject),
            "evidence": evidence,
            "credentialStatus": status_entries(status, frame.public_url),
        }
    )


@lru_cache(maxsize=4096)
def iso_time(seconds: int) -> str:
    """Write Unix seconds as the date and time that VC Data Model 2.0 wants, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _iso_time_or_none(seconds: int | None) -> str | None:
    return None if seconds is None else iso_time(seconds)


def _without_none(members: JsonObject) -> JsonObject:
    return {name: value for name, value in members.items() if value is not None}


def _contexts(achievement: JsonObject) -> list[str]:
    extensions = [EXTENSIONS_CONTEXT] if _uses_extensions(achievement) else []
    return [VC_CONTEXT, OB_CONTEXT, *extensions]


def _uses_extensions(value: object) -> bool:
    if isinstance(value, dict):
        kinds = value.get("type")
        named = kinds if isinstance(kinds, list) else [kinds]
        return any(kind in _EXTENSION_TYPES for kind in named if isinstance(kind, str)) or any(
            map(_uses_extensions, value.values())
        )
    return isinstance(value, list) and any(map(_uses_extensions, value))
