"""Institutions: each sees its own, and what the ledger says of it; the operator sees, adds, changes and closes all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from anchor.model import KeyScope
from registry.api.answers import cursor_of, numbers_of
from registry.api.auth import AnybodyWith, Caller, Operator, OperatorWith, Reader
from registry.api.documents import AUTHENTICATED, LEDGER, problems
from registry.api.problems import CONFLICT, FORBIDDEN, MALFORMED, NOT_FOUND, ProblemError
from registry.api.routes.batches import BatchCursor, Limit
from registry.api.schemas.institutions import Institution, InstitutionChange, Institutions, Keys, NewInstitution
from registry.api.strict import StrictRoute
from registry.api.writes import MADE_HEADERS, WRITE_HEADERS, IdempotencyKey, answer_write
from registry.errors import NotFoundError
from registry.services import hosting
from registry.services.governance import Governance
from registry.services.issuer_keys import read_issuer
from registry.services.operation import spent_wei
from registry.store.api_keys import Scope
from registry.store.connection import InstitutionConnection
from registry.store.institutions import (
    InstitutionDetails,
    InstitutionRecord,
    find_institution,
    own_institution,
    page_of_institutions,
)

router = APIRouter(prefix="/v1", tags=["institutions"], route_class=StrictRoute)

_Code = Annotated[str, Path(pattern="^[a-z0-9-]{1,64}$", examples=["riverside"])]
_ReadingAnybody = Annotated[Caller | Operator, Depends(AnybodyWith(Scope.READ))]
_DecidingAnybody = Annotated[Caller | Operator, Depends(AnybodyWith(Scope.ADMIN))]
_DecidingOperator = Annotated[Operator, Depends(OperatorWith(Scope.ADMIN))]

_OF_THE_INSTITUTION = frozenset({"url"})
"""What it may change itself: it says nothing of who the institution is, and nothing costs the operator anything."""


@router.get("/institutions", summary="List the institutions that the key may see", responses=problems(*AUTHENTICATED))
def list_all(who: _ReadingAnybody, limit: Limit = 50, cursor: BatchCursor = None) -> Institutions:
    """The key's own institution; with the operator's key all of them, in the order in which they were added."""
    service = who.service
    if isinstance(who, Caller):
        return Institutions(institutions=[_shown(who, _own(who))], next=None)
    with service.store.operator_reading() as connection:
        found = page_of_institutions(connection, after=0 if cursor is None else numbers_of(cursor)[0], limit=limit + 1)
    following = cursor_of(found[limit - 1].id) if len(found) > limit else None
    return Institutions(institutions=[_shown(who, each) for each in found[:limit]], next=following)


@router.post(
    "/institutions",
    summary="Add an institution",
    status_code=201,
    response_model=Institution,
    responses={
        201: {"description": "It is added", "headers": MADE_HEADERS},
        **problems(*AUTHENTICATED, MALFORMED, CONFLICT),
    },
)
def add(
    who: _DecidingOperator, request: Request, asked: NewInstitution, idempotency_key: IdempotencyKey = None
) -> Response:
    """With the operator's key. Its first API keys, and the keys that it signs with, the operator names by commands."""
    details, now = InstitutionDetails(**asked.changes()), who.service.now()

    def do(connection: InstitutionConnection) -> Institution:
        return _shown(who, hosting.add(connection.plain, asked.code, details, actor=who.actor, now=now))

    return answer_write(
        who,
        request,
        idempotency_key,
        asked,
        do,
        status=201,
        location=lambda answer: f"/v1/institutions/{answer['code']}",
    )


@router.get("/institutions/{code}", summary="Show an institution", responses=problems(*AUTHENTICATED, NOT_FOUND))
def show(who: _ReadingAnybody, code: _Code) -> Institution:
    """The key's own institution, by its code; of others nothing is told, not even whether they exist."""
    if isinstance(who, Operator):
        with who.service.store.operator_reading() as connection:
            return _shown(who, find_institution(connection, code))
    return _shown(who, _named(_own(who), code))


@router.patch(
    "/institutions/{code}",
    summary="Change what is said of an institution",
    response_model=Institution,
    responses={
        200: {"description": "It is so from now on", "headers": WRITE_HEADERS},
        **problems(*AUTHENTICATED, MALFORMED, NOT_FOUND, CONFLICT),
    },
)
def change(
    who: _DecidingAnybody,
    request: Request,
    code: _Code,
    asked: InstitutionChange,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """An institution changes its `url`; with the operator's key everything can be changed but the code.

    What was issued stays as it is.
    """
    changes, now = asked.changes(), who.service.now()

    def do(connection: InstitutionConnection) -> Institution:
        if isinstance(who, Caller):
            record = _named(own_institution(connection), code)
            _require_own_matters(changes.keys())
        else:
            record = find_institution(connection.plain, code)
        details = replace(record.details, **changes)
        return _shown(who, hosting.change(connection.plain, record, details, actor=who.actor, now=now))

    return answer_write(who, request, idempotency_key, asked, do)


@router.post(
    "/institutions/{code}/close",
    summary="Close an institution",
    response_model=Institution,
    responses={
        200: {"description": "It is closed", "headers": WRITE_HEADERS},
        **problems(*AUTHENTICATED, NOT_FOUND, CONFLICT),
    },
)
def close(who: _DecidingOperator, request: Request, code: _Code, idempotency_key: IdempotencyKey = None) -> Response:
    """With the operator's key: its keys open nothing any more; what it issued still verifies. Twice is as once."""
    now = who.service.now()

    def do(connection: InstitutionConnection) -> Institution:
        record = find_institution(connection.plain, code)
        if record.closed_at is None:
            record = hosting.close(connection.plain, code, actor=who.actor, now=now)
        return _shown(who, record)

    return answer_write(who, request, idempotency_key, None, do)


@router.get(
    "/keys",
    summary="Show the institution's keys on the ledger",
    responses=problems(*AUTHENTICATED, *LEDGER, NOT_FOUND),
)
async def keys(caller: Reader) -> Keys:
    """The institution as an issuer, and the keys that it signs with: proven at the newest block."""
    return await caller.ask_ledger(partial(_keys, caller))


def _keys(caller: Reader) -> Keys:
    details = caller.service.profile(_own(caller))
    view = caller.service.view_of(details.registry or caller.service.registry)
    references = [(KeyScope.ANCHOR, details.anchor_key), (KeyScope.STATUS, details.status_key)]
    return Keys.of(read_issuer(Governance(view), details.issuer_id, references, caller.service.settings.home))


def _own(caller: Caller) -> InstitutionRecord:
    with caller.store.reading() as connection:
        return own_institution(connection)


def _shown(who: Caller | Operator, record: InstitutionRecord) -> Institution:
    service = who.service
    details = service.profile(record)
    chain_id = (details.registry or service.registry).chain_id
    spent = spent_wei(service.store, record, chain_id, now=service.now())
    return Institution.of(record, details, spent)


def _named(record: InstitutionRecord, code: str) -> InstitutionRecord:
    if record.code != code:
        raise NotFoundError("the API key is for another institution, or there is none of this code")
    return record


def _require_own_matters(names: Iterable[str]) -> None:
    if not _OF_THE_INSTITUTION.issuperset(names):
        raise ProblemError(FORBIDDEN, "an institution changes its url; everything else is the operator's to say")
