"""Routes that write: what an `Idempotency-Key` does for them, and how they answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import Header, Request
from fastapi.responses import Response

from anchor.canonical import canonicalize
from anchor.model import Hash32
from registry.api.auth import Caller, Operator
from registry.api.schemas.base import Document
from registry.services.writes import write_once
from registry.store.connection import HOME, InstitutionConnection
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
MADE_HEADERS: Final[dict[str, Any]] = {
    "Location": {"description": "Where what was made is.", "schema": {"type": "string"}},
    **WRITE_HEADERS,
}
"""The same, where something is made that has an address."""


def answer_write(
    caller: Caller | Operator,
    request: Request,
    key: str | None,
    asked: Document | None,
    do: Callable[[InstitutionConnection], Document],
    *,
    status: int = 200,
    kept: Callable[[Document], Document] | None = None,
    location: Callable[[dict[str, Any]], str] | None = None,
) -> Response:
    """Do a write in one transaction, and answer; the second time as the first.

    Args:
        caller: Whose institution it is done for. What the operator asks for is kept as the home folder's.
        request: The request; method, path and query are part of what it is.
        key: Its `Idempotency-Key`.
        asked: Its body.
        do: Does it, with its entry in the audit log, and gives what is answered.
        status: HTTP status of the answer.
        kept: Gives what is kept of the answer, for the next time: without what is a secret. Default: all of it.
        location: Tells from the answer where what was made is.

    Raises:
        ConflictError: The key was used for another request.
    """
    said = {
        "method": request.method,
        "path": request.url.path,
        "query": request.url.query,
        # What was left out is not what was given as null.
        "body": None if asked is None else asked.model_dump(mode="json", by_alias=True, exclude_unset=True),
        **({"as": "operator"} if isinstance(caller, Operator) else {}),
    }
    request_hash = Hash32(sha256(canonicalize(said)).digest())
    made: list[Document] = []

    def work() -> KeptAnswer:
        made.append(do(connection))
        return KeptAnswer(status=status, body=_written(made[0] if kept is None else kept(made[0])))

    store = caller.service.store.of(HOME) if isinstance(caller, Operator) else caller.store
    with store.writing() as connection:
        answer, is_repeated = write_once(connection, key, request_hash, work, now=caller.service.now())
    body = answer.body if is_repeated else _written(made[0])
    headers = {REPEATED_HEADER: "true"} if is_repeated else {}
    if location is not None:
        headers["Location"] = location(json.loads(body))
    return Response(body, status_code=answer.status, media_type="application/json", headers=headers)


def _written(document: Document) -> bytes:
    return document.model_dump_json(by_alias=True).encode()
