"""For those who run the service: whether it lives, whether it is ready, what it counted; and what its problems mean."""

from __future__ import annotations

from html import escape
from typing import Any, Final, Literal

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel

from registry.api import metrics as metrics_format
from registry.api.context import Context, ContextDep
from registry.api.documents import problems
from registry.api.problems import KINDS, PROBLEMS_PATH, UNAVAILABLE, ProblemError
from registry.errors import NotReadyError, StoreError

router = APIRouter(tags=["operation"])

_EXAMPLE: Final = 'credanchor_http_requests_total{method="GET",route="/healthz",status="200"} 1\n'
_COUNTERS: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/plain": {"example": _EXAMPLE}}}}


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """All that the service needs answers."""

    status: Literal["ready"] = "ready"
    store: bool
    node: bool
    chain: bool
    contract: bool


@router.get("/healthz", summary="Tell whether the process answers")
async def healthz() -> Alive:
    """For whoever restarts it when it does not; asks neither database nor node."""
    return Alive()


@router.get("/readyz", summary="Tell whether all that the service needs answers", responses=problems(UNAVAILABLE))
async def readyz(context: ContextDep) -> Ready:
    """Ask the database, and of the node that it serves the right chain with the right contract."""
    checks = await run_in_threadpool(context.service.readiness.get)
    failed = [name for name, works in checks.items() if not works]
    if failed:
        raise ProblemError(UNAVAILABLE, f"not as it must be: {', '.join(failed)}")
    return Ready.model_validate(checks)


@router.get("/metrics", summary="Show what was counted", response_class=PlainTextResponse, responses=_COUNTERS)
async def metrics(context: ContextDep) -> PlainTextResponse:
    """In Prometheus' text format: counters of this process, what senders have left, and how far the history is."""
    balances = await run_in_threadpool(context.service.balances.get)
    text = context.metrics.text() + metrics_format.balances_text(balances)
    if context.service.options.ledger_seconds:
        text += await run_in_threadpool(_history_text, context)
    return PlainTextResponse(text, media_type=metrics_format.MEDIA_TYPE)


def _history_text(context: Context) -> str:
    try:
        with context.service.explorer.reading() as moment:
            view = moment.ledger()
    except (NotReadyError, StoreError):
        return metrics_format.history_text(None, is_behind=True)
    return metrics_format.history_text(view.basis.block_number, is_behind=view.problem is not None)


@router.get(PROBLEMS_PATH, include_in_schema=False)
async def problem_kinds() -> HTMLResponse:
    """Explain the kinds of problems, for people who follow a problem's type."""
    parts = "".join(
        f'<h2 id="{each.name}">{escape(each.title)}</h2><p>{each.status} · {escape(each.explanation)}</p>'
        for each in KINDS
    )
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Problems</title><h1>Problems that this service tells of</h1>{parts}</html>\n",
        headers={"Cache-Control": "public, max-age=3600"},
    )
