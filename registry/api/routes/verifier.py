"""The verifier page, for people: everything is checked in their browser, and nothing that they open comes here."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from registry.api.answers import is_known
from registry.api.context import Context, ContextDep
from registry.api.people import answer_people
from registry.services.verifier_policy import page_policy
from registry.web.languages import choose_language
from registry.web.verifier import content_security_policy, verifier_page

PATH: Final = "/verify"

# For people: the OpenAPI document, which is for programs, does not have it. docs/api/pages.md does.
router = APIRouter(tags=["pages"], include_in_schema=False)


@router.api_route(PATH, methods=["GET", "HEAD"])
async def page(request: Request, context: ContextDep, lang: str | None = None) -> Response:
    """The verifier page with the operator's policy in it."""

    async def give() -> Response:
        is_small = "gzip" in request.headers.get("accept-encoding", "")
        content, headers = await run_in_threadpool(_page, context, is_small=is_small)
        if is_known(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="text/html; charset=utf-8", headers=headers)

    return await answer_people(request, context, choose_language(lang, request.headers.get("accept-language")), give)


def _page(context: Context, *, is_small: bool) -> tuple[bytes, dict[str, str]]:
    service = context.service
    found = verifier_page(page_policy(service.policy_file, service.page_policy_file, now=service.now()))
    headers = {
        "Content-Security-Policy": content_security_policy(),
        # Short: a policy that was changed should soon be everybody's.
        "Cache-Control": "public, max-age=300",
        "Permissions-Policy": "camera=(self)",
        "Vary": "Accept-Encoding",
        # One for each form: they are different bytes.
        "ETag": f'"{found.tag}{"-gzip" if is_small else ""}"',
    }
    if not is_small:
        return found.html, headers
    return found.compressed, headers | {"Content-Encoding": "gzip"}
