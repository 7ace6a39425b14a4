"""The registry's whole history to take away, open to all: as an archive to audit again, and as a table."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from registry.api.answers import is_known
from registry.api.context import Context, ContextDep, address_of, limited_by_address
from registry.api.documents import KNOWN, problems
from registry.api.problems import BUSY, NOT_READY, TOO_MANY_REQUESTS, UNAVAILABLE, ProblemError
from registry.api.routes.ledger import CACHE
from registry.errors import BusyError
from registry.services.explorer.downloads import archive, compressed, gathered, table
from registry.services.explorer.histories import whole_history
from registry.services.explorer.queries import Explorer, Moment

router = APIRouter(prefix="/v1/ledger", tags=["ledger"], dependencies=[Depends(limited_by_address)])

MAX_DOWNLOADS: Final = 16
"""Made at once; none of them holds a connection to the database while its client dawdles."""
MAX_PER_CLIENT: Final = 2

_NOT: Final = "q=0"
_NOT_AT_ALL: Final = re.compile(r"\s*q=0(\.0{0,3})?\s*")

_LINES: Final = "application/x-ndjson"
_EXAMPLE: Final = (
    '{"format":"credanchor/event-archive@v1","registry":"eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"}\n'
)
_CSV_EXAMPLE: Final = "block,time,issuer,event,subject,list,index,reason,actor,transaction,what\r\n"
_PROBLEMS: Final = {**KNOWN, **problems(TOO_MANY_REQUESTS, UNAVAILABLE, BUSY, NOT_READY)}

Make = Callable[[Explorer, Moment], Generator[bytes]]


def _answers(kind: str, description: str, example: str) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": description, "content": content}, **_PROBLEMS}


@router.get(
    "/events.jsonl",
    summary="Download the history",
    response_class=StreamingResponse,
    responses=_answers(_LINES, "`credanchor/event-archive@v1` (docs/spec/event-archive.md)", _EXAMPLE),
)
async def events_jsonl(request: Request, context: ContextDep) -> Response:
    """All events as an archive. `credanchor audit --from events.jsonl` proves that it is whole, and believes nobody.

    It is made while it is sent. One that breaks off has no last line, and is no archive.
    """

    def make(explorer: Explorer, moment: Moment) -> Generator[bytes]:
        return archive(explorer, moment.copy, moment.ledger().basis)

    return await _download(request, context, make, _LINES, "events.jsonl")


@router.get(
    "/events.csv",
    summary="Download the history as a table",
    response_class=StreamingResponse,
    responses=_answers("text/csv", "As `credanchor audit --format csv` writes it", _CSV_EXAMPLE),
)
async def events_csv(request: Request, context: ContextDep) -> Response:
    """One row an event, and for changes of status one row a credential."""

    def make(explorer: Explorer, moment: Moment) -> Generator[bytes]:
        return table(whole_history(explorer, moment))

    return await _download(request, context, make, "text/csv", "events.csv")


async def _download(request: Request, context: Context, make: Make, kind: str, name: str) -> Response:
    explorer: Explorer = context.service.explorer
    is_packed = takes_gzip(request.headers.get("accept-encoding", ""))

    def begin() -> tuple[str, Generator[bytes]]:
        with explorer.reading() as moment:
            return moment.ledger().block_tag, make(explorer, moment)

    tag, pieces = await run_in_threadpool(begin)
    entity = f'"{tag}{"-gzip" if is_packed else ""}"'
    headers = {"ETag": entity, "Cache-Control": CACHE, "Vary": "Accept-Encoding"}
    if is_known(request, entity):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if is_packed:
        headers["Content-Encoding"] = "gzip"
        pieces = compressed(gathered(pieces))
    given = _counted(context, address_of(request), gathered(pieces))
    return StreamingResponse(given, media_type=kind, headers=headers)


def takes_gzip(accepted: str) -> bool:
    """Tell whether a client takes gzip, by its `Accept-Encoding` (RFC 9110 section 12.5.3)."""
    weights = {}
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        weights[name.strip()] = weight
    weight = weights.get("gzip", weights.get("*", _NOT))
    return _NOT_AT_ALL.fullmatch(weight) is None


def _counted(context: Context, client: str, pieces: Generator[bytes]) -> AsyncIterator[bytes]:
    """Give pieces as the client takes them, if not too many do so.

    Raises:
        BusyError: They do.
        ProblemError: This client does.
    """
    running = context.downloads
    if running[client] >= MAX_PER_CLIENT:
        detail = f"{MAX_PER_CLIENT} downloads are under way to this address"
        raise ProblemError(TOO_MANY_REQUESTS, detail, headers={"Retry-After": "30"})
    if running.total() >= MAX_DOWNLOADS:
        raise BusyError("as many downloads as can be made at once are under way")

    async def give() -> AsyncIterator[bytes]:
        running[client] += 1
        try:
            async for piece in iterate_in_threadpool(pieces):
                yield piece
        finally:
            running[client] -= 1
            if not running[client]:
                del running[client]

    return give()
