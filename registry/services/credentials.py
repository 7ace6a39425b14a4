"""What a credential says: Open Badges 3.0, for one recipient of one achievement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from anchor.canonical import JsonObject
from anchor.identity import email_identity, name_identity
from anchor.model import RegistryId, StatusPosition
from anchor.status import CredentialStatus, status_entries

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
    """Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialValues:
    """What is one credential's own."""

    id: str
    """`urn:uuid:…`."""
    name: str
    email: str | None
    email_salt: str
    """Random text; unused without an e-mail."""
    position: StatusPosition


def build_credential(frame: CredentialFrame, values: CredentialValues) -> JsonObject:
    """Build a credential without its proof."""
    identities = [name_identity(values.name)]
    if values.email is not None:
        identities.append(email_identity(values.email, values.email_salt))
    return assemble_credential(frame, values.id, identities, values.position)


def assemble_credential(
    frame: CredentialFrame, identifier: str, identities: list[dict[str, Any]], position: StatusPosition
) -> JsonObject:
    """Put a credential together from its parts."""
    issuer: JsonObject = {"id": frame.issuer.did, "type": ["Profile"], "name": frame.issuer.name}
    if frame.issuer.url is not None:
        issuer["url"] = frame.issuer.url
    status = CredentialStatus(registry=frame.registry, issuer_id=frame.issuer_id, position=position)
    return {
        "@context": _contexts(frame.achievement),
        "id": identifier,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": frame.achievement["name"],
        "issuer": issuer,
        "validFrom": f"{datetime.fromtimestamp(frame.valid_from, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": identities,
            "achievement": frame.achievement,
        },
        "credentialStatus": status_entries(status, frame.public_url),
    }


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
