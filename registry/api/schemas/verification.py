"""The report on credentials, as docs/spec/verification-report.md has it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from registry.api.schemas.base import Document

Outcome = Literal["valid", "invalid", "unknown", "malformed"]


class Source(Document):
    """Which part of the request a credential was."""

    path: str | None
    member: str | None
    address: str | None


class ReportError(Document):
    """Why there is no verdict."""

    type: str
    message: str
    advice: str


class Basis(Document):
    """What a verdict rests on: a block, and what vouches for it."""

    registry: str
    registry_name: str
    block_number: int
    block_hash: str
    block_at: int
    vouching: str
    vouched_by: list[str]


class Check(Document):
    """One of the thirteen steps."""

    step: int
    name: str
    status: Literal["passed", "failed", "unknown", "notApplicable", "skipped"]
    reason: str
    detail: str


class Result(Document):
    """What came of one credential."""

    file: str
    source: Source
    contacted: list[str]
    outcome: Outcome
    holder: str | None
    reason: str | None = Field(default=None, description="What speaks against it, in one word.")
    message: str | None = None
    credential_id: str | None = None
    issuer: str | None = None
    contact: str | None = None
    anchored_at: int | None = None
    key_compromised_at: int | None = None
    basis: Basis | None = None
    checks: list[Check] | None = None
    error: ReportError | None = None


class OtherFile(Document):
    """A file of ours that is no credential, in an archive."""

    file: str
    what: str


class Verification(Document):
    """The report on all credentials of a request."""

    format: Literal["credanchor/verification@v1"]
    checked_at: int
    counts: dict[Outcome, int]
    holders: dict[str, int] | None
    contacted: list[str]
    as_of_block: bool
    bases: list[Basis]
    other_files: list[OtherFile]
    results: list[Result]
