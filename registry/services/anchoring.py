"""Issuing, second half: a sealed batch is anchored. Killed at any point, it goes on from where it was.

    sealed     no transaction exists                         → send one
    signed     one is kept, a node may have it               → ask; send the same bytes again if none has it
    sent       a node had it                                 → ask; wait
    anchored   the ledger says so, by event or state proof   → done
    failed     mined, but refused by the contract            → may be tried again

A batch moves on only from the state that was read: of two processes that work on one batch, one gives up before
anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from anchor.errors import LedgerError, OutcomeUnknownError, ReplacedError, RevertedError
from anchor.events import BatchAnchored
from anchor.evidence import batch_slot, key_slot
from anchor.ledger.answers import Receipt
from anchor.ledger.contract import RegistryContract, require_event
from anchor.model import Hash32
from registry.errors import BusyError, ConflictError
from registry.services.approvals import Approvals
from registry.services.issue import Anchored, read_anchored
from registry.services.ledger_state import LedgerView
from registry.services.sending import Outbox, note_mined
from registry.store.batches import get_batch, move_batch
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import BatchId, BatchRecord, BatchState, TransactionId

_TRANSACTIONS_TRIED: Final = 3
"""A transaction is replaced only when somebody uses the account without the lock; soon it is better to say so."""

Follow = Callable[[InstitutionConnection, BatchState, TransactionId | None], object]
"""Told, in the same database transaction, where a batch moves; what it raises undoes the move."""

_PROBE_ROOT: Final = Hash32(b"\xff" * 32)
"""A root that nobody has: for asking whether the registry would take one."""


class Anchoring:
    """Anchors sealed batches of one issuer.

    Args:
        store: The registry's database.
        outbox: Sends with the issuer's ANCHOR key.
        view: The registry on the ledger.
        approvals: Tells what may be signed.
    """

    def __init__(self, store: Store, outbox: Outbox, view: LedgerView, approvals: Approvals) -> None:
        self._store: Final = store
        self._outbox: Final = outbox
        self._view: Final = view
        self._approvals: Final = approvals
        self._contract: Final = RegistryContract(view.registry)

    def check_ready(self, issuer_id: int, did: str) -> None:
        """Check, before anything is sealed, that a batch could be anchored now.

        Raises:
            WrongLedgerError: Wrong chain, wrong contract, or another issuer than meant.
            RevertedError: The registry would refuse: the key, or the issuer's accreditation, is not good.
            LedgerUnavailableError: The node did not answer.
        """
        self._view.check_issuer(issuer_id, did)
        self._outbox.sender.prepare(self._contract.anchor(issuer_id=issuer_id, root=_PROBE_ROOT, size=1))

    def anchor(
        self, batch_id: BatchId, *, now: int, follow: Follow = lambda _connection, _state, _transaction: None
    ) -> Anchored:
        """Bring a batch onto the ledger, or find out that it is there.

        Args:
            batch_id: The batch.
            now: Unix seconds.
            follow: Keeps with the batch what has to move with it.

        Raises:
            NotFoundError: There is no such batch.
            ConflictError: Another process works on it, or it belongs to another registry.
            NotPermittedError: It is not what was derived from an approved roster; nothing was signed.
            StoreError: What is stored of it does not lead to its root; nothing was signed.
            RevertedError: The contract refused.
            BudgetError: The institution may not spend so much now; nothing was signed.
            BusyError: Other processes send for the account; nothing was signed.
            LedgerUnavailableError: The node did not answer; safe to try again.
            OutcomeUnknownError: Sent, but not mined yet; safe to try again.
        """
        for _ in range(_TRANSACTIONS_TRIED):
            batch = self._read(batch_id)
            if batch.state is BatchState.ANCHORED:
                return read_anchored(self._store, batch)
            try:
                return self._go_on(batch, now, follow)
            except ReplacedError:
                # Its transaction can never be mined, so that a new one cannot do it for the second time.
                self._move(self._read(batch_id), BatchState.SEALED, follow)
            except (LedgerError, ConflictError, BusyError) as error:
                error.advise(_how_to_resume(batch))
                raise
        raise OutcomeUnknownError(
            f"batch {batch_id} is not anchored: its transactions are replaced again and again",
            advice="Let nothing else send for the anchoring key's account. " + _how_to_resume(self._read(batch_id)),
        )

    def _go_on(self, batch: BatchRecord, now: int, follow: Follow) -> Anchored:
        if batch.state in {BatchState.SEALED, BatchState.FAILED}:
            try:
                batch = self._send(batch, now, follow)
            except RevertedError as error:
                if error.name == "AlreadyAnchored":
                    return self._note_already_anchored(batch, error, follow)
                raise
        if batch.transaction is None:
            raise ConflictError(f"batch {batch.id} is {batch.state.value}, but no transaction is kept for it")
        try:
            receipt = self._outbox.settle(batch.transaction)
        except RevertedError as error:
            self._move(batch, BatchState.FAILED, follow, failure=str(error))
            raise
        return self._note_anchored(batch, batch.transaction, receipt, follow)

    def _send(self, batch: BatchRecord, now: int, follow: Follow) -> BatchRecord:
        self._approvals.require(self._store, batch)
        call = self._contract.anchor(issuer_id=batch.issuer.issuer_id, root=batch.root, size=batch.size)
        self._outbox.send(call, partial(_keep_signed, batch, follow), now=now)
        signed = self._read(batch.id)
        self._move(signed, BatchState.SENT, follow)
        return self._read(batch.id)

    def _note_anchored(
        self, batch: BatchRecord, transaction: TransactionId, receipt: Receipt, follow: Follow
    ) -> Anchored:
        event = require_event(receipt, self._view.registry, BatchAnchored)
        if (event.issuer_id, event.root, event.size) != (batch.issuer.issuer_id, batch.root, batch.size):
            raise LedgerError(f"the transaction of batch {batch.id} anchored something else")
        with self._store.writing() as connection:
            note_mined(connection, transaction, receipt)
            move_batch(connection, batch, BatchState.ANCHORED, anchored_at=event.at)
            follow(connection, BatchState.ANCHORED, transaction)
        return read_anchored(self._store, self._read(batch.id))

    def _note_already_anchored(self, batch: BatchRecord, refusal: RevertedError, follow: Follow) -> Anchored:
        """Believe state proofs, not the node's words: with another size, or void, the credentials would not verify."""
        slot = batch_slot(batch.issuer.issuer_id, batch.root)
        proven = self._view.state([slot]).batch(batch.issuer.issuer_id, batch.root)
        if proven.anchored_at == 0 or proven.size != batch.size:
            raise refusal
        cut_off = self._view.state([key_slot(proven.key)]).key(proven.key).cut_off
        if cut_off is not None and cut_off <= proven.anchored_at:
            raise ConflictError(
                f"batch {batch.id} cannot be anchored again: its anchoring is void, and it is revoked as a whole",
                advice="If a thief revoked it with a status key, undo that first: credanchor incident status-key.",
            ) from refusal
        self._move(batch, BatchState.ANCHORED, follow, anchored_at=proven.anchored_at)
        return read_anchored(self._store, self._read(batch.id))

    def _read(self, batch_id: BatchId) -> BatchRecord:
        with self._store.reading() as connection:
            batch = get_batch(connection, batch_id)
        if batch.issuer.registry != self._view.registry:
            raise ConflictError(
                f"batch {batch_id} was sealed for the registry {batch.issuer.registry.to_text()}",
                advice="Use the settings that it was sealed with.",
            )
        return batch

    def _move(
        self,
        batch: BatchRecord,
        state: BatchState,
        follow: Follow,
        *,
        anchored_at: int | None = None,
        failure: str | None = None,
    ) -> None:
        with self._store.writing() as connection:
            move_batch(connection, batch, state, anchored_at=anchored_at, failure=failure)
            follow(connection, state, batch.transaction)


def _keep_signed(
    batch: BatchRecord, follow: Follow, connection: InstitutionConnection, transaction: TransactionId
) -> None:
    move_batch(connection, batch, BatchState.SIGNED, transaction=transaction)
    follow(connection, BatchState.SIGNED, transaction)


def _how_to_resume(batch: BatchRecord) -> str:
    return (
        f"Batch {batch.id} is kept whole; go on with `credanchor issue --resume {batch.id}`: nothing is issued twice."
    )
