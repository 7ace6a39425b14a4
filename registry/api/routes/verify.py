"""Verifying: what the command `credanchor verify` does, with the same report, under the operator's policy."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from anchor.cli.report_json import json_pieces
from registry.api.context import Context, ContextDep, limited_by_address
from registry.api.documents import problems
from registry.api.problems import (
    BUSY,
    MALFORMED,
    TOO_LARGE,
    TOO_MANY_REQUESTS,
    UNDETERMINED,
    UNSUPPORTED_MEDIA_TYPE,
    ProblemError,
)
from registry.api.schemas.samples import BUNDLE, CREDENTIAL
from registry.api.schemas.verification import Verification
from registry.services.verification import Form, verify_body

router = APIRouter(prefix="/v1/verify", tags=["verification"], dependencies=[Depends(limited_by_address)])

_FORMS: Final = {
    "application/json": Form.JSON,
    "application/vc": Form.JSON,
    "application/ld+json": Form.JSON,
    "application/vc+ld+json": Form.JSON,
    "application/x-ndjson": Form.LINES,
    "application/zip": Form.ARCHIVE,
}
_OBJECT: Final = {"type": "object", "additionalProperties": True}
_LINES: Final = json.dumps(CREDENTIAL, ensure_ascii=False) + "\n"
_BINARY: Final = {"type": "string", "contentMediaType": "application/zip"}
_PROBLEMS: Final = problems(MALFORMED, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, TOO_MANY_REQUESTS, UNDETERMINED, BUSY)


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "",
    summary="Verify credentials",
    response_model=Verification,
    responses=_PROBLEMS,
    openapi_extra=_body(
        {
            "application/json": {
                "schema": {"oneOf": [_OBJECT, {"type": "array", "items": _OBJECT, "minItems": 1}]},
                "example": [CREDENTIAL],
            },
            "application/vc": {"schema": _OBJECT, "example": CREDENTIAL},
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One credential a line."},
                "example": _LINES,
            },
            "application/zip": {"schema": _BINARY},
        }
    ),
)
async def verify(request: Request, context: ContextDep) -> Response:
    """Send one credential or bundle, a list of credentials, lines (NDJSON), or a ZIP archive.

    Whatever comes out, the answer is 200 with a report, `credanchor/verification@v1`: each credential is `valid`,
    `invalid`, `unknown` (it could not be determined: try again later) or `malformed`. All are judged at
    the same blocks.
    """
    form = _FORMS.get(_media_type(request))
    if form is None:
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, f"credentials come as {', '.join(_FORMS)}")
    return await _report(request, context, form)


@router.post(
    "/bundle",
    summary="Verify a bundle",
    response_model=Verification,
    responses=_PROBLEMS,
    openapi_extra=_body({"application/json": {"schema": _OBJECT, "example": BUNDLE}}),
)
async def verify_bundle(request: Request, context: ContextDep) -> Response:
    """Send one bundle, `credanchor/bundle@v1`: nodes are asked for its blocks' hashes, and not about its credentials.

    The answer is that of `POST /v1/verify`; what is no bundle is `malformed`.
    """
    if _media_type(request) != "application/json":
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, "a bundle comes as application/json")
    return await _report(request, context, Form.BUNDLE)


async def _report(request: Request, context: Context, form: Form) -> Response:
    service, body = context.service, await request.body()
    most = service.options.max_verify_credentials
    report = await context.pool.run(partial(verify_body, body, form, service.policy_file, most, now=service.now()))
    for each in report.files:
        context.metrics.count_verdict(each.outcome)
    return Response("".join(json_pieces(report)), media_type="application/json")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
