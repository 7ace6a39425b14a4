"""Checkpoints of a history in the database: where its replay stood, written so that the next process can go on from it.

Upholds: a checkpoint is gone on from only if it is whole and undamaged, of this form, registry and copy, and fits the
events that are kept: its last event is theirs, and so is the head of every issuer. What it says of batches and status
bits is taken as it stands: whoever may write the database could as well change what is shown, and nobody who verifies
asks either. It is CBOR, whose reading runs nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

import cbor2
from sqlalchemy import Connection

from anchor.errors import HistoryError
from anchor.logs import parse_log
from anchor.model import RegistryId
from registry.services.explorer.running import Running
from registry.services.explorer.turn import Turn
from registry.store.engine import Store
from registry.store.ledger_checkpoints import (
    CheckpointId,
    CheckpointRow,
    add_part,
    begin_checkpoint,
    find_checkpoint,
    finish_checkpoint,
    parts_of,
)
from registry.store.ledger_copies import CopyRecord
from registry.store.ledger_events import EventReader

FORMAT: Final = "credanchor/explorer-checkpoint@v1"
"""Another one whenever the replay's state or its rules change: then all events are replayed by the new ones."""
ROWS_A_PART: Final = 5_000
"""Some 350 kB of batches."""

_UNREADABLE: Final = (
    cbor2.CBORError,
    struct.error,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Checkpoints:
    """Writes and reads them.

    Args:
        store: The database.
        registry: Of whose history.
        turn: Of this process.
    """

    def __init__(self, store: Store, registry: RegistryId, turn: Turn) -> None:
        self._store: Final = store
        self._registry: Final = registry
        self._turn: Final = turn

    def save(self, running: Running) -> bytes:
        """Write one, part by part; it counts once the last transaction is through.

        Args:
            running: All of whose events are kept, at the end of a block.

        Returns:
            Its digest.

        Raises:
            ConflictError: It is another process's turn.
            HistoryError: The last event cannot stand alone.
        """
        last = running.last
        if last is None:
            raise HistoryError("there is no event yet")
        content = cbor2.dumps(
            {
                "format": FORMAT,
                "registry": self._registry.to_text(),
                "copy": running.copy,
                "events": running.count,
                "place": [last.block_number, last.block_hash, last.log_index],
                "state": running.content(),
            }
        )
        with self._turn.writing() as connection:
            checkpoint = begin_checkpoint(connection, running.copy, running.count)
        digest = digest_of(content, self._parts(checkpoint, running))
        with self._turn.writing() as connection:
            finish_checkpoint(connection, running.copy, checkpoint, digest=digest, content=content)
        running.saved = running.count
        return digest

    def _parts(self, checkpoint: CheckpointId, running: Running) -> Iterator[bytes]:
        """Write the parts, and give them."""
        for number, rows in enumerate(running.parts(ROWS_A_PART)):
            part = cbor2.dumps(rows)
            with self._turn.writing() as connection:
                add_part(connection, checkpoint, number, part)
            yield part

    def find(self, copy: CopyRecord) -> CheckpointRow | None:
        """Look up the one of a copy."""
        with self._store.operator_reading() as connection:
            return find_checkpoint(connection, copy.id)

    def load(self, copy: CopyRecord, row: CheckpointRow) -> Running:
        """Go on from one.

        Raises:
            HistoryError: It cannot be trusted, or cannot be read; the message says why.
        """
        with self._store.operator_reading() as connection:
            if digest_of(row.content, parts_of(connection, row.id)) != row.digest:
                raise HistoryError("the checkpoint is damaged")
            try:
                running = self._read(connection, copy, row)
            except _UNREADABLE as error:
                raise HistoryError("the checkpoint is not one that this version of the program writes") from error
            self._check_heads(connection, running)
        return running

    def _read(self, connection: Connection, copy: CopyRecord, row: CheckpointRow) -> Running:
        content = cbor2.loads(row.content)
        if content["format"] != FORMAT:
            raise HistoryError("the checkpoint is one of another version of the program")
        if (content["registry"], content["copy"]) != (self._registry.to_text(), copy.id):
            raise HistoryError("the checkpoint is one of another history")
        events = content["events"]
        if not 0 < events == row.events == content["state"]["replay"]["count"] <= copy.events:
            raise HistoryError("the checkpoint is ahead of the events that are kept")
        reader = EventReader(connection, self._registry, copy.id, events)
        last = [each.log for each in reader.newest(limit=1) if each.number == events]
        if [[each.block_number, each.block_hash, each.log_index] for each in last] != [content["place"]]:
            raise HistoryError("the checkpoint is not one of the events that are kept")
        running = Running(self._registry, copy.id)
        running.go_on_from(content["state"], map(cbor2.loads, parts_of(connection, row.id)), last[0])
        running.accounts.update(reader.all_accounts())
        return running

    def _check_heads(self, connection: Connection, running: Running) -> None:
        reader = EventReader(connection, self._registry, running.copy, running.count)
        for issuer in running.result().issuers:
            (row,) = reader.newest(issuer_id=issuer.issuer_id, limit=1) or (None,)
            event = None if row is None else parse_log(row.log)
            if event is None or event.heads.get(issuer.issuer_id) != issuer.head:
                raise HistoryError(f"the checkpoint's head of issuer {issuer.issuer_id} is not that of its last event")


def digest_of(content: bytes, parts: Iterable[bytes]) -> bytes:
    """Give the digest of a checkpoint."""
    digest = sha256(content)
    for part in parts:
        digest.update(sha256(part).digest())
    return digest.digest()
