"""Batches, and credentials in them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from anchor.model import to_hex
from anchor.status import StatusReason
from registry.api.schemas.base import Asked, CredentialId, Document, Hash, Page, RegistryText, Seconds
from registry.api.schemas.samples import ANCHOR_PROOF
from registry.services.find import Found
from registry.services.reading import Proven
from registry.store.records import BatchRecord, StatusEntry

AchievementId = Annotated[str, Field(examples=["https://college.example/achievements/data-literacy"])]
AchievementName = Annotated[str, Field(examples=["Data literacy"])]
BatchStateName = Literal["sealed", "signed", "sent", "anchored", "failed"]
LABELS: Final = {reason.value: reason.label for reason in StatusReason}
"""Of reasons, by number."""


class Batch(Document):
    """A batch, known by its root."""

    root: Hash
    size: int
    achievement_id: AchievementId
    achievement_name: AchievementName
    registry: RegistryText
    issuer_id: int
    state: BatchStateName
    sealed_at: Seconds
    anchored_at: Seconds | None

    @classmethod
    def of(cls, batch: BatchRecord) -> Batch:
        """Show a batch."""
        return cls(
            root=to_hex(batch.root),
            size=batch.size,
            achievement_id=batch.achievement_id,
            achievement_name=batch.achievement_name,
            registry=batch.issuer.registry.to_text(),
            issuer_id=batch.issuer.issuer_id,
            state=batch.state.value,
            sealed_at=batch.sealed_at,
            anchored_at=batch.anchored_at,
        )


class Batches(Page):
    """Batches, the newest first."""

    batches: list[Batch]


class Credential(Document):
    """What is kept of a credential."""

    id: CredentialId
    batch: Hash
    batch_state: BatchStateName
    achievement_id: AchievementId
    achievement_name: AchievementName
    leaf_index: int
    status_list: int
    status_index: int
    recipient_name: str | None = Field(description="Null: it was erased.", examples=["Zoë Tremblay"])
    recipient_email: str | None = Field(examples=["zoe@example.org"])
    anchored_at: Seconds | None
    replaces: CredentialId | None
    replaced_by: CredentialId | None

    @classmethod
    def of(cls, found: Found) -> Credential:
        """Show a credential."""
        credential, batch = found.credential, found.batch
        return cls(
            id=credential.uuid.urn,
            batch=to_hex(batch.root),
            batch_state=batch.state.value,
            achievement_id=batch.achievement_id,
            achievement_name=batch.achievement_name,
            leaf_index=credential.leaf_index,
            status_list=credential.position.status_list,
            status_index=credential.position.index,
            recipient_name=credential.recipient_name or None,
            recipient_email=credential.recipient_email,
            anchored_at=batch.anchored_at,
            replaces=None if found.replaces is None else found.replaces.urn,
            replaced_by=None if found.replaced_by is None else found.replaced_by.urn,
        )


class Credentials(Page):
    """Credentials, in the order of batches and leaves."""

    credentials: list[Credential]


class Search(Asked):
    """Whom to look for. In a body, never in an address: addresses end up in logs."""

    query: str = Field(
        min_length=1,
        max_length=400,
        pattern=r"^[^\x00-\x1f\x7f]+$",  # what no name has, and not every database takes
        description="An e-mail, a credential's id, or parts of a name; case and accents do not matter.",
        examples=["Zoë Tremblay"],
    )
    batch: Hash | None = Field(default=None, description="Only in the batch with this root.")
    limit: int = Field(default=50, ge=1, le=100)


class SearchResult(Document):
    """What was found, the newest first."""

    credentials: list[Credential]
    has_more: bool = Field(description="There are more than the limit: look for something narrower.")


class Proof(Document):
    """A credential's anchor proof, and what it says."""

    id: CredentialId
    root: Hash
    size: int
    leaf_index: int
    salt: Hash
    siblings: list[Hash] = Field(description="From the leaf level up.")
    anchored_at: Seconds | None
    proof: dict[str, Any] = Field(description="As it stands in the credential.", examples=[ANCHOR_PROOF])

    @classmethod
    def content(cls, proven: Proven) -> dict[str, Any]:
        """Show a proof: not as a model, whose checks would take longer than proving."""
        record, inclusion = proven.record, proven.record.inclusion
        return {
            "id": record.uuid.urn,
            "root": to_hex(record.root),
            "size": inclusion.size,
            "leafIndex": inclusion.leaf_index,
            "salt": to_hex(record.salt),
            "siblings": [to_hex(each) for each in inclusion.siblings],
            "anchoredAt": record.anchored_at,
            "proof": proven.member,
        }


class Status(Document):
    """How a credential stands on the ledger, proven at the newest block."""

    id: CredentialId
    state: Literal["notAnchored", "batchRevoked", "revoked", "suspended", "active"]


class SentForStatus(Document):
    """What was sent to change status, as it is kept here."""

    change: Literal["revoke", "suspend", "reinstate"]
    reason: str = Field(examples=["issued-in-error"])
    signed_at: Seconds
    transaction: Hash
    state: Literal["signed", "sent", "mined", "refused", "replaced"] = Field(
        description="Only what was mined came about."
    )
    block_number: int | None


class StatusChange(SentForStatus):
    """One change that was sent to the ledger."""

    whole_batch: bool

    @classmethod
    def of(cls, entry: StatusEntry) -> StatusChange:
        """Show a change."""
        return cls(
            change=entry.kind.value,
            reason=LABELS.get(entry.reason, str(entry.reason)),
            whole_batch=entry.is_whole_batch,
            signed_at=entry.signed_at,
            transaction=to_hex(entry.transaction.hash),
            state=entry.transaction.state.value,
            block_number=entry.transaction.block_number,
        )


class History(Document):
    """What was done to a credential's status, in the order of signing."""

    id: CredentialId
    changes: list[StatusChange]
