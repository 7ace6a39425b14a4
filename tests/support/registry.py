"""What tests of the registry part start from: a frame of credentials, a roster, a database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from anchor.model import RegistryId
from registry.services.approvals import Approvals
from registry.services.credentials import CredentialFrame, IssuerProfile
from registry.services.issue import seal_batch
from registry.services.recipient import Recipient
from registry.services.spool import RecipientSpool
from registry.store.engine import Store
from registry.store.records import BatchRecord

REGISTRY = RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3")
DID = "did:web:college.example"
NOW = 1_780_000_000

ACHIEVEMENT: dict[str, Any] = {
    "id": "https://college.example/achievements/1",
    "type": ["Achievement"],
    "name": "Littératie des données",
    "description": "Lit et présente des données.",
    "criteria": {"narrative": "Un projet."},
}


def frame_of(
    achievement: dict[str, Any] | None = None,
    *,
    registry: RegistryId = REGISTRY,
    issuer_id: int = 1,
    url: str | None = "https://college.example",
) -> CredentialFrame:
    return CredentialFrame(
        achievement=ACHIEVEMENT if achievement is None else achievement,
        issuer=IssuerProfile(did=DID, name="Collège Boréalis", url=url),
        registry=registry,
        issuer_id=issuer_id,
        public_url="https://credentials.college.example/",
        valid_from=NOW,
    )


def recipients_of(count: int) -> list[Recipient]:
    """Every third one has no e-mail."""
    return [
        Recipient(name=f"Zoé ʔ {number}", email=None if number % 3 == 2 else f"zoe.{number}@example.org")
        for number in range(count)
    ]


APPROVALS = Approvals(b"an approval key of 32 bytes here")


def seal(store: Store, frame: CredentialFrame, recipients: Iterable[Recipient], **options: Any) -> BatchRecord:
    """Seal a batch for recipients, checked elsewhere."""
    return seal_batch(store, frame, RecipientSpool.of(recipients), approvals=APPROVALS, **options)
