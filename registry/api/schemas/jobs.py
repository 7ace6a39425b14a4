"""Jobs: what was asked for, how far it is, and what is to be mended."""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal

from pydantic import Field

from anchor.model import to_hex
from registry.api.schemas.base import Document, Hash, Page, Seconds
from registry.api.schemas.status import StatusJob
from registry.services.failures import name_of
from registry.services.jobs import BadRows, RosterRequest, SeenJob
from registry.store.jobs import JobKind


class JobProblem(Document):
    """One thing to be mended; what stands there is not repeated."""

    where: str = Field(examples=["line 3, column 2 (email)"])
    reason: str = Field(examples=["is no e-mail address"])
    hint: str = Field(examples=["Such as zoe@example.org."])


class JobCost(Document):
    """What a dry run would cost, at the fees of that moment."""

    gas: int = Field(examples=[61_000])
    likely_wei: str = Field(description="If the base fee stays as it was.", examples=["61000000000000"])
    max_wei: str = Field(description="If it rises as far as the transaction allows.", examples=["122000000000000"])
    transactions: int = Field(examples=[1])


class JobProblems(Page):
    """What is to be mended, in the order of the roster."""

    problem_count: int = Field(description="All there are; the first 1000 are kept.")
    problems: list[JobProblem]


SHOWN: Final = 20
"""Problems that a job itself shows: it is asked for often."""


class Job(Document):
    """A roster on its way to the ledger."""

    id: str = Field(examples=["0b7d4c9e-5f0c-4c31-9d24-1a7be95f0c1a"])
    kind: Literal["roster"]
    state: Literal[
        "receiving",
        "received",
        "validated",
        "sealed",
        "signed",
        "sent",
        "mined",
        "final",
        "tried",
        "cancelled",
        "failed",
    ]
    achievement: str = Field(description="Code.", examples=["data-literacy"])
    version: int
    again: bool
    dry_run: bool = Field(description="Nothing is issued; `tried` is its end.")
    bad_rows: BadRows
    roster_bytes: int = Field(description="Of the roster.")
    read_as: str | None = Field(description="How the roster was understood.", examples=["CSV, UTF-8, delimited by ;"])
    notes: list[str] = Field(
        description="What was guessed of it, and should be looked at.",
        examples=[["fields are separated by semicolons"]],
    )
    unused_columns: list[str] = Field(description="Headings of columns that are not used.", examples=[["campus"]])
    total: int | None = Field(description="Credentials to issue; null: the roster is not read to its end yet.")
    done: int = Field(description="Rows looked at, as long as `total` is null; then credentials filled in.")
    with_email: int | None = Field(description="Of a dry run: those who have an e-mail.")
    cost: JobCost | None = Field(description="Of a dry run: what anchoring would cost; null: the node did not say.")
    batch: Hash | None = Field(description="Root of its batch, once it is sealed.")
    transaction: Hash | None
    failure: str | None = Field(
        description="What is in the way, or why it failed.", examples=["the node does not answer"]
    )
    failure_kind: str | None = Field(description="The same for programs.", examples=["ledgerUnavailable"])
    passed_over: dict[str, int] = Field(
        description="Why rows are passed over that are no mistakes, and how many.", examples=[{"has it": 2}]
    )
    left_out: int = Field(description="Bad rows; with `badRows=passOver` the others are issued to.")
    problem_count: int
    problems: list[JobProblem] = Field(description="The first 20; `/v1/jobs/{job}/problems` lists the first 1000.")
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
            dry_run=asked.dry_run,
            bad_rows=asked.bad_rows,
            read_as=report.get("readAs"),
            notes=report.get("notes", []),
            unused_columns=report.get("unusedColumns", []),
            with_email=report.get("withEmail"),
            cost=report.get("cost"),
            roster_bytes=job.content_size,
            total=job.total,
            done=job.done,
            batch=None if seen.root is None else to_hex(seen.root),
            transaction=None if seen.transaction is None else to_hex(seen.transaction),
            failure=job.failure,
            failure_kind=None if job.failure is None else name_of(job.failure),
            passed_over=report.get("passedOver", {}),
            left_out=report.get("leftOut", 0),
            problem_count=report.get("problemCount", 0),
            problems=report.get("problems", [])[:SHOWN],
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
