"""Idempotency keys: a write that comes a second time is not done again, but answered as the first time.

    begin   this request is being answered, by me: the same one waits until the transaction ends
    (work)
    keep    this was the answer

All in one transaction: what did not come to an answer was not begun either.

The operator's own writes count as `HOME`'s. An answer that holds a secret (a new API key) must not be kept: keep it
without the secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, select, update

from anchor.model import Hash32
from registry.errors import ConflictError
from registry.store.bulk import insert_if_new
from registry.store.connection import InstitutionConnection
from registry.store.service_tables import idempotency_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What was answered the first time."""

    status: int
    """HTTP."""
    body: bytes


def begin_request(connection: InstitutionConnection, key: str, request_hash: Hash32, *, now: int) -> KeptAnswer | None:
    """Take a request upon oneself, or learn what was answered to it.

    Args:
        connection: From `Store.writing`, of the transaction that does the work and keeps the answer.
        key: As the client gave it, up to 255 characters.
        request_hash: Of everything that makes the request what it is.
        now: Unix seconds.

    Returns:
        The answer; None: the caller is to do the work.

    Raises:
        ConflictError: The key was used for another request.
    """
    values = {
        "institution_ref": connection.institution,
        "key": key,
        "request_hash": request_hash,
        "created_at": now,
    }
    if insert_if_new(connection, idempotency_keys, values) is not None:
        return None
    row = connection.execute(select(idempotency_keys).where(*_own(connection, key))).one()
    if row.request_hash != request_hash:
        raise ConflictError(
            "this Idempotency-Key was used for another request", advice="Choose a new key for each new request."
        )
    return KeptAnswer(status=row.status, body=row.answer)


def keep_answer(connection: InstitutionConnection, key: str, answer: KeptAnswer) -> None:
    """Keep what is answered to a request that was begun in this transaction."""
    row = update(idempotency_keys).where(*_own(connection, key))
    connection.execute(row.values(status=answer.status, answer=answer.body))


def forget_answers(connection: Connection, *, before: int) -> int:
    """Forget what all institutions were answered before a time; give how many answers that were."""
    return connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before)).rowcount


def _own(connection: InstitutionConnection, key: str) -> tuple[ColumnElement[bool], ...]:
    return idempotency_keys.c.institution_ref == connection.institution, idempotency_keys.c.key == key
