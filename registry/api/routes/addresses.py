"""Addresses of learners' pages, for the institution: told, renewed, withdrawn; of one credential or a whole batch.

An address is a secret of the learner's: it is in answers, and in nothing that is kept or logged.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from anchor.cells import as_cell
from registry.api.auth import Caller, Issuing, Reader
from registry.api.context import ContextDep
from registry.api.documents import AUTHENTICATED, problems
from registry.api.problems import BUSY, CONFLICT, NOT_FOUND, UNAVAILABLE
from registry.api.routes.batches import RootParam, counted, root_of
from registry.api.routes.credentials import Id
from registry.api.schemas.pages import URL_EXAMPLE, LearnerPage, LearnerPageLine
from registry.api.strict import StrictRoute
from registry.api.writes import WRITE_HEADERS, IdempotencyKey, answer_write
from registry.services.learner_pages import Address, AddressOfBatch
from registry.services.reading import read_batch
from registry.store.audit_log import append_entry
from registry.store.connection import InstitutionConnection

router = APIRouter(prefix="/v1", tags=["pages"], route_class=StrictRoute)

_LINES_A_PIECE: Final = 500
_COLUMNS: Final = ("id", "name", "email", "url")
_WRITTEN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "As it is now", "headers": WRITE_HEADERS},
    **problems(*AUTHENTICATED, NOT_FOUND, CONFLICT),
}
_LINE: Final = {
    "id": "urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11",
    "name": "Zoë Tremblay",
    "email": "zoe@example.org",
    "url": URL_EXAMPLE,
}
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A line for each credential, in the order of leaves",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": f"id,name,email,url\r\n{','.join(_LINE.values())}\r\n",
            },
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": f"{json.dumps(_LINE, ensure_ascii=False)}\n",
            },
        },
    },
    **problems(*AUTHENTICATED, NOT_FOUND, UNAVAILABLE, BUSY),
}

_Change = Callable[[InstitutionConnection], Address]


@router.get(
    "/credentials/{id}/page", summary="Show a learner's page's address", responses=problems(*AUTHENTICATED, NOT_FOUND)
)
def show(caller: Reader, id: Id) -> LearnerPage:  # noqa: A002 - the name in the address
    """Whoever knows the address sees the credential: give it to the learner, who decides who else shall know it."""
    return LearnerPage.of(caller.service.pages_of(caller.store).read(id))


@router.post(
    "/credentials/{id}/page", summary="Renew a learner's page's address", response_model=LearnerPage, responses=_WRITTEN
)
def renew(caller: Issuing, request: Request, id: Id, idempotency_key: IdempotencyKey = None) -> Response:  # noqa: A002
    """From now on the credential is shown at another address, and the old one leads nowhere; also after a withdrawal.

    Sent again with the same `Idempotency-Key`, the answer is as things are by then, for no address is kept.
    """
    change = partial(caller.service.pages_of(caller.store).renew, uuid=id, now=caller.service.now())
    return _changed(caller, request, idempotency_key, id, change, "page.renew")


@router.delete(
    "/credentials/{id}/page", summary="Withdraw a learner's page", response_model=LearnerPage, responses=_WRITTEN
)
def withdraw(caller: Issuing, request: Request, id: Id, idempotency_key: IdempotencyKey = None) -> Response:  # noqa: A002
    """From now on the credential is shown nowhere, until its address is renewed. It stays as valid as it is."""
    change = partial(caller.service.pages_of(caller.store).withdraw, uuid=id, now=caller.service.now())
    return _changed(caller, request, idempotency_key, id, change, "page.withdraw")


def _changed(caller: Caller, request: Request, key: str | None, uuid: UUID, change: _Change, action: str) -> Response:
    def do(connection: InstitutionConnection) -> LearnerPage:
        changed = LearnerPage.of(change(connection))
        append_entry(connection, at=caller.service.now(), actor=caller.actor, action=action, subject=uuid.urn)
        # What is kept, and answered another time, has no address in it.
        return changed.model_copy(update={"url": None})

    answer = answer_write(caller, request, key, None, do)
    page = LearnerPage.of(caller.service.pages_of(caller.store).read(uuid))
    headers = {name: value for name, value in answer.headers.items() if name not in {"content-length", "content-type"}}
    return Response(
        page.model_dump_json(by_alias=True),
        status_code=answer.status_code,
        media_type="application/json",
        headers=headers,
    )


@router.get(
    "/batches/{root}/pages",
    summary="List the addresses of a batch's learners' pages",
    response_class=StreamingResponse,
    responses=_STREAM,
)
def of_batch(
    caller: Reader,
    context: ContextDep,
    root: RootParam,
    form: Annotated[
        Literal["csv", "ndjson"], Query(alias="format", description="A table for mail merges, or JSON, line by line.")
    ] = "csv",
) -> Response:
    """With names and e-mails, to tell each learner theirs. Those who were erased are left out."""
    service = caller.service
    found = service.pages_of(caller.store).of_batch(read_batch(caller.store, root_of(root)))
    if form == "ndjson":
        return StreamingResponse(counted(context, _pieces(found, _as_json)), media_type="application/x-ndjson")
    headers = {"Content-Disposition": f'attachment; filename="pages-{root[2:18]}.csv"'}
    pieces = counted(context, _pieces(found, _as_csv, _row(_COLUMNS)))
    return StreamingResponse(pieces, media_type="text/csv", headers=headers)


def _as_json(each: AddressOfBatch) -> str:
    return LearnerPageLine.of(each).model_dump_json(by_alias=True) + "\n"


def _as_csv(each: AddressOfBatch) -> str:
    # A spreadsheet would run a name that begins like a formula.
    named = (each.recipient_name, each.recipient_email or "")
    return _row((each.credential.urn, *map(as_cell, named), each.url or ""))


def _row(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _pieces(
    found: Generator[AddressOfBatch], to_line: Callable[[AddressOfBatch], str], head: str = ""
) -> Generator[bytes]:
    with closing(found):
        waiting = [head]
        for each in found:
            waiting.append(to_line(each))
            if len(waiting) > _LINES_A_PIECE:
                yield "".join(waiting).encode()
                waiting.clear()
        yield "".join(waiting).encode()
