"""What the OpenAPI document says of answers that several routes have in common."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

from registry.api.problems import (
    BUSY,
    FORBIDDEN,
    INTERNAL,
    INVALID_PARAMETERS,
    KINDS,
    MALFORMED,
    MEDIA_TYPE,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNDETERMINED,
    Kind,
)


class ProblemPart(BaseModel):
    """One thing wrong with what was sent."""

    where: str
    reason: str
    hint: str


class ProblemDocument(BaseModel):
    """RFC 9457; `type` leads to a page that explains it."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What is wrong in this case; empty where the title says all.")
    advice: str = Field(description="What to do about it.")
    problems: list[ProblemPart] | None = None
    requestId: str = Field(description="By which the operator finds the request in the log.")  # noqa: N815 - of JSON


KNOWN: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "It stands as the client knows: `If-None-Match` names it"}
}
"""Of every route whose answers have an `ETag`."""
AUTHENTICATED: Final = (MALFORMED, UNAUTHENTICATED, FORBIDDEN, TOO_MANY_REQUESTS, INVALID_PARAMETERS, UNAVAILABLE)
"""Of every route that needs a key."""
LEDGER: Final = (UNAVAILABLE, UNDETERMINED, BUSY, INTERNAL)
"""Of every route that asks the node."""


def problems(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """Say that a route may answer with these kinds of problems."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        names = [each.title for each in KINDS if each.status == kind.status and each in kinds]
        example = {
            "type": f"https://credentials.college.example/problems#{kind.name}",
            "title": kind.title,
            "status": kind.status,
            "detail": "",
            "advice": kind.explanation,
            "requestId": "5f0c1a7be9d24c31",
        }
        schema = {"$ref": "#/components/schemas/ProblemDocument"}
        found[kind.status] = {
            "description": "; ".join(names),
            "model": ProblemDocument,
            "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
        }
    return found
