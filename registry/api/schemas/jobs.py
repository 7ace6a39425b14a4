"""Jobs: what was asked for, how far it is, and what is to be mended."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field

from anchor.model import to_hex
from registry.api.schemas.base import Document, Hash, Page, Seconds
from registry.api.schemas.status import StatusJob
from registry.services.jobs import RosterRequest, SeenJob
from registry.store.jobs import JobKind


class JobProblem(Document):
    """One thing to be mended; what stands there is not repeated."""

    where: str = Field(examples=["line 3, column 2 (email)"])
    reason: str
    hint: str


class Job(Document):
    """A roster on its way to the ledger."""

    id: str = Field(examples=["0b7d4c9e-5f0c-4c31-9d24-1a7be95f0c1a"])
    kind: Literal["roster"]
    state: Literal[
        "receiving", "received", "validated", "sealed", "signed", "sent", "mined", "final", "cancelled", "failed"
    ]
    achievement: str = Field(description="Code.")
    version: int
    again: bool
    roster_bytes: int = Field(description="Of the roster.")
    total: int | None = Field(description="Credentials to issue; null: the roster is not read yet.")
    done: int = Field(description="Credentials sealed.")
    batch: Hash | None = Field(description="Root of its batch, once it is sealed.")
    transaction: Hash | None
    failure: str | None = Field(description="What is in the way, or why it failed.")
    passed_over: dict[str, int] = Field(description="Why rows are passed over that are no mistakes, and how many.")
    problem_count: int
    problems: list[JobProblem] = Field(description="The first 1000.")
    warnings: list[JobProblem] = Field(description="What is perhaps a mistake, and keeps nobody from issuing.")
    created_at: Seconds
    changed_at: Seconds
    next_at: Seconds = Field(description="When it goes on, unless it has ended.")

    @classmethod
    def of(cls, seen: SeenJob) -> Job:
        """Show a job."""
        job, asked = seen.job, RosterRequest.parse(seen.job.request)
        report = {} if job.report is None else json.loads(job.report)
        return cls(
            id=str(job.public_id),
            kind="roster",
            state=job.state.value,
            achievement=asked.achievement,
            version=asked.version,
            again=asked.again,
            roster_bytes=job.content_size,
            total=job.total,
            done=job.done,
            batch=None if seen.root is None else to_hex(seen.root),
            transaction=None if seen.transaction is None else to_hex(seen.transaction),
            failure=job.failure,
            passed_over=report.get("passedOver", {}),
            problem_count=report.get("problemCount", 0),
            problems=report.get("problems", []),
            warnings=report.get("warnings", []),
            created_at=job.created_at,
            changed_at=job.changed_at,
            next_at=job.next_at,
        )

    def content(self) -> bytes:
        """Write it as JSON."""
        return self.model_dump_json(by_alias=True).encode()


AnyJob = Annotated[Job | StatusJob, Field(discriminator="kind")]
"""A job of either kind."""


class Jobs(Page):
    """Jobs, the newest first."""

    jobs: list[AnyJob]


def show_job(seen: SeenJob) -> Job | StatusJob:
    """Show a job as what it is."""
    return Job.of(seen) if seen.job.kind is JobKind.ROSTER else StatusJob.of(seen)
