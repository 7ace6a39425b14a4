"""The web application: routes, what every request goes through, and how errors become answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from anchor.errors import CredanchorError
from registry.api.context import Context, make_context
from registry.api.examples import complete
from registry.api.gate import Gate
from registry.api.problems import (
    INTERNAL,
    INVALID_PARAMETERS,
    KIND_OF_STATUS,
    MEDIA_TYPE,
    Problem,
    ProblemError,
    problem_of,
)
from registry.api.routes import (
    achievements,
    addresses,
    api_keys,
    audit,
    batches,
    credentials,
    events,
    explorer,
    history,
    institutions,
    jobs,
    ledger,
    ledger_downloads,
    operation,
    pages,
    status,
    status_lists,
    verifier,
    verify,
    webhooks,
)
from registry.api_wiring import ApiService
from registry.services.error_log import log_error

DESCRIPTION: Final = """
Institutions issue credentials that are anchored in a ledger; anyone can check one, and whether it was revoked, without
trusting this service. Guide: docs/guides/run-the-service.md of the source.

Errors are `application/problem+json` (RFC 9457); `type` leads to a page that explains it. Times are Unix seconds.
Requests without a key are counted by address, those with a key by key; beyond the limit the answer is 429.
"""

_BODY_LIMITED: Final = "/v1/verify"
_ROSTERS: Final = "/v1/batches"


def create_app(service: ApiService) -> FastAPI:
    """Build the application.

    Args:
        service: What it answers with; closed when the application ends.
    """
    context = make_context(service)
    app = FastAPI(
        title="credanchor",
        version=version("credanchor"),
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # their scripts come from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
        # It would tell an exporter addresses, queries, and what errors say.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.state.context = context
    _describe(app)
    # They are looked through in this order: first what is asked for most.
    credentials.add_often(app.router)
    for each in (
        credentials,
        pages,
        batches,
        addresses,
        events,
        jobs,
        status,
        history,
        verify,
        verifier,
        explorer,
        status_lists,
        ledger_downloads,
        ledger,
        institutions,
        achievements,
        api_keys,
        audit,
        webhooks,
        operation,
    ):
        app.include_router(each.router)
    _handle_errors(app, service.public_url)
    options = service.options
    app.add_middleware(
        Gate,
        public_url=service.public_url,
        metrics=context.metrics,
        log=context.log,
        body_limits={
            "": options.max_body_bytes,
            _BODY_LIMITED: options.max_verify_bytes,
            _ROSTERS: options.max_roster_bytes,
        },
        request_seconds=options.request_seconds,
        hsts_seconds=options.hsts_seconds,
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    yield
    await context.close()


def _operation_id(route: APIRoute) -> str:
    # By these, programs that are made from the document call what they do: they stay when addresses change.
    return f"{route.tags[0]}_{route.name}".lower().replace(" ", "_")


def _describe(app: FastAPI) -> None:
    describe = app.openapi

    def describe_whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            complete(describe())
        return describe()

    app.openapi = describe_whole  # type: ignore[method-assign]  # the framework's way of changing it


def _handle_errors(app: FastAPI, public_url: str) -> None:
    def answer(request: Request, problem: Problem) -> Response:
        content = problem.content(public_url, request.state.request_id)
        return JSONResponse(
            content, status_code=problem.kind.status, headers=dict(problem.headers), media_type=MEDIA_TYPE
        )

    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, CredanchorError)  # noqa: S101 - what it is registered for
        problem = problem_of(error)
        if problem.kind.is_ours:
            log_error(error, requestId=request.state.request_id)
        return answer(request, problem)

    async def carried(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101
        return answer(request, error.problem)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        # Never `input`: it may be a name or an e-mail.
        problems = [
            {"where": ".".join(map(str, each["loc"])), "reason": each["msg"], "hint": ""} for each in error.errors()
        ]
        return answer(request, Problem(kind=INVALID_PARAMETERS, problems=problems))

    async def of_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        kind = KIND_OF_STATUS.get(error.status_code, INTERNAL)
        return answer(request, Problem(kind=kind, headers=error.headers or {}))

    app.add_exception_handler(CredanchorError, known)
    app.add_exception_handler(ProblemError, carried)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, of_framework)
