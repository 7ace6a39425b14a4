"""A batch whose anchoring is void is anchored again, under the same root: holders' files verify as before."""

from __future__ import annotations

from registry.services.anchoring import Anchoring
from registry.services.issue import Anchored
from registry.store.batches import get_batch
from registry.store.engine import Store
from registry.store.records import BatchId, BatchState
from registry.store.voided import reopen_batch


def reanchor(store: Store, anchoring: Anchoring, batch_id: BatchId, *, now: int) -> Anchored:
    """Anchor a batch again. Killed at any point, the same again goes on.

    Args:
        store: The registry's database.
        anchoring: With the key that takes over; the batch must have been approved on this machine.
        batch_id: The batch; its anchoring is void on the ledger, or it is being anchored again already.
        now: Unix seconds.

    Raises:
        ConflictError: It was never anchored, or another process works on it.
        LedgerError, NotPermittedError, StoreError: As of `Anchoring.anchor`; a batch that is not void is refused there.
    """
    with store.writing() as connection:
        batch = get_batch(connection, batch_id)
        if batch.state is BatchState.ANCHORED:
            reopen_batch(connection, batch)
    return anchoring.anchor(batch_id, now=now)
