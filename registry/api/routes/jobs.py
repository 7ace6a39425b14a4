"""Jobs: how far they are, what is to be mended, and cancelling."""

from __future__ import annotations

import json
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from registry.api.answers import cursor_of, numbers_of, tagged
from registry.api.auth import IssuingOrChanging, Reader, needs_scope
from registry.api.documents import AUTHENTICATED, KNOWN, problems
from registry.api.problems import CONFLICT, NOT_FOUND
from registry.api.routes.batches import BatchCursor, Limit
from registry.api.schemas.jobs import AnyJob, JobProblems, Jobs, show_job
from registry.api.strict import StrictRoute
from registry.services.jobs import cancel, read_job, read_jobs
from registry.store.api_keys import Scope
from registry.store.jobs import JobKind

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=StrictRoute)

JobParam = Annotated[
    UUID, Path(description="The job's id, as it was answered.", examples=["0b7d4c9e-5f0c-4c31-9d24-1a7be95f0c1a"])
]
_SCOPES: Final = {JobKind.ROSTER: Scope.ISSUE, JobKind.STATUS: Scope.STATUS}


@router.get("", summary="List jobs", responses=problems(*AUTHENTICATED))
def list_all(caller: Reader, limit: Limit = 50, cursor: BatchCursor = None) -> Jobs:
    """The newest first."""
    before = None if cursor is None else numbers_of(cursor)[0]
    found, has_more = read_jobs(caller.store, before=before, limit=limit)
    return Jobs(jobs=[show_job(each) for each in found], next=cursor_of(found[-1].job.id) if has_more else None)


@router.get(
    "/{job}",
    summary="Show a job",
    response_model=AnyJob,
    responses={**KNOWN, **problems(*AUTHENTICATED, NOT_FOUND)},
)
def show(caller: Reader, request: Request, job: JobParam) -> Response:
    """How far it is: received, validated, sealed, signed, sent, mined, final; or cancelled, or failed and why.

    `kind` says what it is: a `roster`, or a change of `status`, which has nothing to seal.
    """
    seen = read_job(caller.store, job)
    return tagged(request, show_job(seen).content(), "application/json", tag=f"{seen.job.id}-{seen.job.revision}")


@router.get(
    "/{job}/problems",
    summary="List what is to be mended in a roster",
    responses=problems(*AUTHENTICATED, NOT_FOUND),
)
def list_problems(caller: Reader, job: JobParam, limit: Limit = 50, cursor: BatchCursor = None) -> JobProblems:
    """By place, reason and what to do; what stands there is not repeated. The first 1000 are kept, all are counted."""
    report = json.loads(read_job(caller.store, job).job.report or "{}")
    first = 0 if cursor is None else numbers_of(cursor)[0]
    found = report.get("problems", [])
    following = first + limit
    return JobProblems(
        problem_count=report.get("problemCount", 0),
        problems=found[first:following],
        next=cursor_of(following) if following < len(found) else None,
    )


@router.post("/{job}/cancel", summary="Cancel a job", responses=problems(*AUTHENTICATED, NOT_FOUND, CONFLICT))
def cancel_one(caller: IssuingOrChanging, job: JobParam) -> AnyJob:
    """Only before anything is sealed or signed; what was uploaded is dropped. Cancelling twice does no more than once.

    A roster takes a key with the scope `issue`, a change of status one with the scope `status`.
    """
    scope = _SCOPES[read_job(caller.store, job).job.kind]
    if not caller.access.has(scope):
        raise needs_scope(scope)
    return show_job(cancel(caller.store, job, actor=caller.actor, now=caller.service.now()))
