"""The report on credentials, as docs/spec/verification-report.md has it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from registry.api.schemas.base import Document, RegistryText

Outcome = Literal["valid", "invalid", "unknown", "malformed"]


class Source(Document):
    """Which part of the request a credential was."""

    path: str | None = Field(examples=["badge.json"])
    member: str | None = Field(examples=["6a4f0f4e.json"])
    address: str | None = Field(examples=["https://college.example/badge.json"])


class ReportError(Document):
    """Why there is no verdict."""

    type: str = Field(examples=["CredentialFormatError"])
    message: str = Field(examples=["not JSON: Expecting value at line 1, column 1"])
    advice: str = Field(examples=["Give the file as it was issued."])


class Basis(Document):
    """What a verdict rests on: a block, and what vouches for it."""

    registry: RegistryText
    registry_name: str = Field(examples=["Ontario micro-credentials"])
    block_number: int = Field(examples=[21000000])
    block_hash: str = Field(examples=["0x" + "5f" * 32])
    block_at: int = Field(examples=[1790000000])
    vouching: str = Field(examples=["kOfN"])
    vouched_by: list[str] = Field(examples=[["https://node.example"]])


class Check(Document):
    """One of the thirteen steps."""

    step: int = Field(examples=[8])
    name: str = Field(examples=["inclusion"])
    status: Literal["passed", "failed", "unknown", "notApplicable", "skipped"]
    reason: str = Field(examples=[""])
    detail: str = Field(examples=["its batch has 250 credentials"])


class Result(Document):
    """What came of one credential."""

    file: str = Field(examples=["badge.json"])
    source: Source
    contacted: list[str] = Field(description="Whom it asked.", examples=[["https://node.example"]])
    outcome: Outcome
    holder: str | None = Field(examples=["matches"])
    reason: str | None = Field(default=None, description="What speaks against it, in one word.", examples=["revoked"])
    message: str | None = Field(default=None, examples=["the credential was revoked"])
    credential_id: str | None = Field(default=None, examples=["urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11"])
    issuer: str | None = Field(default=None, examples=["did:web:college.example"])
    contact: str | None = Field(default=None, examples=["https://college.example/"])
    anchored_at: int | None = Field(default=None, examples=[1790000000])
    key_compromised_at: int | None = Field(default=None, examples=[1790000000])
    basis: Basis | None = None
    checks: list[Check] | None = None
    error: ReportError | None = None


class OtherFile(Document):
    """A file of ours that is no credential, in an archive."""

    file: str = Field(examples=["badge.json"])
    what: str = Field(examples=["a policy"])


class Verification(Document):
    """The report on all credentials of a request."""

    format: Literal["credanchor/verification@v1"]
    checked_at: int = Field(examples=[1790000000])
    counts: dict[Outcome, int] = Field(examples=[{"valid": 1, "invalid": 0, "unknown": 0, "malformed": 0}])
    holders: dict[str, int] | None = Field(examples=[{"matches": 1}])
    contacted: list[str] = Field(description="Whom it asked.", examples=[["https://node.example"]])
    as_of_block: bool
    bases: list[Basis]
    other_files: list[OtherFile]
    results: list[Result]
