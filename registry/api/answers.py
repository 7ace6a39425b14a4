"""Answers that may be kept: with a tag, so that who has it already is not sent it again; and places in lists."""

from __future__ import annotations

from hashlib import sha256

from fastapi import Request
from fastapi.responses import Response


def tagged(
    request: Request, content: bytes, media_type: str, *, tag: str | None = None, cache: str = "private, no-cache"
) -> Response:
    """Answer with content, or say that the client has it.

    Args:
        request: What was asked.
        content: All of it.
        media_type: Its kind.
        tag: Stands for the content; default: its hash.
        cache: Who may keep it; by default the client alone, who asks each time whether it still holds.
    """
    entity = f'"{tag or sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": entity, "Cache-Control": cache}
    if is_known(request, entity):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def is_known(request: Request, entity: str) -> bool:
    """Tell whether the client says that it has what a tag stands for (RFC 9110 section 13.1.2)."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or entity in {each.strip().removeprefix("W/") for each in given.split(",")}


def cursor_of(*numbers: int) -> str:
    """Write a place in a list as clients hand it back."""
    return ".".join(map(str, numbers))


def numbers_of(cursor: str) -> tuple[int, ...]:
    """Read a place in a list, whose form was checked."""
    return tuple(map(int, cursor.split(".")))
