"""The audit log: who did what, on what, when. Each institution has its own; the operator's acts are in `HOME`'s.

Every entry is hashed together with the hash before it, and the end of the chain is kept apart. So an entry changed, put
in or taken out by itself shows. Whoever can write to the database could make the whole chain anew: against that, the
head is to be noted elsewhere now and then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from anchor.canonical import canonicalize
from anchor.model import Hash32
from registry.errors import StoreError
from registry.store.connection import InstitutionConnection
from registry.store.institutions import NO_HASH
from registry.store.service_tables import audit_chains, audit_entries

OPERATOR: Final = "operator"
"""Who did it, where somebody at the operator's machine did it by a command."""

_ROWS_A_FETCH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done. No personal data: ids only."""

    number: int
    """From 1, without gaps."""
    at: int
    actor: str
    """An API key by its prefix (`key 0123456789abcdef`), `operator`, `worker`."""
    action: str
    """`batch.seal`, `status.revoke`, `key.create` …"""
    subject: str
    """`batch 5`, `urn:uuid:…`."""
    hash: Hash32


def append_entry(connection: InstitutionConnection, *, at: int, actor: str, action: str, subject: str) -> AuditEntry:
    """Write down what is done in this transaction; others who write for the institution wait until it ends."""
    chain = audit_chains.c.institution_ref == connection.institution
    # First the row lock, then what is read under it.
    row = update(audit_chains).where(chain).values(length=audit_chains.c.length + 1)
    number, head = connection.execute(row.returning(audit_chains.c.length, audit_chains.c.head)).one()
    hashed = _hash(head, number, at, actor, action, subject)
    values = {"number": number, "at": at, "actor": actor, "action": action, "subject": subject, "hash": hashed}
    connection.execute(insert(audit_entries).values(institution_ref=connection.institution, **values))
    connection.execute(update(audit_chains).where(chain).values(head=hashed))
    return AuditEntry(**values)


def list_entries(connection: InstitutionConnection, *, after: int = 0, limit: int = 100) -> tuple[AuditEntry, ...]:
    """List entries in order, from the one after a number on."""
    statement = (
        select(audit_entries)
        .where(audit_entries.c.institution_ref == connection.institution, audit_entries.c.number > after)
        .order_by(audit_entries.c.number)
        .limit(limit)
    )
    return tuple(map(_entry, connection.execute(statement)))


def end_of_chain(connection: InstitutionConnection) -> tuple[int, Hash32]:
    """Tell how many entries the log has, and the hash of the newest: its head."""
    chain = audit_chains.c.institution_ref == connection.institution
    length, head = connection.execute(select(audit_chains.c.length, audit_chains.c.head).where(chain)).one()
    return length, Hash32(head)


def check_chain(connection: InstitutionConnection) -> Hash32:
    """Check the whole log; give its head, to be noted elsewhere.

    Raises:
        StoreError: An entry was changed, put in or taken out.
    """
    length, head = end_of_chain(connection)
    number, reached = 0, NO_HASH
    for number, entry in enumerate(_all_entries(connection), start=1):
        reached = _hash(reached, number, entry.at, entry.actor, entry.action, entry.subject)
        if (entry.number, entry.hash) != (number, reached):
            raise _altered(number)
    if (number, reached) != (length, head):
        raise _altered(number + 1)
    return Hash32(reached)


def _all_entries(connection: InstitutionConnection) -> Iterator[AuditEntry]:
    statement = select(audit_entries).where(audit_entries.c.institution_ref == connection.institution)
    yield from map(_entry, connection.stream(statement.order_by(audit_entries.c.number), _ROWS_A_FETCH))


def _altered(number: int) -> StoreError:
    return StoreError(
        f"the audit log was altered at entry {number}",
        advice="Compare it with a backup; who can write to the database can do such a thing.",
    )


def _hash(before: bytes, number: int, at: int, actor: str, action: str, subject: str) -> Hash32:
    # Canonical JSON: no two entries lead to the same bytes.
    said = {"number": number, "at": at, "actor": actor, "action": action, "subject": subject}
    return Hash32(sha256(before + canonicalize(said)).digest())


def _entry(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    return AuditEntry(
        number=row.number,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        hash=Hash32(row.hash),
    )
