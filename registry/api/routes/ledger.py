"""The registry's history for programs, open to all: what the service has read, and proven to be complete.

Everything comes from the database; no node is asked. Whoever does not want to believe this service takes the archive,
`/v1/ledger/events.jsonl`, and has `credanchor audit --from` prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel

from anchor.cli.histories import roles_content
from anchor.history import History
from anchor.model import MAX_UINT32, StatusPosition, hash32
from anchor.status import LIST_SIZE
from registry.api.answers import cursor_of, is_known, numbers_of, tagged
from registry.api.context import ContextDep, limited_by_address
from registry.api.documents import KNOWN, problems
from registry.api.problems import INVALID_PARAMETERS, NOT_FOUND, NOT_READY, TOO_MANY_REQUESTS, UNAVAILABLE
from registry.api.schemas.ledger import (
    AsOf,
    EpochChanged,
    Ledger,
    LedgerBatch,
    LedgerBatches,
    LedgerBatchShown,
    LedgerEvents,
    LedgerHits,
    LedgerIssuer,
    LedgerIssuers,
    LedgerIssuerShown,
    LedgerPosition,
    LedgerRoot,
    LedgerTransaction,
)
from registry.api.schemas.ledger_events import MOST_POSITIONS, EventKind, LedgerEvent
from registry.services.explorer.histories import history_of
from registry.services.explorer.queries import INCIDENTS, Explorer, Moment
from registry.services.explorer.search import MAX_TEXT, find, forms_of
from registry.services.explorer.views import EventView

router = APIRouter(prefix="/v1/ledger", tags=["ledger"], dependencies=[Depends(limited_by_address)])

CACHE: Final = "public, no-cache"
"""Anybody may keep it, and asks each time whether it still holds."""

_SHOWN_INCIDENTS: Final = 100
_HASH: Final = r"^0x[0-9a-f]{64}$"

IssuerParam = Annotated[int, Path(ge=1, le=MAX_UINT32, description="The issuer's number in the registry.")]
HashParam = Annotated[str, Path(pattern=_HASH, examples=["0x" + "5f" * 32])]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.")]

_PROBLEMS: Final = {**KNOWN, **problems(TOO_MANY_REQUESTS, INVALID_PARAMETERS, UNAVAILABLE, NOT_READY)}
_FINDING: Final = {**_PROBLEMS, **problems(NOT_FOUND)}

AnswerT = TypeVar("AnswerT", bound=BaseModel)


def _answered(model: type[BaseModel], answers: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    return {"response_class": Response, "responses": {200: {"model": model}, **answers}}


async def _answer(request: Request, context: ContextDep, make: Callable[[Moment, AsOf], BaseModel]) -> Response:
    """Answer from one moment of the database, unless the client has what that moment has."""

    def read() -> tuple[str, bytes]:
        explorer: Explorer = context.service.explorer
        with explorer.reading() as moment:
            view = moment.ledger()
            if is_known(request, f'"{view.block_tag}"'):
                return view.block_tag, b""
            answer = make(moment, AsOf.of(view))
            return view.block_tag, answer.model_dump_json(by_alias=True, exclude_unset=True).encode()

    tag, content = await run_in_threadpool(read)
    return tagged(request, content, "application/json", tag=tag, cache=CACHE)


def _history(moment: Moment, views: Collection[EventView]) -> History:
    issuers = {view.issuer_id for view in views} - {None}
    return history_of(moment, [each for each in issuers if each is not None], most_positions=MOST_POSITIONS)


def _events(moment: Moment, views: Collection[EventView]) -> list[LedgerEvent]:
    history = _history(moment, views)
    return [LedgerEvent.of(view, history) for view in views]


@router.get("", summary="Show the registry", **_answered(Ledger, _PROBLEMS))
async def show(request: Request, context: ContextDep) -> Response:
    """What the registry is, what is in it, up to which block, and what the proof that it is all rests on."""

    def make(moment: Moment, _as_of: AsOf) -> Ledger:
        return Ledger.of(moment.ledger(), roles_content(history_of(moment, [], most_positions=0)))

    return await _answer(request, context, make)


@router.get("/search", summary="Search", **_answered(LedgerHits, _PROBLEMS))
async def search(
    request: Request,
    context: ContextDep,
    q: Annotated[
        str, Query(max_length=MAX_TEXT, description="What is looked for.", examples=["did:web:college.example"])
    ],
) -> Response:
    """By a DID or a part of one, an issuer's number, a root, a transaction, an address, or a status position.

    A position is written `issuer/list/index`, or as the `id` of a credential's status entry.
    """

    def make(moment: Moment, as_of: AsOf) -> LedgerHits:
        return LedgerHits.of(as_of, forms_of(q), find(moment, q))

    return await _answer(request, context, make)


@router.get("/issuers", summary="List issuers", **_answered(LedgerIssuers, _PROBLEMS))
async def issuers(request: Request, context: ContextDep, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All that were ever accredited, in order of their numbers."""

    def make(moment: Moment, as_of: AsOf) -> LedgerIssuers:
        found = moment.issuers(after=_number(cursor) or 0, limit=limit + 1)
        following = cursor_of(found[limit - 1].issuer_id) if len(found) > limit else None
        return LedgerIssuers(as_of=as_of, issuers=[LedgerIssuer.of(each) for each in found[:limit]], next=following)

    return await _answer(request, context, make)


@router.get("/issuers/{issuer_id}", summary="Show an issuer", **_answered(LedgerIssuerShown, _FINDING))
async def issuer(request: Request, context: ContextDep, issuer_id: IssuerParam) -> Response:
    """Its accreditation, keys with the periods in which they count, and what was out of the ordinary."""

    def make(moment: Moment, as_of: AsOf) -> LedgerIssuerShown:
        incidents = moment.events(issuer_id=issuer_id, kinds=INCIDENTS, limit=_SHOWN_INCIDENTS)
        return LedgerIssuerShown(
            as_of=as_of,
            issuer=LedgerIssuer.of(moment.issuer(issuer_id)),
            incidents=_events(moment, incidents),
            epoch_changes=[EpochChanged.of(each) for each in moment.epoch_changes(issuer_id)],
        )

    return await _answer(request, context, make)


@router.get("/issuers/{issuer_id}/events", summary="List an issuer's events", **_answered(LedgerEvents, _FINDING))
async def events(
    request: Request,
    context: ContextDep,
    issuer_id: IssuerParam,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Annotated[list[EventKind] | None, Query(max_length=15, description="Only these.")] = None,
) -> Response:
    """The newest first."""

    def make(moment: Moment, as_of: AsOf) -> LedgerEvents:
        found = moment.events(issuer_id=issuer_id, kinds=kind or (), before=_number(cursor), limit=limit + 1)
        following = cursor_of(found[limit - 1].number) if len(found) > limit else None
        return LedgerEvents(as_of=as_of, events=_events(moment, found[:limit]), next=following)

    return await _answer(request, context, make)


@router.get("/issuers/{issuer_id}/batches", summary="List an issuer's batches", **_answered(LedgerBatches, _FINDING))
async def batches(
    request: Request, context: ContextDep, issuer_id: IssuerParam, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The one anchored last first. A page may have fewer than asked for: `next` says whether there are more."""

    def make(moment: Moment, as_of: AsOf) -> LedgerBatches:
        page = moment.batches(issuer_id, before=_number(cursor), limit=limit)
        following = None if page.next is None else cursor_of(page.next)
        return LedgerBatches(as_of=as_of, batches=[LedgerBatch.of(each) for each in page.batches], next=following)

    return await _answer(request, context, make)


@router.get(
    "/issuers/{issuer_id}/status/{status_list}/{index}",
    summary="Show a status position",
    **_answered(LedgerPosition, _FINDING),
)
async def position(
    request: Request,
    context: ContextDep,
    issuer_id: IssuerParam,
    status_list: Annotated[int, Path(ge=0, le=MAX_UINT32)],
    index: Annotated[int, Path(ge=0, lt=LIST_SIZE)],
) -> Response:
    """All that happened to it, and what counts now; also where nothing happened."""

    def make(moment: Moment, as_of: AsOf) -> LedgerPosition:
        view = moment.position(issuer_id, StatusPosition(status_list, index))
        return LedgerPosition.of(as_of, view, _events(moment, view.changes))

    return await _answer(request, context, make)


@router.get("/batches/{root}", summary="Show a batch", **_answered(LedgerRoot, _FINDING))
async def batch(request: Request, context: ContextDep, root: HashParam) -> Response:
    """Of each issuer that anchored this root: when, by which key, whether it counts, and all that happened to it."""

    def make(moment: Moment, as_of: AsOf) -> LedgerRoot:
        views = moment.batch(hash32(bytes.fromhex(root[2:])))
        return LedgerRoot(
            as_of=as_of,
            batches=[
                LedgerBatchShown(**LedgerBatch.of(view).model_dump(), events=_events(moment, view.events))
                for view in views
            ],
        )

    return await _answer(request, context, make)


@router.get("/transactions/{transaction}", summary="Show a transaction", **_answered(LedgerTransaction, _FINDING))
async def transaction(request: Request, context: ContextDep, transaction: HashParam) -> Response:
    """What the registry says happened in it. Which transaction an event is of, no head binds: nodes said so."""

    def make(moment: Moment, as_of: AsOf) -> LedgerTransaction:
        view = moment.transaction(hash32(bytes.fromhex(transaction[2:])))
        return LedgerTransaction(as_of=as_of, transaction=transaction, events=_events(moment, view.events))

    return await _answer(request, context, make)


def _number(cursor: str | None) -> int | None:
    return None if cursor is None else numbers_of(cursor)[0]
