"""The verifier page, for people: everything is checked in their browser, and nothing that they open comes here."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from registry.api.context import ContextDep
from registry.services.verifier_policy import page_policy
from registry.web.verifier import content_security_policy, verifier_page

PATH = "/verify"

# For people: the OpenAPI document, which is for programs, does not have it. docs/api/pages.md does.
router = APIRouter(tags=["pages"], include_in_schema=False)


@router.api_route(PATH, methods=["GET", "HEAD"])
async def page(context: ContextDep) -> Response:
    """The verifier page with the operator's policy in it."""
    service = context.service
    policy = await run_in_threadpool(page_policy, service.policy_file, service.page_policy_file)
    headers = {
        "Content-Security-Policy": content_security_policy(),
        # Short: a policy that was changed should soon be everybody's.
        "Cache-Control": "public, max-age=300",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(self)",
    }
    return HTMLResponse(verifier_page(policy), headers=headers)
