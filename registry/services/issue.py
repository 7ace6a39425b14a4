"""Issuing, first half: a roster becomes a batch that is sealed, whole, in the database. Nothing is sent yet.

    1  shuffle      leaf order must not tell the roster's order, which may be a ranking
    2  positions    a status position for each credential, taken for ever
    3  fill in      a UUID, a salt and the canonical bytes for each; its leaf
    4  tree, root
    5  seal         steps 2 to 5 are one database transaction: the batch is there whole, or not at all

`registry.services.anchoring` does the second half, as often as it takes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection

from anchor.canonical import JsonObject, canonicalize, credential_hash, leaf_hash
from anchor.merkle import HASH_BYTES, build_levels
from anchor.model import MAX_UINT32, Hash32, StatusPosition
from anchor.status import LIST_SIZE
from registry.errors import ConflictError, RosterFormatError
from registry.services.credentials import CredentialFrame, CredentialValues
from registry.services.recipient import Recipient
from registry.services.template import CredentialTemplate
from registry.store.batches import (
    add_credentials,
    add_templates,
    allocate_positions,
    begin_batch,
    finish_batch,
    get_batch,
    issuer_ref,
    unfinished_of_roster,
)
from registry.store.engine import Store
from registry.store.records import BatchRecord, TransactionRecord, TransactionState
from registry.store.transactions import get_transaction

EMAIL_SALT_BYTES: Final = 16
"""Enough that hashes of one address in two credentials cannot be matched, nor a table of them be made beforehand."""

_ROWS_A_CHUNK: Final = 4096
"""Credentials in memory at a time: some 6 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """A batch on the ledger."""

    batch: BatchRecord
    transaction: TransactionRecord | None
    """None when the ledger had the root already and no transaction of this database did it."""


def seal_batch(
    store: Store,
    frame: CredentialFrame,
    recipients: Sequence[Recipient],
    *,
    progress: Callable[[int], None] = lambda _count: None,
    keep: Callable[[Connection, BatchRecord], None] = lambda _connection, _batch: None,
) -> BatchRecord:
    """Make a batch of credentials and keep it.

    Args:
        store: Where.
        frame: What they have in common; their `valid_from` is also when the batch counts as sealed.
        recipients: For whom, in any order.
        progress: Told now and then how many more are done.
        keep: Writes, in the same transaction, what else must be known of the batch. If it raises, nothing is kept.

    Raises:
        RosterFormatError: There are no recipients, or more than a batch can hold.
        ConflictError: The same is kept already and not anchored yet; issuing it again would issue it twice.
        StoreError: It could not be kept; nothing was.
    """
    if not 1 <= len(recipients) <= MAX_UINT32:
        raise RosterFormatError(f"a batch has 1 to {MAX_UINT32} recipients, the roster has {len(recipients)}")
    # 1
    order = list(recipients)
    secrets.SystemRandom().shuffle(order)
    writer, digest = _RowWriter(frame), roster_hash(frame.achievement, recipients)
    with store.writing() as connection:
        # 2
        issuer = issuer_ref(connection, frame.registry, frame.issuer_id)
        _check_not_begun(unfinished_of_roster(connection, issuer, digest))
        first = allocate_positions(connection, issuer, len(order))
        batch = begin_batch(
            connection,
            issuer,
            size=len(order),
            achievement_name=frame.achievement["name"],
            roster_hash=digest,
            sealed_at=frame.valid_from,
        )
        # 3
        add_templates(connection, batch, {shape: template.text for shape, template in writer.templates.items()})
        for start in range(0, len(order), _ROWS_A_CHUNK):
            some = order[start : start + _ROWS_A_CHUNK]
            add_credentials(connection, issuer, batch, writer.rows(some, start, first))
            progress(len(some))
        # 4, 5
        finish_batch(connection, batch, build_levels(bytes(writer.leaves)))
        sealed = get_batch(connection, batch)
        keep(connection, sealed)
        return sealed


def roster_hash(achievement: JsonObject, recipients: Sequence[Recipient]) -> Hash32:
    """Hash an achievement and its recipients, whatever their order."""
    lines = sorted(f"{recipient.name}\n{recipient.email or ''}\n" for recipient in recipients)
    return Hash32(sha256(canonicalize(achievement) + "".join(lines).encode()).digest())


def read_anchored(store: Store, batch: BatchRecord) -> Anchored:
    """Give an anchored batch with the transaction that did it."""
    if batch.transaction is None:
        return Anchored(batch=batch, transaction=None)
    with store.reading() as connection:
        transaction = get_transaction(connection, batch.transaction)
    return Anchored(batch=batch, transaction=transaction if transaction.state is TransactionState.MINED else None)


def _check_not_begun(batch: BatchRecord | None) -> None:
    if batch is not None:
        raise ConflictError(
            f"batch {batch.id} holds the same achievement and recipients, and is not anchored yet",
            advice=f"Go on with `credanchor issue --resume {batch.id}`: otherwise they would be issued twice.",
        )


class _RowWriter:
    """Makes the rows of a batch's credentials, and gathers their leaves."""

    def __init__(self, frame: CredentialFrame) -> None:
        self.leaves: Final = bytearray()
        self.templates: Final = {
            has_email: CredentialTemplate.compile(frame, has_email=has_email) for has_email in (True, False)
        }

    def rows(self, recipients: Sequence[Recipient], start: int, first: int) -> list[tuple[object, ...]]:
        """Make rows for `registry.store.batches.add_credentials`.

        Args:
            recipients: In leaf order.
            start: Leaf index of the first of them.
            first: The batch's first status position, list * LIST_SIZE + index.
        """
        count = len(recipients)
        salts = os.urandom(HASH_BYTES * count)
        email_salts = os.urandom(EMAIL_SALT_BYTES * count)
        rows: list[tuple[object, ...]] = []
        for number, recipient in enumerate(recipients):
            leaf_index = start + number
            uuid = uuid4()
            salt = Hash32(salts[number * HASH_BYTES : (number + 1) * HASH_BYTES])
            email_salt = email_salts[number * EMAIL_SALT_BYTES : (number + 1) * EMAIL_SALT_BYTES]
            status_list, index = divmod(first + leaf_index, LIST_SIZE)
            position = StatusPosition(status_list=status_list, index=index)
            name, email = recipient.name, recipient.email
            values = CredentialValues(
                id=uuid.urn, name=name, email=email, email_salt=email_salt.hex(), position=position
            )
            canonical = self.templates[email is not None].fill(values)
            self.leaves.extend(leaf_hash(credential_hash(canonical), salt, position))
            kept_salt = None if email is None else email_salt
            rows.append((leaf_index, uuid.bytes, status_list, index, salt, name, email, kept_salt))
        return rows
