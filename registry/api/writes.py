"""Routes that write: what an `Idempotency-Key` does for them, and how they answer."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import Header, Request
from fastapi.responses import Response

from anchor.canonical import canonicalize
from anchor.model import Hash32
from registry.api.auth import Caller
from registry.api.schemas.base import Document
from registry.services.writes import write_once
from registry.store.connection import InstitutionConnection
from registry.store.idempotency import KeptAnswer

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="Unlike any other of yours. The same request that comes again with it is answered as before, and "
        "not done again.",
    ),
]
REPEATED_HEADER: Final = "Idempotent-Replayed"
WRITE_HEADERS: Final[dict[str, Any]] = {
    REPEATED_HEADER: {"description": "`true`: the answer of an earlier time.", "schema": {"type": "string"}}
}
"""What the OpenAPI document says of the headers of an answer to a write."""


def answer_write(
    caller: Caller,
    request: Request,
    key: str | None,
    asked: Document | None,
    do: Callable[[InstitutionConnection], Document],
    *,
    status: int = 200,
) -> Response:
    """Do a write in one transaction, and answer; the second time as the first.

    Args:
        caller: Whose institution it is done for.
        request: The request; method, path and query are part of what it is.
        key: Its `Idempotency-Key`.
        asked: Its body.
        do: Does it, with its entry in the audit log, and gives what is answered: never a secret, for it is kept.
        status: HTTP status of the answer.

    Raises:
        ConflictError: The key was used for another request.
    """
    said = {
        "method": request.method,
        "path": request.url.path,
        "query": request.url.query,
        "body": None if asked is None else asked.model_dump(mode="json", by_alias=True),
    }
    request_hash = Hash32(sha256(canonicalize(said)).digest())
    with caller.store.writing() as connection:
        answer, is_repeated = write_once(
            connection,
            key,
            request_hash,
            lambda: KeptAnswer(status=status, body=do(connection).model_dump_json(by_alias=True).encode()),
            now=caller.service.now(),
        )
    headers = {REPEATED_HEADER: "true"} if is_repeated else {}
    return Response(answer.body, status_code=answer.status, media_type="application/json", headers=headers)
