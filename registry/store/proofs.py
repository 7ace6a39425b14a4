"""Reading inclusion proofs, many a second: one statement for the credential, and chunks of trees that stay in memory.

A tree never changes once its batch is sealed, so what was read of it holds; what can change (the batch's state, an
erasure) is read each time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select, tuple_

from anchor.merkle import HASH_BYTES, sibling_positions
from anchor.model import Hash32, InclusionProof, RegistryId
from registry.errors import NotFoundError
from registry.store.batches import CHUNK_NODES
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import BatchState
from registry.store.tables import batches, credentials, issuers, tree_chunks

CHUNKS_KEPT: Final = 2048
"""Of 32 KiB at most each: 64 MiB, all of a batch of a million."""

_Place = tuple[int, int, int]
"""Batch, level, chunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRecord:
    """What a credential's anchor proof is made of."""

    uuid: UUID
    registry: RegistryId
    issuer_id: int
    root: Hash32
    salt: Hash32
    state: BatchState
    anchored_at: int | None
    is_erased: bool
    inclusion: InclusionProof


class ProofReader:
    """Reads them; may be used by several threads, for all institutions of one database."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._chunks: Final[dict[_Place, bytes]] = {}
        """Looked into without the lock; the one that was read first makes room."""
        self._statements: Final[dict[str, tuple[str, tuple[str, ...] | None]]] = {}

    def read(self, store: Store, uuid: UUID) -> ProofRecord:
        """Read what a credential's anchor proof is made of.

        Args:
            store: The institution's.
            uuid: The credential's.

        Raises:
            NotFoundError: The institution has none of this id.
        """
        text, order = self._statement(store)
        values: dict[str, object] = {"uuid": uuid.bytes, "institution": store.institution}
        row = store.read_row(text, values if order is None else tuple(values[name] for name in order))
        if row is None:
            raise NotFoundError("there is no such credential")
        batch, leaf_index, salt, name, root, size, state, anchored_at, registry, issuer_id = row
        return ProofRecord(
            uuid=uuid,
            registry=_registry(registry),
            issuer_id=issuer_id,
            root=Hash32(root),
            salt=Hash32(salt),
            state=BatchState(state),
            anchored_at=anchored_at,
            is_erased=not name,
            inclusion=self._prove(store, batch, leaf_index, size),
        )

    def _statement(self, store: Store) -> tuple[str, tuple[str, ...] | None]:
        # As the driver takes it: what SQLAlchemy does with a statement each time takes longer than the database.
        name = store.dialect.name
        if name not in self._statements:
            compiled = _SELECT.compile(dialect=store.dialect)
            order = None if compiled.positiontup is None else tuple(compiled.positiontup)
            self._statements[name] = str(compiled), order
        return self._statements[name]

    def _prove(self, store: Store, batch: int, leaf_index: int, size: int) -> InclusionProof:
        places: list[_Place] = []
        starts: list[int] = []
        for level, index in sibling_positions(leaf_index, size):
            chunk, start = divmod(index, CHUNK_NODES)
            places.append((batch, level, chunk))
            starts.append(start * HASH_BYTES)
        found = list(map(self._chunks.get, places))
        missing = {place for place, nodes in zip(places, found, strict=True) if nodes is None}
        read = self._read(store, batch, missing) if missing else {}
        siblings = tuple(
            Hash32((nodes or read[place])[start : start + HASH_BYTES])
            for place, nodes, start in zip(places, found, starts, strict=True)
        )
        return InclusionProof(leaf_index=leaf_index, size=size, siblings=siblings)

    def _read(self, store: Store, batch: int, places: set[_Place]) -> dict[_Place, bytes]:
        with store.reading() as connection:
            read = _read_chunks(connection, batch, sorted(places))
        with self._lock:
            self._chunks.update(read)
            while len(self._chunks) > CHUNKS_KEPT:
                del self._chunks[next(iter(self._chunks))]
        return read


def _read_chunks(connection: InstitutionConnection, batch: int, places: list[_Place]) -> dict[_Place, bytes]:
    rows = connection.execute(_SELECT_CHUNKS, {"batch": batch, "places": [place[1:] for place in places]})
    return {(batch, row.level, row.chunk): row.nodes for row in rows}


@lru_cache(maxsize=64)
def _registry(text: str) -> RegistryId:
    return RegistryId.parse(text)


_SELECT: Final = (
    select(
        credentials.c.batch_id,
        credentials.c.leaf_index,
        credentials.c.salt,
        credentials.c.recipient_name,
        batches.c.root,
        batches.c.size,
        batches.c.state,
        batches.c.anchored_at,
        issuers.c.registry,
        issuers.c.issuer_id,
    )
    .join(batches, batches.c.id == credentials.c.batch_id)
    .join(issuers, issuers.c.id == batches.c.issuer_ref)
    .where(credentials.c.uuid == bindparam("uuid"), issuers.c.institution_ref == bindparam("institution"))
)

_SELECT_CHUNKS: Final = select(tree_chunks.c.level, tree_chunks.c.chunk, tree_chunks.c.nodes).where(
    tree_chunks.c.batch_id == bindparam("batch"),
    tuple_(tree_chunks.c.level, tree_chunks.c.chunk).in_(bindparam("places", expanding=True)),
)
