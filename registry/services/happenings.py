"""What happens to an institution's credentials is told to its webhooks: kept in the transaction in which it happens.

    {"type": "batch.anchored", "timestamp": "2026-11-28T21:00:00Z",
     "data": {"job": "0b7d4c9e-…", "batch": "0x5f…", "transaction": "0x8c…"}}

The form is that of Standard Webhooks (https://www.standardwebhooks.com). Ids only: whoever is told asks for the rest,
with a key of its own.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import Enum

from anchor.canonical import JsonObject
from anchor.model import to_hex
from registry.store.batches import get_batch
from registry.store.connection import InstitutionConnection
from registry.store.jobs import JobRecord
from registry.store.transactions import get_transaction
from registry.store.webhooks import announce


class Event(Enum):
    """What can happen."""

    BATCH_ANCHORED = "batch.anchored"
    """A batch's anchoring was mined; a reorganisation may still take it back, and then it happens again."""
    BATCH_FINAL = "batch.final"
    """It is as final as the operator's policy wants it."""
    JOB_FAILED = "job.failed"
    """A job ended without having done what was asked for."""
    STATUS_CHANGED = "status.changed"
    """A revocation, suspension or reinstatement was mined; as with a batch, not final yet."""
    STATUS_FINAL = "status.final"


def tell(connection: InstitutionConnection, event: Event, subject: JsonObject, *, now: int) -> None:
    """Tell every webhook that wants to know; sent by a worker, once the transaction is kept.

    Args:
        connection: From `Store.writing`, of the transaction in which it happens.
        event: What happens.
        subject: To what: ids, hashes and counts, no names and no texts.
        now: Unix seconds.
    """
    announce(connection, event.value, message(event.value, subject, now=now), now=now)


def message(kind: str, subject: JsonObject, *, now: int) -> bytes:
    """Write what is sent.

    Args:
        kind: Name of the event.
        subject: To what it happened.
        now: Unix seconds.
    """
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"type": kind, "timestamp": at, "data": subject}, separators=(",", ":")).encode()


def ids_of(connection: InstitutionConnection, job: JobRecord) -> JsonObject:
    """Give the ids of a job, its batch and its transaction, as far as there are any."""
    subject: JsonObject = {"job": str(job.public_id)}
    if job.batch is not None:
        subject["batch"] = to_hex(get_batch(connection, job.batch).root)
    if job.transaction is not None:
        subject["transaction"] = to_hex(get_transaction(connection, job.transaction).hash)
    return subject
