"""Learners' pages, for the institution."""

from __future__ import annotations

from pydantic import Field

from registry.api.schemas.base import CredentialId, Document, Seconds
from registry.services.learner_pages import Address, AddressOfBatch

URL_EXAMPLE = "https://credentials.college.example/c/q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k"


class LearnerPage(Document):
    """Where a credential is shown to everybody who knows the address."""

    id: CredentialId
    url: str | None = Field(
        description="Give it to the learner and to nobody else; null: it is withdrawn.", examples=[URL_EXAMPLE]
    )
    renewed_at: Seconds | None
    withdrawn_at: Seconds | None

    @classmethod
    def of(cls, address: Address) -> LearnerPage:
        """Show where a credential is shown."""
        return cls(
            id=address.credential.urn,
            url=address.url,
            renewed_at=address.renewed_at,
            withdrawn_at=address.withdrawn_at,
        )


class LearnerPageLine(Document):
    """One line of a batch's addresses."""

    id: CredentialId
    name: str
    email: str | None
    url: str | None = Field(description="Null: it is withdrawn.", examples=[URL_EXAMPLE])

    @classmethod
    def of(cls, each: AddressOfBatch) -> LearnerPageLine:
        """Show where one credential of a batch is shown."""
        return cls(id=each.credential.urn, name=each.recipient_name, email=each.recipient_email, url=each.url)
