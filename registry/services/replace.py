"""Replacing a credential that has a mistake in it: the corrected one is issued, then the old one revoked, both linked.

    1  seal     the corrected credential, a batch of its own; the link is kept in the same database transaction
    2  anchor   that batch
    3  revoke   the old credential

In this order, so that the learner never has nothing. Killed at any point, the same again goes on: step 1 is found by
its link, 2 and 3 know for themselves what is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from anchor.canonical import JsonObject
from anchor.identity import normalize_email
from anchor.ledger.answers import Receipt
from anchor.status import StatusReason
from registry.errors import ConflictError, InputFormatError
from registry.services.anchoring import Anchoring
from registry.services.approvals import Approvals
from registry.services.credentials import CredentialFrame
from registry.services.find import Found
from registry.services.issue import Anchored, seal_batch
from registry.services.recipient import Recipient, recipient_from
from registry.services.rosters.cells import CellError
from registry.services.spool import RecipientSpool
from registry.services.standing import CredentialState
from registry.services.status import StatusService
from registry.services.stored import credential_file
from registry.services.targets import of_record
from registry.store.batches import get_batch, get_credential, iterate_credentials
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import BatchRecord, BatchState, CredentialRecord, StatusKind
from registry.store.replacements import keep_replacement, successor_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is to take a credential's place."""

    old: Found
    achievement: JsonObject
    recipient: Recipient
    begun: BatchRecord | None
    """The batch of the new credential, where an earlier run sealed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What came of it."""

    old: UUID
    new: UUID
    anchored: Anchored
    receipts: Sequence[Receipt]
    """Of the revocation; empty when an earlier run did it."""


def read_correction(store: Store, uuid: UUID, *, name: str | None, email: str | None) -> Correction:
    """Take a credential of the database, with what is to be different.

    Args:
        store: The registry's database.
        uuid: Of the credential with the mistake.
        name: The right name; None: as it is.
        email: The right e-mail; None: as it is.

    Raises:
        NotFoundError: There is no such credential.
        ConflictError: It cannot be replaced, or would stay as it is, or is being replaced by something else.
    """
    with store.reading() as connection:
        credential = get_credential(connection, uuid)
        batch = get_batch(connection, credential.batch)
        _check_replaceable(credential, batch)
        value: JsonObject = json.loads(credential_file(connection, batch, credential))
        successor = successor_of(connection, uuid)
        new = None if successor is None else get_credential(connection, successor)
        begun = None if new is None else get_batch(connection, new.batch)
    before = recipient_from(credential.recipient_name, credential.recipient_email, credential.details)
    recipient = before._replace(
        name=before.name if name is None else name,
        email=before.email if email is None else email,
        # All else stays, also what it had from its batch.
        valid_from=batch.sealed_at if before.valid_from is None else before.valid_from,
    )
    if new is not None and (new.recipient_name, _normal(new.recipient_email)) != (
        recipient.name,
        _normal(recipient.email),
    ):
        raise ConflictError(
            f"{uuid.urn} was replaced already, by {new.uuid.urn}, with another name or e-mail than this",
            advice=f"If that has a mistake too, replace it: credanchor replace {new.uuid.urn} …",
        )
    if (recipient.name, recipient.email) == (before.name, before.email):
        raise ConflictError("the credential has this name and e-mail already: nothing would be corrected")
    return Correction(
        old=Found(credential=credential, batch=batch),
        achievement=value["credentialSubject"]["achievement"],
        recipient=recipient,
        begun=begun,
    )


def read_text(text: str | None, read: Callable[[object], str | None], what: str) -> str | None:
    """Check a corrected name or e-mail as a roster's.

    Args:
        text: As given, or None.
        read: `read_name` or `read_email` of `registry.services.rosters.cells`.
        what: `name` or `e-mail`, for the message.

    Raises:
        InputFormatError: It cannot be used.
    """
    try:
        return None if text is None else read(text)
    except CellError as error:
        raise InputFormatError(f"the {what} {error}", advice=error.hint) from error


def check_replaceable(correction: Correction, state: CredentialState | None) -> None:
    """Check that a replacement may begin, by how the old credential stands.

    Raises:
        ConflictError: It is revoked or suspended: a new one would undo that.
    """
    if correction.begun is None and state is not CredentialState.ACTIVE:
        raise ConflictError(
            f"{correction.old.credential.uuid.urn} is not active ({'unknown' if state is None else state.value}): "
            "a new one in its place would undo that",
            advice="Reinstate it first if it is suspended; if it is revoked, issue anew with `credanchor issue`.",
        )


class Replacer:
    """Replaces credentials of one issuer.

    Args:
        store: The registry's database.
        approvals: Approves the new one.
        anchoring: Anchors it.
        status: Revokes the old one.
    """

    def __init__(self, store: Store, approvals: Approvals, anchoring: Anchoring, status: StatusService) -> None:
        self._store: Final = store
        self._approvals: Final = approvals
        self._anchoring: Final = anchoring
        self._status: Final = status

    def replace(self, correction: Correction, frame: CredentialFrame, reason: StatusReason, *, now: int) -> Replaced:
        """Issue the corrected credential, then revoke the old one; or do what an earlier run left of that.

        Args:
            correction: From `read_correction`, checked by `check_replaceable`.
            frame: The correction's achievement, put into what this issuer's credentials have in common.
            reason: Of the revocation.
            now: Unix seconds.

        Raises:
            ConflictError: Another process is replacing it.
            RevertedError: The contract refused.
            LedgerUnavailableError: The node did not answer; the same again goes on.
            OutcomeUnknownError: Sent, but not mined yet; the same again goes on.
        """
        old = correction.old.credential

        def link(connection: InstitutionConnection, batch: BatchRecord) -> None:
            (new,) = iterate_credentials(connection, batch.id)
            keep_replacement(connection, old.uuid, new.uuid)

        # 1
        batch = correction.begun or seal_batch(
            self._store,
            frame,
            RecipientSpool.of([correction.recipient]),
            approvals=self._approvals,
            again=True,
            keep=link,
        )
        # 2
        anchored = self._anchoring.anchor(batch.id, now=now)
        # 3
        target = of_record(old, correction.old.batch)
        plan = self._status.plan([target], StatusKind.REVOKE, reason)
        receipts = self._status.carry_out(plan, now=now)
        with self._store.reading() as connection:
            (new,) = iterate_credentials(connection, batch.id)
        return Replaced(old=old.uuid, new=new.uuid, anchored=anchored, receipts=receipts)


def _check_replaceable(credential: CredentialRecord, batch: BatchRecord) -> None:
    if credential.is_erased:
        raise ConflictError(f"{credential.uuid.urn} was erased: there is nothing left to correct")
    if batch.state is not BatchState.ANCHORED:
        raise ConflictError(
            f"batch {batch.id} is not anchored yet", advice=f"Go on with `credanchor issue --resume {batch.id}` first."
        )


def _normal(email: str | None) -> str | None:
    return None if email is None else normalize_email(email)
