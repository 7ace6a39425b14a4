"""Changes of status: what is asked for, what it would come to, and how far it is."""

from __future__ import annotations

import json
from typing import Any, Final, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from anchor.model import Hash32, hash32, to_hex
from anchor.status import StatusReason
from registry.api.schemas.base import Asked, CredentialId, Document, Hash, Page, Seconds
from registry.api.schemas.credentials import LABELS, SentForStatus
from registry.services.failures import name_of
from registry.services.jobs import SeenJob
from registry.services.status_request import Preview, StatusRequest, passed_over, passed_over_count
from registry.store.records import StatusKind
from registry.store.status_history import SentChange

MAX_CREDENTIALS: Final = 10_000
MAX_BATCHES: Final = 100

Action = Literal["revoke", "suspend", "reinstate"]
Reason = Literal[
    "issued-in-error",
    "superseded",
    "key-compromise",
    "holders-request",
    "withdrawn-by-issuer",
    "affiliation-ended",
    "other",
]
_REASONS: Final = {reason.label: reason for reason in StatusReason}
_SOME: Final[dict[str, Any]] = {
    "anyOf": [{"required": ["credentials"]}, {"required": ["batches"]}],
    "examples": [
        {
            "action": "revoke",
            "reason": "issued-in-error",
            "credentials": ["6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11"],
            "passOver": False,
        }
    ],
}


class ChangeOfStatus(Asked):
    """What is to be done, to which credentials and whole batches."""

    model_config = ConfigDict(json_schema_extra=_SOME)

    action: Action
    reason: Reason = Field(description="Stands on the ledger for ever; say more nowhere but with the holder.")
    credentials: list[UUID] = Field(
        default=[], min_length=1, max_length=MAX_CREDENTIALS, description="UUIDs, or ids `urn:uuid:…`."
    )
    batches: list[Hash] = Field(default=[], min_length=1, max_length=MAX_BATCHES, description="Roots of whole batches.")
    pass_over: bool = Field(
        default=False, description="Pass over what the institution has not, or not anchored; otherwise nothing is done."
    )

    @model_validator(mode="after")
    def _check_some(self) -> Self:
        if not self.credentials and not self.batches:
            raise ValueError("name credentials or batches")
        return self

    @property
    def kind(self) -> StatusKind:
        """What is to be done."""
        return StatusKind(self.action)

    @property
    def status_reason(self) -> StatusReason:
        """Why."""
        return _REASONS[self.reason]

    @property
    def roots(self) -> list[Hash32]:
        """Of the batches."""
        return [hash32(bytes.fromhex(each[2:])) for each in self.batches]


class PassedOver(Document):
    """What is left as it is, and why."""

    target: str = Field(
        description="Id of a credential, or root of a batch.",
        examples=["urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11"],
    )
    reason: str = Field(examples=["is already revoked"])


class StatusPreview(Document):
    """What a change would come to, as the newest block has it; nothing was done."""

    action: Action
    reason: Reason
    total: int = Field(description="Credentials that would change.")
    passed_over_count: int = Field(description="Credentials that would stay as they are.")
    passed_over: list[PassedOver] = Field(description="The first 1000 of those that were named; why each stays.")
    transactions: int
    gas: int
    likely_wei: str = Field(pattern="^[0-9]+$", description="If fees stay as they are.", examples=["61000000000000"])
    max_wei: str = Field(
        pattern="^[0-9]+$",
        description="If they rise as far as the transactions would allow.",
        examples=["122000000000000"],
    )

    @classmethod
    def of(cls, request: StatusRequest, preview: Preview) -> StatusPreview:
        """Show what it comes to."""
        return cls.model_validate(
            {
                "action": request.kind.value,
                "reason": request.reason.label,
                "total": preview.effect.count,
                "passed_over_count": passed_over_count(preview.effect, request.unknown),
                "passed_over": passed_over(preview.effect),
                "transactions": preview.cost.transaction_count,
                "gas": preview.cost.gas,
                "likely_wei": str(preview.cost.likely_wei),
                "max_wei": str(preview.cost.max_wei),
            }
        )


class ProvenAt(Document):
    """A block whose state shows the change."""

    number: int
    hash: Hash


class StatusJob(Document):
    """A change of status on its way to the ledger."""

    id: str = Field(examples=["0b7d4c9e-5f0c-4c31-9d24-1a7be95f0c1a"])
    kind: Literal["status"]
    state: Literal["receiving", "received", "validated", "signed", "sent", "mined", "final", "cancelled", "failed"]
    action: Action
    reason: Reason
    credentials: int = Field(description="How many are named one by one.")
    batches: list[Hash] = Field(description="Roots of whole batches.")
    total: int | None = Field(description="Credentials that change; null: it is not worked out yet.")
    done: int = Field(description="Credentials changed.")
    passed_over_count: int = Field(description="Credentials that stay as they are.")
    passed_over: list[PassedOver] = Field(description="The first 1000 of those that were named; why each stays.")
    transactions: list[Hash] = Field(description="All that were signed for it; other changes may share them.")
    proven_at: ProvenAt | None = Field(description="Where the ledger shows all of it; final when this block is.")
    failure: str | None = Field(
        description="What is in the way, or why it failed.", examples=["the ledger cannot be reached now"]
    )
    failure_kind: str | None = Field(description="The same for programs.", examples=["ledgerUnavailable"])
    created_at: Seconds
    changed_at: Seconds
    next_at: Seconds = Field(description="When it goes on, unless it has ended.")

    @classmethod
    def of(cls, seen: SeenJob) -> StatusJob:
        """Show a job."""
        job, asked = seen.job, StatusRequest.parse(seen.job.request)
        report = {} if job.report is None else json.loads(job.report)
        return cls.model_validate(
            {
                "id": str(job.public_id),
                "kind": "status",
                "state": job.state.value,
                "action": asked.kind.value,
                "reason": asked.reason.label,
                "credentials": asked.count,
                "batches": [to_hex(root) for root in asked.roots],
                "total": job.total,
                "done": job.done,
                "passed_over_count": report.get("passedOverCount", asked.unknown),
                "passed_over": report.get("passedOver", []),
                "transactions": [to_hex(each) for each in seen.transactions],
                "proven_at": report.get("provenAt"),
                "failure": job.failure,
                "failure_kind": None if job.failure is None else name_of(job.failure),
                "created_at": job.created_at,
                "changed_at": job.changed_at,
                "next_at": job.next_at,
            }
        )

    def content(self) -> bytes:
        """Write it as JSON."""
        return self.model_dump_json(by_alias=True).encode()


class SentStatusChange(SentForStatus):
    """One transaction that was to change status, as it is kept here."""

    batch: Hash | None = Field(description="Root of the batch that was to be revoked as a whole.")
    count: int = Field(description="Credentials that were to be changed one by one.")
    credentials: list[CredentialId] = Field(description="The first 100 of these.")
    jobs: list[str] = Field(
        description="Jobs that it was signed for; none: a command did it.",
        examples=[["0b7d4c9e-5f0c-4c31-9d24-1a7be95f0c1a"]],
    )

    @classmethod
    def of(cls, sent: SentChange) -> SentStatusChange:
        """Show it."""
        return cls(
            change=sent.kind.value,
            reason=LABELS.get(sent.reason, str(sent.reason)),
            batch=None if sent.root is None else to_hex(sent.root),
            count=sent.count,
            credentials=[uuid.urn for uuid in sent.uuids],
            jobs=[str(each) for each in sent.jobs],
            signed_at=sent.transaction.signed_at,
            transaction=to_hex(sent.transaction.hash),
            state=sent.transaction.state.value,
            block_number=sent.transaction.block_number,
        )


class SentChanges(Page):
    """What was sent, the newest first."""

    changes: list[SentStatusChange]
