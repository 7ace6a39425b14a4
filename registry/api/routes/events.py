"""Server-sent events: how far jobs are, told as it changes (HTML Living Standard, section 9.2)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from registry.api.auth import Caller, Reader
from registry.api.context import ContextDep
from registry.api.documents import AUTHENTICATED, problems
from registry.api.problems import BUSY, NOT_FOUND
from registry.api.routes.jobs import JobParam
from registry.api.schemas.events import JobEvent
from registry.api.streams import RECENT_SECONDS, Stream, Write
from registry.store.job_progress import JobProgress, progress_of, progress_since
from registry.store.jobs import JobId

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

LONGEST_AGO_SECONDS: Final = 86_400
"""What ended before that is not told to one who comes again: it is in the list of jobs."""

LastEventId = Annotated[
    str | None, Header(description="Id of the last event that the client has; what is none is passed over.")
]
_EVENT_ID: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_EVENT: Final = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "event": {"const": "job"},
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": JobEvent.model_json_schema(),
        },
        "retry": {"type": "integer", "description": "When to come again after being cut off, in milliseconds."},
    },
}
_EXAMPLE: Final = {
    "event": "job",
    "id": "3",
    "data": '{"job":"0b7d4c9e-5f0c-4c31-9d24-1a7be95f0c1a","kind":"roster","state":"validated","revision":3,'
    '"total":120,"done":0,"batch":null,"transaction":null,"failure":null,"changedAt":1790000000}',
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A stream of events `job`",
        "content": {"text/event-stream": {"schema": _EVENT, "example": _EXAMPLE}},
    },
    **problems(*AUTHENTICATED, BUSY),
}


@router.get(
    "/events",
    summary="Watch all jobs",
    response_class=StreamingResponse,
    responses=_ANSWERS,
)
async def watch_all(caller: Reader, context: ContextDep, last_event_id: LastEventId = None) -> Response:
    """First those that have not ended, as they are; then each as it changes. The id of an event is the time of change.

    With `Last-Event-ID`, also those that ended since, or in the hour before; for a day back. The same may come again:
    compare `revision`. The stream ends after an hour, or what the operator has set, and when its API key is revoked.
    """

    def write(progress: JobProgress) -> tuple[str, str]:
        return str(progress.changed_at), _data(progress)

    now, last = caller.service.now(), _number_of(last_event_id)
    since = now + 1 if last is None else max(last - RECENT_SECONDS, now - LONGEST_AGO_SECONDS)
    stream = _stream(caller, None, write)
    found = await run_in_threadpool(_read_since, caller, min(since, now - RECENT_SECONDS))
    for each in found:
        if each.has_ended and each.changed_at < since:
            stream.know(each)
    stream.offer(found)
    return context.streams.open(stream)


@router.get(
    "/{job}/events",
    summary="Watch a job",
    response_class=StreamingResponse,
    responses={
        **_ANSWERS,
        204: {"description": "It has ended, and `Last-Event-ID` names its last event: do not come again"},
        **problems(NOT_FOUND),
    },
)
async def watch(caller: Reader, context: ContextDep, job: JobParam, last_event_id: LastEventId = None) -> Response:
    """How it is, then an event each time that it changes, until it has ended. The id of an event is its revision.

    What a slow client did not take in time is left out, but for the newest.
    """

    def write(progress: JobProgress) -> tuple[str, str]:
        return str(progress.revision), _data(progress)

    def read() -> JobProgress:
        with caller.store.reading() as connection:
            return progress_of(connection, job)

    progress = await run_in_threadpool(read)
    last = _number_of(last_event_id)
    is_known = last is not None and progress.revision <= last
    if is_known and progress.has_ended:
        return Response(status_code=204)
    stream = _stream(caller, progress.id, write)
    if is_known:
        stream.know(progress)
    stream.offer([progress])
    return context.streams.open(stream)


def _number_of(event: str | None) -> int | None:
    return None if event is None or _EVENT_ID.fullmatch(event) is None else int(event)


def _stream(caller: Caller, job: JobId | None, write: Write) -> Stream:
    seconds = caller.service.options.stream_seconds
    return Stream(caller.access.key.prefix, caller.institution, job, seconds=seconds, write=write)


def _read_since(caller: Caller, since: int) -> tuple[JobProgress, ...]:
    with caller.store.reading() as connection:
        return progress_since(connection, since)


def _data(progress: JobProgress) -> str:
    return JobEvent.of(progress).model_dump_json(by_alias=True)
