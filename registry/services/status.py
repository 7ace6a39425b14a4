"""Revoking, suspending and reinstating: by file, even with the database gone, or by id from the database.

    1  targets    from a file: it must be this issuer's, and unaltered up to its root; from the database: an id
    2  settle     earlier status transactions whose fate is not known
    3  prove      the batches are anchored by this issuer; how the bits stand
    4  send       one transaction for each status list, whatever the number of credentials

A file is believed in nothing but what leads to the ledger: a forged one could otherwise have somebody else's credential
revoked. What stands in its way: its leaf, which holds the status position, is included under its root (1), and this
issuer anchored the root (3).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from anchor.credential import parse_credential
from anchor.errors import InclusionError, LedgerError, MalformedError, NotAnchoredError, ReplacedError, RevertedError
from anchor.events import CredentialsReinstated, CredentialsRevoked, CredentialsSuspended, StatusChanged
from anchor.evidence import EvidenceRequest, LedgerState, batch_slot, issuer_slot, word_slot
from anchor.ledger.answers import Receipt
from anchor.ledger.contract import RegistryContract, require_event
from anchor.merkle import check_inclusion
from anchor.model import Hash32, StatusPosition
from anchor.status import StatusPurpose, StatusReason, group_positions, positions_of, word_of
from registry.errors import NotFoundError, NotPermittedError
from registry.services.ledger_state import LedgerView
from registry.services.sending import Outbox, note_mined
from registry.services.stored import anchor_proof
from registry.store.batches import get_batch, get_credential, issuer_ref, prove
from registry.store.engine import Store
from registry.store.records import StatusKind, TransactionId
from registry.store.transactions import keep_status_changes, open_status_transactions

_UUID: Final = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)

_EVENTS: Final[dict[StatusKind, type[StatusChanged]]] = {
    StatusKind.REVOKE: CredentialsRevoked,
    StatusKind.SUSPEND: CredentialsSuspended,
    StatusKind.REINSTATE: CredentialsReinstated,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusTarget:
    """A credential whose status is to change."""

    name: str
    """What the person called it: a file's name or an id."""
    request: EvidenceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOutcome:
    """What came of a change."""

    changed: tuple[StatusTarget, ...]
    refused: tuple[tuple[StatusTarget, str], ...]
    """Those that nothing was done for, with the reason in plain words."""
    receipts: tuple[Receipt, ...]
    """Of the transactions, one for each status list."""


class StatusService:
    """Changes the status of one issuer's credentials.

    Args:
        store: The registry's database; may be empty.
        outbox: Sends with the issuer's STATUS key.
        view: The registry on the ledger.
        issuer_id: The issuer.
    """

    def __init__(self, store: Store, outbox: Outbox, view: LedgerView, issuer_id: int) -> None:
        self._store: Final = store
        self._outbox: Final = outbox
        self._view: Final = view
        self._issuer_id: Final = issuer_id
        self._contract: Final = RegistryContract(view.registry)

    def target_of_file(self, name: str, data: bytes) -> StatusTarget:
        """Take a credential file as a target.

        Raises:
            MalformedError: It is no credential.
            NotPermittedError: It has no anchor proof of this issuer on this registry.
            InclusionError: It was altered.
        """
        try:
            credential = parse_credential(data)
            for request in credential.requests:
                if (request.proof.registry, request.proof.issuer_id) == (self._view.registry, self._issuer_id):
                    check_inclusion(credential.leaf(request), request.proof.inclusion, request.proof.root)
                    return StatusTarget(name=name, request=request)
        except (MalformedError, InclusionError) as error:
            raise type(error)(f"{name}: {error}", advice=error.advice) from error
        raise NotPermittedError(
            f"{name} was not anchored by issuer {self._issuer_id} on the registry {self._view.registry.to_text()}",
            advice="Only the institution that issued a credential can change its status.",
        )

    def target_of_id(self, text: str) -> StatusTarget:
        """Take a credential from the database as a target.

        Args:
            text: `urn:uuid:…`, or the UUID alone.

        Raises:
            NotFoundError: It is no such id, or the database has no such credential.
            NotPermittedError: It belongs to another issuer or registry than the settings name.
        """
        match = _UUID.fullmatch(text)
        if match is None:
            raise NotFoundError(
                f"{text[:100]} is neither a file nor the id of a credential",
                advice="Give a credential file, or an id as urn:uuid:….",
            )
        with self._store.reading() as connection:
            credential = get_credential(connection, UUID(match[1]))
            batch = get_batch(connection, credential.batch)
            proof = prove(connection, batch, credential.leaf_index)
        if (batch.issuer.registry, batch.issuer.issuer_id) != (self._view.registry, self._issuer_id):
            raise NotPermittedError(f"{text} belongs to another issuer or registry than the settings name")
        request = EvidenceRequest(proof=anchor_proof(batch, credential, proof), position=credential.position)
        return StatusTarget(name=text, request=request)

    def change(
        self, targets: Sequence[StatusTarget], kind: StatusKind, reason: StatusReason, *, now: int
    ) -> StatusOutcome:
        """Change the status of credentials; each that it would not change is passed over and named.

        Args:
            targets: From `target_of_file` and `target_of_id`.
            kind: What to do.
            reason: Why; it stands on the ledger for ever.
            now: Unix seconds.

        Raises:
            NotAnchoredError: A batch is not on the ledger; nothing was sent.
            RevertedError: The contract refused.
            LedgerUnavailableError: The node did not answer; safe to try again.
            OutcomeUnknownError: Sent, but not mined yet; trying again finds out.
        """
        self._settle_earlier()
        unique = {target.request.position: target for target in targets}
        standing = self._standing([target.request for target in unique.values()])
        refused = [
            (target, why) for target in unique.values() if (why := _why_not(kind, *standing[target.request.position]))
        ]
        passed_over = {target.request.position for target, _ in refused}
        changed = [target for position, target in unique.items() if position not in passed_over]
        receipts = [
            self._send(kind, reason, status_list, words, now)
            for status_list, words in group_positions(target.request.position for target in changed).items()
        ]
        return StatusOutcome(changed=tuple(changed), refused=tuple(refused), receipts=tuple(receipts))

    def _settle_earlier(self) -> None:
        sender = self._outbox.sender
        with self._store.reading() as connection:
            records = open_status_transactions(connection, sender.chain_id, sender.address)
        for record in records:
            try:
                self._finish(record.id)
            except (RevertedError, ReplacedError):
                continue  # noted; what it was to change is asked for again, or is no longer wanted

    def _standing(self, requests: Sequence[EvidenceRequest]) -> dict[StatusPosition, tuple[bool, bool]]:
        """Prove that the batches are anchored, and for each position whether it is revoked and suspended."""
        batches = {request.proof.root: request.proof.inclusion.size for request in requests}
        state = self._view.state(
            [issuer_slot(self._issuer_id), *(batch_slot(self._issuer_id, root) for root in batches)]
        )
        for root, size in batches.items():
            batch = state.batch(self._issuer_id, root)
            if batch.anchored_at == 0 or batch.size != size:
                raise NotAnchoredError(
                    "a credential's batch is not on the ledger, so that there is no status to change",
                    advice="Anchor it first (`credanchor issue --resume`), or check that the file is genuine.",
                )
        epoch = state.issuer(self._issuer_id).status_epoch
        positions = [request.position for request in requests]
        bits = self._view.state(
            {
                slot
                for position in positions
                for slot in (_word_slot(purpose, self._issuer_id, epoch, position) for purpose in StatusPurpose)
            }
        )
        return {position: self._bits(bits, epoch, position) for position in positions}

    def _bits(self, state: LedgerState, epoch: int, position: StatusPosition) -> tuple[bool, bool]:
        return (
            state.bit(StatusPurpose.REVOCATION, self._issuer_id, epoch, position),
            state.bit(StatusPurpose.SUSPENSION, self._issuer_id, epoch, position),
        )

    def _send(
        self, kind: StatusKind, reason: StatusReason, status_list: int, words: dict[int, int], now: int
    ) -> Receipt:
        encode = {
            StatusKind.REVOKE: self._contract.revoke,
            StatusKind.SUSPEND: self._contract.suspend,
            StatusKind.REINSTATE: self._contract.reinstate,
        }[kind]
        call = encode(
            issuer_id=self._issuer_id,
            status_list=status_list,
            words=list(words),
            masks=list(words.values()),
            reason=reason.value,
        )
        keep = partial(self._keep, kind, reason, status_list, words)
        receipt = self._finish(self._outbox.send(call, keep, now=now))
        event = require_event(receipt, self._view.registry, _EVENTS[kind])
        if (event.issuer_id, event.status_list) != (self._issuer_id, status_list):
            raise LedgerError(f"the transaction to {kind.value} changed the status of something else")
        return receipt

    def _finish(self, transaction: TransactionId) -> Receipt:
        receipt = self._outbox.settle(transaction)
        with self._store.writing() as connection:
            note_mined(connection, transaction, receipt)
        return receipt

    def _keep(
        self,
        kind: StatusKind,
        reason: StatusReason,
        status_list: int,
        words: dict[int, int],
        connection: Connection,
        transaction: TransactionId,
    ) -> None:
        issuer = issuer_ref(connection, self._view.registry, self._issuer_id)
        positions = (position for word, mask in words.items() for position in positions_of(status_list, word, mask))
        keep_status_changes(connection, transaction, issuer, positions, kind, reason.value)


def _word_slot(purpose: StatusPurpose, issuer_id: int, epoch: int, position: StatusPosition) -> Hash32:
    return word_slot(purpose, issuer_id, epoch, position.status_list, word_of(position.index))


def _why_not(kind: StatusKind, revoked: bool, suspended: bool) -> str:
    """Say why a change would change nothing; empty if it would."""
    if revoked:
        return "is already revoked" if kind is StatusKind.REVOKE else "is revoked, and revocation is permanent"
    if kind is StatusKind.SUSPEND and suspended:
        return "is already suspended"
    if kind is StatusKind.REINSTATE and not suspended:
        return "is not suspended"
    return ""
