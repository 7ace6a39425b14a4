"""The institution's status history: what was sent to the ledger, newest first."""

from __future__ import annotations

from fastapi import APIRouter

from registry.api.answers import cursor_of, numbers_of
from registry.api.auth import Reader
from registry.api.documents import AUTHENTICATED, problems
from registry.api.routes.batches import BatchCursor, Limit
from registry.api.schemas.status import SentChanges, SentStatusChange
from registry.api.strict import StrictRoute
from registry.services.reading import read_changes

router = APIRouter(prefix="/v1/history", tags=["status"], route_class=StrictRoute)


@router.get("", summary="List what was sent to change status", responses=problems(*AUTHENTICATED))
def list_all(caller: Reader, limit: Limit = 50, cursor: BatchCursor = None) -> SentChanges:
    """One entry a transaction, the newest first: by API, and by commands that use this database.

    It is the service's own record, not the ledger's: what somebody did with the same key elsewhere is not in it. What
    is true of one credential now, `/v1/credentials/{id}/status` proves; the whole history, with nothing left out,
    `credanchor audit` proves.
    """
    before = None if cursor is None else numbers_of(cursor)[0]
    found, has_more = read_changes(caller.store, before=before, limit=limit)
    following = cursor_of(found[-1].transaction.id) if has_more else None
    return SentChanges(changes=[SentStatusChange.of(each) for each in found], next=following)
