"""Batches, their credentials and trees: functions over one connection of `Store.reading` or `Store.writing`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, func, insert, select, tuple_, update

from anchor.errors import MalformedError
from anchor.merkle import HASH_BYTES, sibling_positions
from anchor.model import ZERO_HASH, Hash32, InclusionProof, RegistryId, StatusPosition
from anchor.status import LIST_SIZE
from registry.errors import ConflictError, NotFoundError, StoreError
from registry.store.bulk import insert_if_new, insert_rows
from registry.store.connection import InstitutionConnection
from registry.store.own import of_institution, own_batch, own_issuer
from registry.store.records import (
    UNFINISHED,
    BatchId,
    BatchRecord,
    BatchState,
    CredentialRecord,
    IssuerRef,
    OpenBatch,
    TransactionId,
)
from registry.store.tables import batches, credentials, issuers, templates, tree_chunks

CHUNK_NODES: Final = 1024
"""Nodes in one stored chunk of a tree level: 32 KiB. A proof in a batch of a million reads 20 of them."""

_FIRST_LISTS: Final = 2**31
"""A new database starts in one of these status lists by chance, and has as many to go on to."""

_ROWS_A_FETCH: Final = 1000
_CREDENTIAL_COLUMNS: Final = (
    "batch_id",
    "leaf_index",
    "uuid",
    "salt",
    "recipient_name",
    "recipient_email",
    "email_salt",
    "details",
)


def issuer_ref(connection: InstitutionConnection, registry: RegistryId, issuer_id: int) -> IssuerRef:
    """Look up an issuer, noting it if it is new.

    A new issuer's status positions start in a list chosen by chance: so a database started anew, the old one being
    lost, does not hand out for the second time positions that credentials have.

    Raises:
        ConflictError: It is another institution's.
    """
    named = select(issuers.c.id, issuers.c.institution_ref).where(
        issuers.c.registry == registry.to_text(), issuers.c.issuer_id == issuer_id
    )
    found = connection.execute(named).one_or_none()
    if found is None:
        values = {
            "institution_ref": connection.institution,
            "registry": registry.to_text(),
            "issuer_id": issuer_id,
            "next_position": secrets.randbelow(_FIRST_LISTS) * LIST_SIZE,
        }
        # Somebody else may note it at this moment.
        insert_if_new(connection, issuers, values)
        found = connection.execute(named).one()
    if found.institution_ref != connection.institution:
        raise ConflictError(f"issuer {issuer_id} of this registry belongs to another institution")
    return IssuerRef(id=found.id, registry=registry, issuer_id=issuer_id)


def allocate_positions(connection: InstitutionConnection, issuer: IssuerRef, count: int) -> int:
    """Take `count` status positions for ever; give the first one, list * LIST_SIZE + index.

    They count as taken when the transaction is kept; a second writer waits for it.
    """
    statement = (
        update(issuers)
        .where(issuers.c.id == issuer.id, issuers.c.institution_ref == connection.institution)
        .values(next_position=issuers.c.next_position + count)
        .returning(issuers.c.next_position)
    )
    after: int = connection.execute(statement).scalar_one()
    return after - count


def begin_batch(
    connection: InstitutionConnection,
    issuer: IssuerRef,
    *,
    size: int,
    first_position: int,
    achievement_id: str,
    achievement_name: str,
    sealed_at: int,
) -> OpenBatch:
    """Note a batch whose credentials follow; nobody sees it before `finish_batch` and the end of the transaction.

    Raises:
        StoreError: Another batch has some of its positions: `allocate_positions` did not give them.
    """
    overlapping = select(batches.c.id).where(
        batches.c.issuer_ref == own_issuer(connection, issuer),
        batches.c.first_position < first_position + size,
        batches.c.first_position + batches.c.size > first_position,
    )
    if connection.execute(overlapping.limit(1)).first() is not None:
        raise StoreError(
            "the database would use status positions for the second time",
            advice="It was altered: restore it from a backup. Nothing was issued.",
        )
    row = insert(batches).values(
        issuer_ref=issuer.id,
        root=ZERO_HASH,
        size=size,
        first_position=first_position,
        achievement_id=achievement_id,
        achievement_name=achievement_name,
        roster_hash=ZERO_HASH,
        state=BatchState.SEALED.value,
        sealed_at=sealed_at,
    )
    return OpenBatch(connection.execute(row.returning(batches.c.id)).scalar_one())


def add_credentials(connection: InstitutionConnection, batch: OpenBatch, rows: Iterable[tuple[object, ...]]) -> None:
    """Keep credentials of a batch.

    Args:
        connection: From `Store.writing`.
        batch: The batch, begun in this transaction.
        rows: For each: leaf index, UUID's bytes, salt, recipient's name, e-mail or None, the salt of its hash or None,
            details or None.
    """
    insert_rows(connection, credentials, _CREDENTIAL_COLUMNS, [(batch, *row) for row in rows])


def add_templates(connection: InstitutionConnection, batch: OpenBatch, texts: Mapping[int, bytes]) -> None:
    """Keep what a batch's credentials have in common, for each shape."""
    rows = [(batch, shape, text) for shape, text in texts.items()]
    insert_rows(connection, templates, ("batch_id", "shape", "text"), rows)


def read_templates(connection: InstitutionConnection, batch: BatchId) -> dict[int, bytes]:
    """Read what `add_templates` kept."""
    rows = connection.execute(
        select(templates.c.shape, templates.c.text).where(templates.c.batch_id == own_batch(connection, batch))
    )
    return {row.shape: row.text for row in rows}


def add_chunk(connection: InstitutionConnection, batch: OpenBatch, level: int, chunk: int, nodes: bytes) -> None:
    """Keep a chunk of a batch's tree.

    Args:
        connection: From `Store.writing`.
        batch: The batch, begun in this transaction.
        level: From 0 for the leaves.
        chunk: Its number in the level, from 0.
        nodes: Its hashes, concatenated: `CHUNK_NODES`, in a level's last chunk fewer.
    """
    insert_rows(connection, tree_chunks, ("batch_id", "level", "chunk", "nodes"), [(batch, level, chunk, nodes)])


def finish_batch(
    connection: InstitutionConnection, batch: OpenBatch, root: Hash32, *, roster_hash: Hash32, approval: bytes
) -> BatchId:
    """Keep a batch's root, which seals it when the transaction is kept.

    Args:
        connection: From `Store.writing`.
        batch: The batch, its credentials and tree kept.
        root: The tree's.
        roster_hash: Of achievement and recipients, in any order.
        approval: By the institution's approval key.

    Returns:
        Its number, by which it is found from now on.
    """
    values = {"root": root, "roster_hash": roster_hash, "approval": approval}
    connection.execute(update(batches).where(batches.c.id == own_batch(connection, BatchId(batch))).values(values))
    return BatchId(batch)


def get_batch(connection: InstitutionConnection, batch: BatchId) -> BatchRecord:
    """Look up a batch.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = connection.execute(SELECT_BATCH.where(batches.c.id == batch, of_institution(connection))).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no batch {batch} in the database")
    return batch_record(row)


def unfinished_batches(
    connection: InstitutionConnection, registry: RegistryId, issuer_id: int
) -> tuple[BatchRecord, ...]:
    """List an issuer's batches that are kept but not anchored, the oldest first."""
    statement = SELECT_BATCH.where(
        _IS_UNFINISHED,
        of_institution(connection),
        issuers.c.registry == registry.to_text(),
        issuers.c.issuer_id == issuer_id,
    )
    return tuple(map(batch_record, connection.execute(statement.order_by(batches.c.id))))


def batches_of_achievement(
    connection: InstitutionConnection, registry: RegistryId, issuer_id: int, achievement_id: str
) -> tuple[BatchRecord, ...]:
    """List an issuer's batches for an achievement, the oldest first."""
    statement = SELECT_BATCH.where(
        batches.c.achievement_id == achievement_id,
        of_institution(connection),
        issuers.c.registry == registry.to_text(),
        issuers.c.issuer_id == issuer_id,
    )
    return tuple(map(batch_record, connection.execute(statement.order_by(batches.c.id))))


def newest_of_roster(connection: InstitutionConnection, issuer: IssuerRef, roster_hash: Hash32) -> BatchRecord | None:
    """Look up the last batch of the same achievement and recipients."""
    statement = SELECT_BATCH.where(
        of_institution(connection), batches.c.issuer_ref == issuer.id, batches.c.roster_hash == roster_hash
    )
    row = connection.execute(statement.order_by(batches.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else batch_record(row)


def newest_batch(connection: InstitutionConnection) -> BatchId | None:
    """Give the number of the batch that was sealed last; None if there is none."""
    statement = select(func.max(batches.c.id)).join(issuers, issuers.c.id == batches.c.issuer_ref)
    return connection.execute(statement.where(of_institution(connection))).scalar()


def move_batch(
    connection: InstitutionConnection,
    batch: BatchRecord,
    state: BatchState,
    *,
    transaction: TransactionId | None = None,
    anchored_at: int | None = None,
    failure: str | None = None,
) -> None:
    """Move a batch on to another state, if nobody else has done so meanwhile.

    Raises:
        ConflictError: Somebody has: the record is out of date.
    """
    statement = (
        update(batches)
        .where(
            batches.c.id == own_batch(connection, batch.id),
            batches.c.state == batch.state.value,
            batches.c.transaction_id.is_not_distinct_from(batch.transaction),
        )
        .values(
            state=state.value,
            transaction_id=batch.transaction if transaction is None else transaction,
            anchored_at=anchored_at,
            failure=failure,
        )
    )
    if connection.execute(statement).rowcount != 1:
        raise ConflictError(
            f"batch {batch.id} is being worked on by another process",
            advice=f"Wait until that has ended; then `credanchor issue --resume {batch.id}` tells how it stands.",
        )


def get_credential(connection: InstitutionConnection, uuid: UUID) -> CredentialRecord:
    """Look up a credential by its UUID.

    Raises:
        NotFoundError: There is none in this database.
    """
    row = connection.execute(
        SELECT_CREDENTIAL.where(credentials.c.uuid == uuid.bytes, of_institution(connection))
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no credential {uuid} in the database")
    return credential_record(row)


def iterate_credentials(connection: InstitutionConnection, batch: BatchId) -> Iterator[CredentialRecord]:
    """Give a batch's credentials in leaf order, a thousand at a time."""
    statement = SELECT_CREDENTIAL.where(credentials.c.batch_id == batch, of_institution(connection))
    for row in connection.stream(statement.order_by(credentials.c.leaf_index), _ROWS_A_FETCH):
        yield credential_record(row)


def read_levels(connection: InstitutionConnection, batch: BatchId) -> tuple[bytes, ...]:
    """Read a batch's whole tree: for proving all of its credentials."""
    statement = select(tree_chunks.c.level, tree_chunks.c.nodes).where(
        tree_chunks.c.batch_id == own_batch(connection, batch)
    )
    levels: list[list[bytes]] = []
    for level, nodes in connection.execute(statement.order_by(tree_chunks.c.level, tree_chunks.c.chunk)):
        if level == len(levels):
            levels.append([])
        levels[level].append(nodes)
    return tuple(b"".join(chunks) for chunks in levels)


def prove(connection: InstitutionConnection, batch: BatchRecord, leaf_index: int) -> InclusionProof:
    """Prove one credential from the stored tree, reading one chunk a level.

    Raises:
        MalformedError: The batch has no such leaf.
    """
    if not 0 <= leaf_index < batch.size:
        raise MalformedError(f"batch {batch.id} has {batch.size} leaves, counted from 0, and no leaf {leaf_index}")
    wanted = tuple(sibling_positions(leaf_index, batch.size))
    if not wanted:
        return InclusionProof(leaf_index=leaf_index, size=batch.size, siblings=())
    places = [(level, index // CHUNK_NODES) for level, index in wanted]
    rows = connection.execute(
        _SELECT_CHUNKS, {"batch": batch.id, "institution": connection.institution, "places": places}
    )
    found: dict[int, bytes] = {row.level: row.nodes for row in rows}
    starts = [(level, index % CHUNK_NODES * HASH_BYTES) for level, index in wanted]
    siblings = tuple(Hash32(found[level][start : start + HASH_BYTES]) for level, start in starts)
    return InclusionProof(leaf_index=leaf_index, size=batch.size, siblings=siblings)


SELECT_BATCH: Final = select(batches, issuers.c.registry, issuers.c.issuer_id).join(
    issuers, issuers.c.id == batches.c.issuer_ref
)
"""Of every institution: restrict it with `of_institution`."""

# Put together once: doing it for each proof would take three times as long as reading the chunks.
_SELECT_CHUNKS: Final = select(tree_chunks.c.level, tree_chunks.c.nodes).where(
    tree_chunks.c.batch_id
    == select(batches.c.id)
    .join(issuers, issuers.c.id == batches.c.issuer_ref)
    .where(batches.c.id == bindparam("batch"), issuers.c.institution_ref == bindparam("institution"))
    .scalar_subquery(),
    tuple_(tree_chunks.c.level, tree_chunks.c.chunk).in_(bindparam("places", expanding=True)),
)

SELECT_CREDENTIAL: Final = (
    select(credentials, batches.c.first_position)
    .join(batches, batches.c.id == credentials.c.batch_id)
    .join(issuers, issuers.c.id == batches.c.issuer_ref)
)

_IS_UNFINISHED: Final = batches.c.state.in_([state.value for state in UNFINISHED])


def batch_record(row: Row[Any]) -> BatchRecord:
    """Read a row of `SELECT_BATCH`."""
    return BatchRecord(
        id=BatchId(row.id),
        issuer=IssuerRef(id=row.issuer_ref, registry=RegistryId.parse(row.registry), issuer_id=row.issuer_id),
        root=Hash32(row.root),
        size=row.size,
        achievement_id=row.achievement_id,
        achievement_name=row.achievement_name,
        roster_hash=Hash32(row.roster_hash),
        first_position=row.first_position,
        approval=row.approval,
        state=BatchState(row.state),
        sealed_at=row.sealed_at,
        transaction=None if row.transaction_id is None else TransactionId(row.transaction_id),
        anchored_at=row.anchored_at,
        failure=row.failure,
    )


def credential_record(row: Row[Any]) -> CredentialRecord:
    """Take a row of `SELECT_CREDENTIAL` as a record."""
    return CredentialRecord(
        batch=BatchId(row.batch_id),
        leaf_index=row.leaf_index,
        uuid=UUID(bytes=row.uuid),
        position=StatusPosition(*divmod(row.first_position + row.leaf_index, LIST_SIZE)),
        salt=Hash32(row.salt),
        recipient_name=row.recipient_name,
        recipient_email=row.recipient_email,
        email_salt=row.email_salt,
        details=row.details,
    )
