"""Issuing, first half: a roster becomes a batch that is sealed, whole, in the database. Nothing is sent yet.

    1  shuffle      leaf order must not tell the roster's order, which may be a ranking (`registry.services.spool`)
    2  positions    a status position for each credential, taken for ever
    3  fill in      a UUID, a salt and the canonical bytes for each; its leaf (`registry.services.filling`, `helpers`)
    4  tree, root, approval
    5  seal         steps 2 to 5 are one database transaction: the batch is there whole, or not at all

`registry.services.anchoring` does the second half, as often as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

from anchor.canonical import JsonObject, canonicalize
from anchor.model import MAX_UINT32, Hash32
from registry.errors import IssuedBeforeError, RosterFormatError, UnfinishedError
from registry.services.approvals import Approvals
from registry.services.credentials import CredentialFrame
from registry.services.filled_batch import FilledBatch
from registry.services.helpers import Helpers, fill_all
from registry.services.spool import RecipientSpool
from registry.services.template import CredentialTemplate
from registry.services.tree import GrowingTree
from registry.store.batches import (
    CHUNK_NODES,
    add_chunk,
    add_credentials,
    add_templates,
    allocate_positions,
    begin_batch,
    finish_batch,
    get_batch,
    issuer_ref,
    newest_of_roster,
)
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import UNFINISHED, BatchRecord, TransactionRecord, TransactionState
from registry.store.transactions import get_transaction

_DIGEST_RANGE: Final = 1 << 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """A batch on the ledger."""

    batch: BatchRecord
    transaction: TransactionRecord | None
    """None when the ledger had the root already and no transaction of this database did it."""


def seal_batch(
    store: Store,
    frame: CredentialFrame,
    recipients: RecipientSpool,
    *,
    approvals: Approvals,
    without: Set[int] = frozenset(),
    again: bool = False,
    helpers: Helpers | None = None,
    filled: FilledBatch | None = None,
    progress: Callable[[int], object] = lambda _count: None,
    keep: Callable[[InstitutionConnection, BatchRecord], None] = lambda _connection, _batch: None,
) -> BatchRecord:
    """Make a batch of credentials and keep it.

    Args:
        store: Where.
        frame: What they have in common; its `valid_from` is also when the batch counts as sealed.
        recipients: For whom, as checked.
        approvals: Approves what comes of it.
        without: Numbers of rows to leave out.
        again: Issue what was issued before.
        helpers: Started already, for this frame; none: they are started if they are wanted.
        filled: What `fill_batch` made of the same; none: it is done here, while nobody else writes.
        progress: Told now and then how many more are done.
        keep: Writes, in the same transaction, what else must be known of the batch. If it raises, nothing is kept.

    Raises:
        RosterFormatError: There are no recipients, or more than a batch can hold.
        UnfinishedError: The same is kept already, and is not anchored yet.
        IssuedBeforeError: The same was issued, and is not meant to be issued again.
        StoreError: It could not be kept; nothing was.
    """
    size = count_recipients(recipients, without)
    with store.writing() as connection:
        # 2
        issuer = issuer_ref(connection, frame.registry, frame.issuer_id)
        first = allocate_positions(connection, issuer, size) if filled is None else filled.first_position
        batch = begin_batch(
            connection,
            issuer,
            size=size,
            first_position=first,
            achievement_id=frame.achievement["id"],
            achievement_name=frame.achievement["name"],
            sealed_at=frame.valid_from,
        )
        # 1, 3
        tree = GrowingTree(partial(add_chunk, connection, batch), CHUNK_NODES)
        shapes, digest = set[int](), 0
        partitions = (
            fill_all(frame, recipients.partitions(without), size, first, helpers)
            if filled is None
            else filled.partitions()
        )
        for each in partitions:
            add_credentials(connection, batch, each.rows)
            tree.add(each.leaves)
            shapes |= each.shapes
            digest += each.digest
            progress(len(each.rows))
        texts = {shape: CredentialTemplate.compile(frame, shape).text for shape in sorted(shapes)}
        add_templates(connection, batch, texts)
        hashed = roster_hash(frame.achievement, digest)
        _check_new(newest_of_roster(connection, issuer, hashed), again=again)
        # 4, 5
        root = tree.finish()
        approval = approvals.approve(issuer, root, size)
        number = finish_batch(connection, batch, root, roster_hash=hashed, approval=approval)
        sealed = get_batch(connection, number)
        keep(connection, sealed)
        return sealed


def fill_batch(
    store: Store,
    frame: CredentialFrame,
    recipients: RecipientSpool,
    *,
    without: Set[int] = frozenset(),
    helpers: Helpers | None = None,
    progress: Callable[[int], object] = lambda _count: None,
) -> FilledBatch:
    """Do steps 1 to 3 before the transaction that seals, so that others can write meanwhile; takes what that takes.

    The positions are taken for ever, also if nothing comes of it: there are 2^49 of them.

    Raises:
        RosterFormatError: There are no recipients, or more than a batch can hold.
    """
    size = count_recipients(recipients, without)
    with store.writing() as connection:
        first = allocate_positions(connection, issuer_ref(connection, frame.registry, frame.issuer_id), size)
    batch = FilledBatch(first)
    for filled in fill_all(frame, recipients.partitions(without), size, first, helpers):
        batch.add(filled)
        progress(len(filled.rows))
    return batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What would be sealed."""

    size: int
    with_email: int
    root: Hash32
    """Another time it differs by the salts."""


def try_out(
    frame: CredentialFrame,
    recipients: RecipientSpool,
    without: Set[int] = frozenset(),
    helpers: Helpers | None = None,
    progress: Callable[[int], object] = lambda _count: None,
) -> Trial:
    """Do all the work of sealing, and keep nothing; takes what `seal_batch` takes.

    Raises:
        RosterFormatError: There are no recipients, or more than a batch can hold.
    """
    size, tree, with_email = count_recipients(recipients, without), GrowingTree(_forget_chunk, CHUNK_NODES), 0
    for filled in fill_all(frame, recipients.partitions(without), size, 0, helpers):
        tree.add(filled.leaves)
        with_email += sum(email is not None for _, _, _, _, email, _, _ in filled.rows)
        progress(len(filled.rows))
    return Trial(size=size, with_email=with_email, root=tree.finish())


def _forget_chunk(_level: int, _number: int, _nodes: bytes) -> None:
    """Keep nothing of a trial's tree."""


def count_recipients(recipients: RecipientSpool, without: Set[int]) -> int:
    """Count those to issue to.

    Raises:
        RosterFormatError: There are none, or more than a batch can hold.
    """
    size = recipients.count(without)
    if not 1 <= size <= MAX_UINT32:
        raise RosterFormatError(f"a batch has 1 to {MAX_UINT32} recipients, the roster has {size}")
    return size


def roster_hash(achievement: JsonObject, digest: int) -> Hash32:
    """Hash an achievement and its recipients, whatever their order.

    Args:
        achievement: The achievement.
        digest: Sum of the partitions' digests.
    """
    total = (digest % _DIGEST_RANGE).to_bytes(32, "big")
    return Hash32(sha256(sha256(canonicalize(achievement)).digest() + total).digest())


def read_anchored(store: Store, batch: BatchRecord) -> Anchored:
    """Give an anchored batch with the transaction that did it."""
    if batch.transaction is None:
        return Anchored(batch=batch, transaction=None)
    with store.reading() as connection:
        transaction = get_transaction(connection, batch.transaction)
    return Anchored(batch=batch, transaction=transaction if transaction.state is TransactionState.MINED else None)


def require_finished(batch: BatchRecord) -> None:
    """Check that a batch for the same achievement and recipients is anchored.

    Raises:
        UnfinishedError: It is not: it is to be finished first.
    """
    if batch.state in UNFINISHED:
        raise UnfinishedError(
            f"batch {batch.id} holds credentials for the same achievement and recipients, and is not anchored yet",
            advice=f"Go on with `credanchor issue --resume {batch.id}`: otherwise they would be issued twice.",
        )


def _check_new(batch: BatchRecord | None, *, again: bool) -> None:
    if batch is None:
        return
    require_finished(batch)
    if not again:
        raise IssuedBeforeError(
            f"the same roster was issued already, as batch {batch.id}; nothing was issued now",
            advice=f"If files are missing, `credanchor issue --resume {batch.id} --out DIR` writes them. "
            "To issue it for the second time, use --again.",
        )
