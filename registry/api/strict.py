"""Strict JSON in bodies: what two readers could read differently, or a database cannot keep, is refused first.

Doubled keys, numbers that no double holds, lone surrogates, and depth without end, as credentials are read; and NUL
characters, which PostgreSQL keeps in no text.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from anchor.canonical import parse_document
from anchor.errors import CredentialFormatError
from registry.api.problems import MALFORMED, ProblemError

_NUL = "\x00"


class StrictRoute(APIRoute):
    """A route whose body, if it has one that is declared, is one JSON object, read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give what handles a request."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_strictly(request: Request) -> Response:
            try:
                return await handle(_StrictRequest(request.scope, request.receive))
            except _BodyError as error:
                raise ProblemError(MALFORMED, error.detail) from None

        return handle_strictly


class _BodyError(HTTPException):
    """Why a body cannot be used; of this type, because the web framework lets only such errors through."""


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            # How long a body may be was seen to already.
            value = parse_document(await self.body(), max_bytes=None).value
        except CredentialFormatError as error:
            raise _BodyError(MALFORMED.status, f"the body is no strict JSON object: {error}") from error
        if _has_nul(value):
            raise _BodyError(MALFORMED.status, "a text in the body holds the character U+0000")
        return value


def _has_nul(value: Any) -> bool:
    # Not deeper than the reader lets it be.
    if isinstance(value, str):
        return _NUL in value
    if isinstance(value, dict):
        return any(_NUL in key or _has_nul(each) for key, each in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
