"""Idempotency keys: a write that comes a second time is not done again, but answered as the first time.

    begin   in a transaction of its own: this request is being answered, by me, until then
    (work)
    keep    in the transaction that does the work, or after it: this was the answer

The operator's own writes count as `HOME`'s. An answer that holds a secret (a new API key) must not be kept: keep it
without the secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

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


def begin_request(
    connection: InstitutionConnection, key: str, request_hash: Hash32, *, now: int, lease_seconds: int
) -> KeptAnswer | None:
    """Take a request upon oneself, or learn what was answered to it.

    Args:
        connection: From `Store.writing`, of a transaction that ends before the work begins.
        key: As the client gave it, up to 255 characters.
        request_hash: Of everything that makes the request what it is.
        now: Unix seconds.
        lease_seconds: After so long without answer it is taken that whoever began has died, and may be begun again.

    Returns:
        The answer; None: the caller is to do the work.

    Raises:
        ConflictError: The key was used for another request, or this one is being answered at this moment.
    """
    values = {
        "institution_ref": connection.institution,
        "key": key,
        "request_hash": request_hash,
        "leased_until": now + lease_seconds,
        "created_at": now,
    }
    if insert_if_new(connection, idempotency_keys, values) is not None:
        return None
    own = (idempotency_keys.c.institution_ref == connection.institution, idempotency_keys.c.key == key)
    row = connection.execute(select(idempotency_keys).where(*own).with_for_update()).one()
    if row.request_hash != request_hash:
        raise ConflictError(
            "this Idempotency-Key was used for another request", advice="Choose a new key for each new request."
        )
    if row.status is not None:
        return KeptAnswer(status=row.status, body=row.answer)
    if now < row.leased_until:
        raise ConflictError("the same request is being answered at this moment", advice="Wait, then try again.")
    connection.execute(update(idempotency_keys).where(*own).values(leased_until=now + lease_seconds))
    return None


def keep_answer(connection: InstitutionConnection, key: str, answer: KeptAnswer) -> None:
    """Keep what was answered.

    Raises:
        ConflictError: Somebody else answered meanwhile, after the lease: this transaction must not be kept.
    """
    row = update(idempotency_keys).where(
        idempotency_keys.c.institution_ref == connection.institution,
        idempotency_keys.c.key == key,
        idempotency_keys.c.status.is_(None),
    )
    if connection.execute(row.values(status=answer.status, answer=answer.body)).rowcount != 1:
        raise ConflictError("the same request was answered by another process meanwhile")


def give_up_request(connection: InstitutionConnection, key: str) -> None:
    """Forget a request that was begun and not answered: it failed, and may be tried again at once."""
    connection.execute(
        delete(idempotency_keys).where(
            idempotency_keys.c.institution_ref == connection.institution,
            idempotency_keys.c.key == key,
            idempotency_keys.c.status.is_(None),
        )
    )


def forget_answers(connection: Connection, *, before: int) -> int:
    """Forget what all institutions were answered before a time; give how many answers that were."""
    return connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before)).rowcount
