"""The audit log: who did what, on what, when."""

from __future__ import annotations

from pydantic import Field

from anchor.model import to_hex
from registry.api.schemas.base import Document, Hash, Page, Seconds
from registry.store.audit_log import AuditEntry


class AuditLine(Document):
    """One thing that was done; it has no personal data."""

    number: int = Field(description="From 1, without gaps.", examples=[1])
    at: Seconds
    actor: str = Field(
        description="An API key by its prefix, `operator` at his machine, or `worker`.",
        examples=["key 0f3c5a0f9b11aa02"],
    )
    action: str = Field(examples=["achievement.add"])
    subject: str = Field(examples=["achievement data-literacy version 1"])
    hash: Hash = Field(
        description="SHA-256 of the hash before (32 zero bytes before the first) and the RFC 8785 form of `number`, "
        "`at`, `actor`, `action`, `subject`."
    )

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditLine:
        """Show an entry."""
        return cls(
            number=entry.number,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            hash=to_hex(entry.hash),
        )


class AuditLog(Page):
    """A part of the log, the oldest first, and where the whole of it ends."""

    entries: list[AuditLine]
    length: int = Field(description="Entries in the whole log.", examples=[1])
    head: Hash = Field(
        description="Hash of the newest entry of all. Note it elsewhere now and then: a log made anew has another."
    )
