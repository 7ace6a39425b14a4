"""Finding credentials in the database: by a part of the name, by e-mail, by id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from anchor.identity import normalize_email
from registry.errors import NotFoundError
from registry.store.batches import get_batch, get_credential
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.people import uuids_by_email, uuids_by_name
from registry.store.records import BatchId, BatchRecord, CredentialRecord
from registry.store.replacements import predecessor_of, successor_of

_UUID: Final = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for: credentials with one of the ids or e-mails, or with all parts of the name."""

    uuids: tuple[UUID, ...] = ()
    emails: tuple[str, ...] = ()
    """Normalised."""
    name_parts: tuple[str, ...] = ()
    batch: BatchId | None = None
    """Only in this batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A credential and its batch."""

    credential: CredentialRecord
    batch: BatchRecord
    replaces: UUID | None = None
    """The credential whose place it took."""
    replaced_by: UUID | None = None
    """The one that took its place."""


def parse_query(texts: Iterable[str], batch: BatchId | None = None) -> Query:
    """Tell ids, e-mails and parts of a name apart: an id by its form, an e-mail by its @."""
    uuids, emails, name_parts = [], [], []
    for text in texts:
        uuid = parse_id(text)
        if uuid is not None:
            uuids.append(uuid)
        elif "@" in text:
            emails.append(normalize_email(text))
        else:
            name_parts += text.split()
    return Query(uuids=tuple(uuids), emails=tuple(emails), name_parts=tuple(name_parts), batch=batch)


def parse_id(text: str) -> UUID | None:
    """Read a credential's id, `urn:uuid:…` or the UUID alone; None if it is none."""
    match = _UUID.fullmatch(text.strip())
    return None if match is None else UUID(match[1])


def find(store: Store, query: Query, limit: int) -> tuple[tuple[Found, ...], bool]:
    """Look for credentials.

    Args:
        store: The registry's database.
        query: What is looked for.
        limit: How many to give at most.

    Returns:
        Those found, each once, and whether there are more.

    Raises:
        NotFoundError: The batch that the query names is not in the database.
    """
    with store.reading() as connection:
        if query.batch is not None:
            get_batch(connection, query.batch)
        uuids = list(islice(_uuids(connection, query), limit + 1))
        batches: dict[BatchId, BatchRecord] = {}
        found = []
        for uuid in uuids[:limit]:
            credential = get_credential(connection, uuid)
            if credential.batch not in batches:
                batches[credential.batch] = get_batch(connection, credential.batch)
            found.append(
                Found(
                    credential=credential,
                    batch=batches[credential.batch],
                    replaces=predecessor_of(connection, uuid),
                    replaced_by=successor_of(connection, uuid),
                )
            )
    return tuple(found), len(uuids) > limit


def _uuids(connection: InstitutionConnection, query: Query) -> Iterator[UUID]:
    seen: set[UUID] = set()
    for uuid in _all_uuids(connection, query):
        if uuid not in seen:
            seen.add(uuid)
            yield uuid


def _all_uuids(connection: InstitutionConnection, query: Query) -> Iterator[UUID]:
    for uuid in query.uuids:
        try:
            credential = get_credential(connection, uuid)
        except NotFoundError:
            continue  # an id that leads nowhere is one that nothing is found for
        if query.batch in (None, credential.batch):
            yield uuid
    if query.emails:
        for uuids in uuids_by_email(connection, query.emails, query.batch).values():
            yield from uuids
    if query.name_parts:
        yield from uuids_by_name(connection, query.name_parts, query.batch)
