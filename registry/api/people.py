"""Answers for people, in English or French: pages, and whatever goes wrong in words that tell of nobody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from anchor.errors import CredanchorError
from registry.api.context import Context, address_of
from registry.errors import ConflictError, NotFoundError, NotReadyError
from registry.services.error_log import log_error
from registry.web.render import content_security_policy, message_page

HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
}
"""Of all that shows one credential, and of messages."""


async def answer_people(
    request: Request, context: Context, language: str, give: Callable[[], Awaitable[Response]]
) -> Response:
    """Answer, if the asker has not asked too often; whatever goes wrong is said in the asker's language.

    Args:
        request: What was asked.
        context: The service.
        language: A code of `LANGUAGES`.
        give: Makes the answer.
    """
    wait = context.anonymous.seconds_to_wait(address_of(request))
    if wait:
        return _message("too_many", 429, language, {"Retry-After": str(wait)})
    try:
        return await give()
    except NotFoundError:
        return _message("not_found", 404, language)
    except NotReadyError:
        return _message("ledger.unread", 503, language, {"Retry-After": "60"})
    except ConflictError:
        # It is there, and will be shown: an error would make people think otherwise.
        return _message("not_ready", 404 if request.url.path.endswith(".json") else 200, language)
    except CredanchorError as error:
        log_error(error, requestId=request.state.request_id)
        return _message("unavailable", 503, language, {"Retry-After": "30"})


def html_of(content: str | bytes, status: int, language: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with a page without script.

    Args:
        content: Its HTML.
        status: Of HTTP.
        language: It is in.
        headers: Beside the usual ones.
    """
    said = {
        **HEADERS,
        "Content-Security-Policy": content_security_policy(),
        "Content-Language": language,
        "Vary": "Accept-Language",
        **(headers or {}),
    }
    return HTMLResponse(content, status_code=status, headers=said)


def _message(name: str, status: int, language: str, headers: dict[str, str] | None = None) -> Response:
    return html_of(message_page(name, language), status, language, headers or {})
