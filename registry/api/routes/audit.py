"""The institution's audit log."""

from __future__ import annotations

from fastapi import APIRouter

from anchor.model import to_hex
from registry.api.answers import cursor_of, numbers_of
from registry.api.auth import Admin
from registry.api.documents import AUTHENTICATED, problems
from registry.api.routes.batches import BatchCursor, Limit
from registry.api.schemas.audit import AuditLine, AuditLog
from registry.api.strict import StrictRoute
from registry.store.audit_log import end_of_chain, list_entries

router = APIRouter(prefix="/v1/audit", tags=["audit log"], route_class=StrictRoute)


@router.get("", summary="List what was done", responses=problems(*AUTHENTICATED))
def list_all(caller: Admin, limit: Limit = 50, cursor: BatchCursor = None) -> AuditLog:
    """By whom, on what, when: the oldest first. `cursor` is the number of an entry: give the last one you have.

    Every write of the API leaves one entry, in the same transaction; so do the operator's commands and the workers.
    """
    after = 0 if cursor is None else numbers_of(cursor)[0]
    with caller.store.reading() as connection:
        length, head = end_of_chain(connection)
        found = list_entries(connection, after=after, limit=limit)
    has_more = bool(found) and found[-1].number < length
    return AuditLog(
        entries=[AuditLine.of(each) for each in found],
        length=length,
        head=to_hex(head),
        next=cursor_of(found[-1].number) if has_more else None,
    )
