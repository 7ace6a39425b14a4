"""Reading what an institution issued: batches, credentials, their files and proofs. Every store is the institution's.

Upholds: a credential is given only with what leads to its batch's root; of one that was erased only that it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from anchor.canonical import JsonObject
from anchor.model import AnchorProof, Hash32
from anchor.proof import anchor_proof_member
from registry.errors import ConflictError, NotFoundError
from registry.services.find import Found, Query, find
from registry.services.stored import credential_file
from registry.store.batches import get_batch, get_credential
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.pages import Place, batch_of_root, page_of_batches, page_of_credentials
from registry.store.proofs import ProofReader, ProofRecord
from registry.store.records import BatchId, BatchRecord, BatchState, CredentialRecord, StatusEntry
from registry.store.replacements import predecessor_of, successor_of
from registry.store.status_history import SentChange, page_of_changes
from registry.store.transactions import status_history

_NAMED: Final = 100
"""So many credentials of one transaction are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A credential's anchor proof."""

    record: ProofRecord
    member: JsonObject
    """As it stands in the credential's `proof`."""


def read_batches(
    store: Store, *, before: int | None, limit: int, state: BatchState | None
) -> tuple[Sequence[BatchRecord], bool]:
    """List batches, the newest first; tell whether there are more."""
    with store.reading() as connection:
        found = page_of_batches(connection, before=before, limit=limit + 1, state=state)
    return found[:limit], len(found) > limit


def read_batch(store: Store, root: Hash32) -> BatchRecord:
    """Look up a batch by its root.

    Raises:
        NotFoundError: The institution has none with it.
    """
    with store.reading() as connection:
        return batch_of_root(connection, root)


def read_credentials(
    store: Store, *, root: Hash32 | None, after: Place | None, limit: int
) -> tuple[Sequence[Found], bool]:
    """List credentials, of one batch or of all; tell whether there are more.

    Raises:
        NotFoundError: The institution has no batch with this root.
    """
    with store.reading() as connection:
        batch = None if root is None else batch_of_root(connection, root).id
        page = page_of_credentials(connection, after=after, limit=limit + 1, batch=batch)
        batches: dict[BatchId, BatchRecord] = {}
        for each in page[:limit]:
            if each.batch not in batches:
                batches[each.batch] = get_batch(connection, each.batch)
        found = [_found(connection, each, batches[each.batch]) for each in page[:limit]]
    return found, len(page) > limit


def search_credentials(store: Store, query: Query, *, root: Hash32 | None, limit: int) -> tuple[Sequence[Found], bool]:
    """Look for credentials by e-mail, name or id; tell whether there are more.

    Raises:
        NotFoundError: The institution has no batch with this root.
    """
    batch = None if root is None else read_batch(store, root).id
    return find(store, Query(uuids=query.uuids, emails=query.emails, name_parts=query.name_parts, batch=batch), limit)


def read_credential(store: Store, uuid: UUID) -> Found:
    """Look up a credential.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    with store.reading() as connection:
        credential = get_credential(connection, uuid)
        return _found(connection, credential, get_batch(connection, credential.batch))


def read_file(store: Store, uuid: UUID) -> bytes:
    """Give a credential as a file, with its anchor proof.

    Raises:
        NotFoundError: The institution has none of this id, or it was erased.
        ConflictError: Its batch is not anchored yet.
        StoreError: It is not the one that was sealed.
    """
    with store.reading() as connection:
        credential, batch = _whole(connection, uuid)
        return credential_file(connection, batch, credential)


def read_proof(store: Store, reader: ProofReader, uuid: UUID) -> Proven:
    """Give a credential's anchor proof, from a few rows of its batch's tree.

    Args:
        store: The institution's.
        reader: Of its database.
        uuid: The credential's.

    Raises:
        NotFoundError: The institution has none of this id, or it was erased.
        ConflictError: Its batch is not anchored yet.
    """
    record = reader.read(store, uuid)
    _require_whole(is_erased=record.is_erased, state=record.state)
    proof = AnchorProof(
        registry=record.registry,
        issuer_id=record.issuer_id,
        root=record.root,
        salt=record.salt,
        inclusion=record.inclusion,
    )
    return Proven(record=record, member=anchor_proof_member(proof))


def read_history(store: Store, uuid: UUID) -> tuple[StatusEntry, ...]:
    """List what was sent to change a credential's status, or its whole batch's, in the order of signing.

    Raises:
        NotFoundError: The institution has none of this id.
    """
    with store.reading() as connection:
        credential = get_credential(connection, uuid)
        batch = get_batch(connection, credential.batch)
        return status_history(connection, batch.issuer, credential.position, batch.root)


def read_changes(store: Store, *, before: int | None, limit: int) -> tuple[Sequence[SentChange], bool]:
    """List what the institution sent to change status, the newest first; tell whether there is more."""
    with store.reading() as connection:
        found = page_of_changes(connection, before=before, limit=limit + 1, named=_NAMED)
    return found[:limit], len(found) > limit


def require_anchored(batch: BatchRecord) -> None:
    """Check that a batch's credentials can be given to anybody.

    Raises:
        ConflictError: It is not anchored yet.
    """
    _require_whole(is_erased=False, state=batch.state)


def _require_whole(*, is_erased: bool, state: BatchState) -> None:
    if is_erased:
        raise NotFoundError("the credential was erased: nothing of it is kept")
    if state is not BatchState.ANCHORED:
        raise ConflictError("the batch is not anchored yet", advice="Look at the batch: its state tells how far it is.")


def _whole(connection: InstitutionConnection, uuid: UUID) -> tuple[CredentialRecord, BatchRecord]:
    credential = get_credential(connection, uuid)
    batch = get_batch(connection, credential.batch)
    _require_whole(is_erased=credential.is_erased, state=batch.state)
    return credential, batch


def _found(connection: InstitutionConnection, credential: CredentialRecord, batch: BatchRecord) -> Found:
    return Found(
        credential=credential,
        batch=batch,
        replaces=predecessor_of(connection, credential.uuid),
        replaced_by=successor_of(connection, credential.uuid),
    )
