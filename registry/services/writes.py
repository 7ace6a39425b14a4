"""Writes that are done once: the same request that comes again under its key is answered as before, and not done again.

Upholds: the work, the answer to it and what the audit log says of it are kept in one transaction, or nothing of it is.
"""

from __future__ import annotations

from collections.abc import Callable

from anchor.model import Hash32
from registry.store.connection import InstitutionConnection
from registry.store.idempotency import KeptAnswer, begin_request, keep_answer


def write_once(
    connection: InstitutionConnection,
    key: str | None,
    request_hash: Hash32,
    do: Callable[[], KeptAnswer],
    *,
    now: int,
) -> tuple[KeptAnswer, bool]:
    """Do a write, unless it was done before.

    Args:
        connection: From `Store.writing`; another request with the same key waits until its transaction ends.
        key: The client's `Idempotency-Key`; None: it has none, and the write is done in any case.
        request_hash: Of everything that makes the request what it is.
        do: Does it in this transaction, and says what is answered; never a secret, for the answer is kept.
        now: Unix seconds.

    Returns:
        The answer; and whether it is that of an earlier time.

    Raises:
        ConflictError: The key was used for another request.
    """
    if key is None:
        return do(), False
    kept = begin_request(connection, key, request_hash, now=now)
    if kept is not None:
        return kept, True
    answer = do()
    keep_answer(connection, key, answer)
    return answer, False
