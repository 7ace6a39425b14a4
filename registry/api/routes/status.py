"""Changes of status: revoking, suspending and reinstating credentials, one, many, or whole batches."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from registry.api.auth import Caller, Changing
from registry.api.documents import AUTHENTICATED, LEDGER, problems
from registry.api.problems import CONFLICT, MALFORMED, NOT_FOUND, TOO_LARGE
from registry.api.schemas.status import ChangeOfStatus, StatusJob, StatusPreview
from registry.api.strict import StrictRoute
from registry.api.writes import WRITE_HEADERS, IdempotencyKey, answer_write
from registry.services.jobs import QueueLimits
from registry.services.status_request import Named, StatusRequest, find_named, preview, take_in, targets_of

router = APIRouter(prefix="/v1/status", tags=["status"], route_class=StrictRoute)

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "What it would come to (`dryRun`)", "model": StatusPreview},
    202: {
        "description": "A worker will do it; `Location` tells how far it is",
        "headers": {
            "Location": {"description": "The job's address.", "schema": {"type": "string"}},
            **WRITE_HEADERS,
        },
    },
}


@router.post(
    "",
    summary="Revoke, suspend or reinstate",
    status_code=202,
    response_model=StatusJob,
    responses={**_ANSWERS, **problems(*AUTHENTICATED, *LEDGER, MALFORMED, NOT_FOUND, CONFLICT, TOO_LARGE)},
)
async def change(
    caller: Changing,
    request: Request,
    asked: ChangeOfStatus,
    dry_run: Annotated[bool, Query(alias="dryRun", description="Tell only what it would come to, and cost.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Up to 10,000 credentials and 100 whole batches at once: all of them, or nothing unless `passOver` is said.

    What the ledger says already stays as it is, and is no mistake. A revocation is for good. Changes that wait for the
    same action and reason share transactions.
    """
    if dry_run:
        return await caller.ask_ledger(partial(_try_out, caller, asked))
    return await run_in_threadpool(_take_in, caller, request, asked, idempotency_key)


def _try_out(caller: Caller, asked: ChangeOfStatus) -> Response:
    institution = caller.service.institution(caller.institution)
    named, wanted = _named(caller, asked)
    targets = targets_of(caller.store, institution.targets, named.uuids, named.roots)
    sender = institution.address_of(institution.settings.status_key)
    found = preview(
        institution.status_planner, institution.client, sender, targets, wanted, extra_gas=institution.extra_gas
    )
    body = StatusPreview.of(wanted, found).model_dump_json(by_alias=True)
    return Response(body, media_type="application/json")


def _take_in(caller: Caller, request: Request, asked: ChangeOfStatus, key: str | None) -> Response:
    named, wanted = _named(caller, asked)
    now, options = caller.service.now(), caller.service.options
    limits = QueueLimits(jobs=options.max_waiting_jobs, uploaded_bytes=options.max_waiting_bytes)
    answer = answer_write(
        caller,
        request,
        key,
        asked,
        lambda connection: StatusJob.of(
            take_in(connection, wanted, named.uuids, actor=caller.actor, limits=limits, now=now)
        ),
        status=202,
    )
    answer.headers["Location"] = f"/v1/jobs/{json.loads(bytes(answer.body))['id']}"
    return answer


def _named(caller: Caller, asked: ChangeOfStatus) -> tuple[Named, StatusRequest]:
    finder = caller.service.institution(caller.institution).targets
    named = find_named(caller.store, finder, asked.credentials, asked.roots, passes_over=asked.pass_over)
    wanted = StatusRequest(
        kind=asked.kind,
        reason=asked.status_reason,
        roots=named.roots,
        count=len(named.uuids),
        unknown=len(named.problems),
    )
    return named, wanted
