"""Batches: rosters taken in; how far batches are, what is in them, and all of it as an archive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

from anchor.model import Hash32, hash32
from registry.api.answers import cursor_of, numbers_of
from registry.api.auth import Issuing, Reader
from registry.api.context import Context, ContextDep
from registry.api.documents import AUTHENTICATED, problems
from registry.api.problems import (
    BUSY,
    CONFLICT,
    MALFORMED,
    NOT_FOUND,
    TOO_LARGE,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    ProblemError,
)
from registry.api.schemas.credentials import Batch, Batches, BatchStateName, Credential, Credentials
from registry.api.schemas.jobs import Job
from registry.api.strict import StrictRoute
from registry.api.writes import REPEATED_HEADER, WRITE_HEADERS, IdempotencyKey
from registry.errors import BusyError
from registry.services.archive_stream import archive_pieces
from registry.services.jobs import BadRows, QueueLimits, SeenJob, begin_intake
from registry.services.reading import read_batch, read_batches, read_credentials, require_anchored
from registry.services.rosters.sheets import SheetKind
from registry.store.idempotency import KeptAnswer
from registry.store.pages import Place
from registry.store.records import BatchState

router = APIRouter(prefix="/v1/batches", tags=["batches"], route_class=StrictRoute)

MAX_ARCHIVES: Final = 4
"""Made at once: each holds a connection to the database for as long as its client takes."""

RootParam = Annotated[
    str, Path(pattern=r"^0x[0-9a-f]{64}$", description="The batch's Merkle root.", examples=["0x" + "5f" * 32])
]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$", description="`next` of the page before.")]
BatchCursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.")]

_ARCHIVE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A ZIP archive, one JSON file a credential",
        "content": {"application/zip": {"schema": {"type": "string", "contentMediaType": "application/zip"}}},
    }
}

_TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
_BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_SPREADSHEETS: Final = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
)
_ROSTER: Final[dict[str, Any]] = {
    "text/csv": {**_TEXT, "example": "name,email\nZoë Tremblay,zoe@example.org\n"},
    "application/json": {
        "schema": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        "example": [{"name": "Zoë Tremblay", "email": "zoe@example.org"}],
    },
    "application/x-ndjson": {**_TEXT, "example": '{"name": "Zoë Tremblay", "email": "zoe@example.org"}\n'},
    **dict.fromkeys(_SPREADSHEETS, _BINARY),
}
_KINDS: Final = {
    "text/csv": SheetKind.CSV,
    "application/json": SheetKind.JSON,
    "application/x-ndjson": SheetKind.NDJSON,
    **dict.fromkeys(_SPREADSHEETS, SheetKind.SPREADSHEET),
}
_ANSWER_HEADERS: Final[dict[str, Any]] = {
    "Location": {"description": "The job's address.", "schema": {"type": "string"}},
    **WRITE_HEADERS,
}


def root_of(text: str) -> Hash32:
    """Read a root that was checked for its form."""
    return hash32(bytes.fromhex(text.removeprefix("0x")))


@router.post(
    "",
    summary="Issue to everybody on a roster",
    status_code=202,
    response_model=Job,
    responses={
        202: {"description": "A worker will do it; `Location` tells how far it is", "headers": _ANSWER_HEADERS},
        **problems(*AUTHENTICATED, MALFORMED, NOT_FOUND, CONFLICT, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE),
    },
    openapi_extra={"requestBody": {"required": True, "content": _ROSTER}},
)
async def issue(
    caller: Issuing,
    request: Request,
    achievement: Annotated[str, Query(pattern="^[a-z0-9-]{1,64}$", description="Code of a kept achievement.")],
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Default: the newest.")] = None,
    again: Annotated[bool, Query(description="Issue also to those who have the achievement.")] = False,
    dry_run: Annotated[
        bool, Query(alias="dryRun", description="Check everything, and say what it would cost; issue nothing.")
    ] = False,
    bad_rows: Annotated[
        BadRows, Query(alias="badRows", description="Whether one bad row keeps the others from being issued to.")
    ] = BadRows.REFUSE,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The body is the roster, as `credanchor roster check` takes it: CSV, JSON, NDJSON, or a spreadsheet.

    Nothing is issued unless every row of it is good, or `badRows` says otherwise; the job tells what is to be mended,
    by place and reason. A dry run's job ends as `tried`, with the cost of anchoring.
    """
    kind, now, options = _kind_of(request), caller.service.now(), caller.service.options
    intake = await run_in_threadpool(
        begin_intake,
        caller.store,
        achievement,
        version,
        again=again,
        dry_run=dry_run,
        bad_rows=bad_rows,
        kind=kind,
        limits=QueueLimits(jobs=options.max_waiting_jobs, uploaded_bytes=options.max_waiting_bytes),
        now=now,
    )
    try:
        async for part in request.stream():
            await run_in_threadpool(intake.add, part)
        answer, is_repeated = await run_in_threadpool(
            intake.finish, idempotency_key, actor=caller.actor, now=now, answer=_accepted
        )
    except BaseException:
        # The client may be gone, and this task with it: what came is given up all the same.
        await asyncio.shield(run_in_threadpool(intake.give_up))
        raise
    headers = {"Location": f"/v1/jobs/{json.loads(answer.body)['id']}"}
    if is_repeated:
        headers[REPEATED_HEADER] = "true"
    return Response(answer.body, status_code=answer.status, media_type="application/json", headers=headers)


def _kind_of(request: Request) -> SheetKind:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in _KINDS:
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, f"a roster is one of {', '.join(_KINDS)}")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, "a roster is sent as it is, without Content-Encoding")
    return _KINDS[given]


def _accepted(seen: SeenJob) -> KeptAnswer:
    return KeptAnswer(status=202, body=Job.of(seen).content())


@router.get("", summary="List batches", responses=problems(*AUTHENTICATED))
def list_all(
    caller: Reader,
    limit: Limit = 50,
    cursor: BatchCursor = None,
    state: Annotated[BatchStateName | None, Query(description="Only those in this state.")] = None,
) -> Batches:
    """The newest first."""
    before = None if cursor is None else numbers_of(cursor)[0]
    found, has_more = read_batches(
        caller.store, before=before, limit=limit, state=None if state is None else BatchState(state)
    )
    return Batches(batches=[Batch.of(each) for each in found], next=cursor_of(found[-1].id) if has_more else None)


@router.get("/{root}", summary="Show a batch", responses=problems(*AUTHENTICATED, NOT_FOUND))
def show(caller: Reader, root: RootParam) -> Batch:
    """How far it is: sealed, signed, sent, anchored, or failed."""
    return Batch.of(read_batch(caller.store, root_of(root)))


@router.get(
    "/{root}/credentials",
    summary="List a batch's credentials",
    responses=problems(*AUTHENTICATED, NOT_FOUND),
)
def credentials(caller: Reader, root: RootParam, limit: Limit = 50, cursor: Cursor = None) -> Credentials:
    """In the order of leaves, which says nothing of the roster's."""
    return page_of(caller, root_of(root), limit, cursor)


@router.get(
    "/{root}/archive",
    summary="Download a batch's credentials",
    response_class=StreamingResponse,
    responses={**_ARCHIVE, **problems(*AUTHENTICATED, NOT_FOUND, CONFLICT, UNAVAILABLE, BUSY)},
)
async def archive(caller: Reader, context: ContextDep, root: RootParam) -> Response:
    """All of them with their anchor proofs as a ZIP archive, named by UUID; those that were erased are left out.

    It is made while it is sent. One that breaks off has no table of contents, so that nobody takes it for whole.
    """
    batch = await run_in_threadpool(read_batch, caller.store, root_of(root))
    require_anchored(batch)
    pieces = counted(context, archive_pieces(caller.store, batch))
    headers = {"Content-Disposition": f'attachment; filename="batch-{root[2:18]}.zip"'}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def counted(context: Context, pieces: Generator[bytes]) -> AsyncIterator[bytes]:
    """Give pieces that are read from the database as the client takes them, if not too many do so.

    Raises:
        BusyError: They do.
    """
    if context.archives.count >= MAX_ARCHIVES:
        raise BusyError("as many archives as can be made at once are being made")

    async def give() -> AsyncIterator[bytes]:
        context.archives.count += 1
        try:
            async for piece in iterate_in_threadpool(pieces):
                yield piece
        finally:
            context.archives.count -= 1
            # Where the client went away: what it holds of the database is given up now.
            pieces.close()

    return give()


def page_of(caller: Reader, root: Hash32 | None, limit: int, cursor: str | None) -> Credentials:
    """Give a page of credentials, of one batch or of all."""
    after = None if cursor is None else Place(*numbers_of(cursor))
    found, has_more = read_credentials(caller.store, root=root, after=after, limit=limit)
    following = None
    if has_more:
        last = found[-1].credential
        following = cursor_of(last.batch, last.leaf_index)
    return Credentials(credentials=[Credential.of(each) for each in found], next=following)
