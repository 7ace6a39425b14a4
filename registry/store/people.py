"""Looking for people among the credentials: by a part of the name, and by e-mail.

No index and no second copy of names: every row is looked at, some three seconds for a million (ADR 0019), the same in
every database. What is found is given as UUIDs, for `registry.store.batches.get_credential`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select

from anchor.identity import normalize_email
from anchor.model import RegistryId, StatusPosition
from anchor.status import LIST_SIZE
from registry.store.connection import InstitutionConnection
from registry.store.own import of_institution, own_batches
from registry.store.records import BatchId
from registry.store.tables import batches, credentials, issuers

_ROWS_A_FETCH: Final = 10_000
_EMAILS_A_QUESTION: Final = 500
"""Databases take a limited number of parameters; beyond this, reading all addresses is quicker anyway."""

_NEWEST_FIRST: Final = (credentials.c.batch_id.desc(), credentials.c.leaf_index.desc())
"""As the table lies on disk, read backwards: nothing has to be sorted."""

_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
# Letters that Unicode does not take apart, and the signs that keyboards and word processors put for one another.
_LIKE_ASCII: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
    | dict.fromkeys("’ʼ‘`´", "'")
    | dict.fromkeys("‐‑–", "-")
)


def fold(text: str) -> str:
    """Bring a name to the form in which it is compared: no case, no accents.

    >>> fold("Łukasz O’Brien-LÉVESQUE")
    "lukasz o'brien-levesque"
    """
    if text.isascii():
        return text.lower()
    folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return folded if folded.isascii() else folded.translate(_LIKE_ASCII)


def uuids_by_name(
    connection: InstitutionConnection, parts: Sequence[str], batch: BatchId | None = None
) -> Iterator[UUID]:
    """Give the credentials whose recipient's name has all these parts, the newest first.

    Args:
        connection: From `Store.reading`.
        parts: Parts of a name; case and accents do not matter.
        batch: Only in this batch.
    """
    wanted = [fold(part) for part in parts]
    statement = select(credentials.c.uuid, credentials.c.recipient_name).order_by(*_NEWEST_FIRST)
    for uuid, name in _rows(connection, statement, batch):
        folded = fold(name)
        if all(part in folded for part in wanted):
            yield UUID(bytes=uuid)


def uuids_by_email(
    connection: InstitutionConnection, emails: Collection[str], batch: BatchId | None = None
) -> Mapping[str, tuple[UUID, ...]]:
    """Give each address's credentials, the oldest first.

    Args:
        connection: From `Store.reading`.
        emails: Addresses as `anchor.identity.normalize_email` gives them.
        batch: Only in this batch.

    Returns:
        By address; those that have none are left out.
    """
    email = credentials.c.recipient_email
    statement = (
        select(credentials.c.uuid, email)
        .where(email.is_not(None))
        .order_by(credentials.c.batch_id, credentials.c.leaf_index)
    )
    if len(emails) <= _EMAILS_A_QUESTION and all(map(str.isascii, emails)):
        # Databases agree on the case of these letters only.
        statement = statement.where(func.lower(email).in_(emails))
    found: defaultdict[str, list[UUID]] = defaultdict(list)
    for uuid, stored in _rows(connection, statement, batch):
        normalized = normalize_email(stored)
        if normalized in emails:
            found[normalized].append(UUID(bytes=uuid))
    return {each: tuple(uuids) for each, uuids in found.items()}


def names_at(
    connection: InstitutionConnection, registry: RegistryId, issuer_id: int, positions: Sequence[StatusPosition]
) -> tuple[str, ...]:
    """Give the names of those who have these status positions, as far as they are in the database."""
    names: list[str] = []
    of_issuer = select(issuers.c.id).where(
        of_institution(connection),
        issuers.c.registry == registry.to_text(),
        issuers.c.issuer_id == issuer_id,
    )
    for position in positions:
        number = position.status_list * LIST_SIZE + position.index
        statement = (
            select(credentials.c.recipient_name)
            .join(batches, batches.c.id == credentials.c.batch_id)
            .where(
                batches.c.issuer_ref.in_(of_issuer),
                batches.c.first_position <= number,
                batches.c.first_position + batches.c.size > number,
                credentials.c.leaf_index == number - batches.c.first_position,
            )
        )
        names += filter(None, connection.execute(statement).scalars())
    return tuple(names)


def _rows(
    connection: InstitutionConnection, statement: Select[tuple[Any, ...]], batch: BatchId | None
) -> Iterator[tuple[bytes, str]]:
    statement = statement.where(credentials.c.batch_id.in_(own_batches(connection)))
    if batch is not None:
        statement = statement.where(credentials.c.batch_id == batch)
    for row in connection.stream(statement, _ROWS_A_FETCH):
        yield row[0], row[1]
