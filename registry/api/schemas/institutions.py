"""Institutions, and what the ledger says of them as issuers."""

from __future__ import annotations

from typing import Literal

from anchor.model import to_hex
from registry.api.schemas.base import Account, Document, Seconds
from registry.services.issuer_keys import IssuerKey, IssuerStanding
from registry.store.institutions import InstitutionDetails, InstitutionRecord


class Institution(Document):
    """An institution of the service."""

    code: str
    name: str
    did: str | None
    url: str | None
    registry: str | None
    issuer_id: int | None
    created_at: Seconds
    closed_at: Seconds | None

    @classmethod
    def of(cls, record: InstitutionRecord, details: InstitutionDetails) -> Institution:
        """Show an institution."""
        return cls(
            code=record.code,
            name=details.name,
            did=details.did,
            url=details.url,
            registry=None if details.registry is None else details.registry.to_text(),
            issuer_id=details.issuer_id,
            created_at=record.created_at,
            closed_at=record.closed_at,
        )


class Institutions(Document):
    """The institutions that the API key may see."""

    institutions: list[Institution]


class LedgerKey(Document):
    """A key of the institution, and what is proven of it."""

    purpose: Literal["anchor", "status"]
    address: Account
    is_added: bool
    """Whether it is a key of this issuer on the ledger."""
    valid_from: Seconds | None
    valid_until: Seconds | None
    compromised_at: Seconds | None

    @classmethod
    def of(cls, key: IssuerKey, issuer_id: int) -> LedgerKey:
        """Show a key."""
        record = key.record if key.record is not None and key.record.issuer_id == issuer_id else None
        return cls(
            purpose="anchor" if key.scope.name == "ANCHOR" else "status",
            address=to_hex(key.address),
            is_added=record is not None,
            valid_from=None if record is None else record.valid_from,
            valid_until=None if record is None else record.valid_until or None,
            compromised_at=None if record is None else record.compromised_at or None,
        )


class Keys(Document):
    """The institution as an issuer on the ledger, proven at the newest block."""

    issuer_id: int
    controller: Account
    accredited_at: Seconds
    withdrawn_at: Seconds | None
    status_epoch: int
    keys: list[LedgerKey]

    @classmethod
    def of(cls, standing: IssuerStanding) -> Keys:
        """Show how it stands."""
        facts = standing.facts
        return cls(
            issuer_id=facts.issuer_id,
            controller=to_hex(facts.record.controller),
            accredited_at=facts.record.accredited_at,
            withdrawn_at=facts.record.withdrawn_at or None,
            status_epoch=facts.record.status_epoch,
            keys=[LedgerKey.of(key, facts.issuer_id) for key in standing.keys],
        )
