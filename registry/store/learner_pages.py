"""Learners' pages: which credential is shown at an address that nobody can guess.

The address is 32 bytes, derived from a nonce that is kept here and a key that is not; here is only its SHA-256. So
whoever reads the database, or a backup of it, has no address, and the institution can be told one again as often as it
asks. A renewed address has a new nonce: the old one leads nowhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, select, update

from registry.errors import NotFoundError
from registry.store.batches import get_credential
from registry.store.bulk import insert_rows
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.own import own_batch
from registry.store.records import BatchId
from registry.store.service_tables import learner_pages
from registry.store.tables import credentials

NONCE_BYTES: Final = 16
_ROWS_A_TIME: Final = 10_000

Derive = Callable[[UUID, bytes], bytes]
"""From a credential and a nonce, the 32 bytes of the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerPage:
    """Where a credential is shown, but for the address."""

    credential: UUID
    institution: InstitutionId
    nonce: bytes
    created_at: int
    renewed_at: int | None
    withdrawn_at: int | None
    """Since when it is shown nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOfBatch:
    """One credential of a batch, whose it is, and where it is shown."""

    credential: UUID
    recipient_name: str
    recipient_email: str | None
    nonce: bytes
    is_withdrawn: bool


def add_pages(connection: InstitutionConnection, uuids: Sequence[UUID], derive: Derive, *, now: int) -> None:
    """Give credentials an address each.

    Args:
        connection: From `Store.writing`.
        uuids: Of the institution's credentials, without a page so far.
        derive: Gives the address.
        now: Unix seconds.
    """
    nonces = secrets.token_bytes(NONCE_BYTES * len(uuids))
    rows = []
    for number, credential in enumerate(uuids):
        nonce = nonces[number * NONCE_BYTES : (number + 1) * NONCE_BYTES]
        rows.append((credential.bytes, connection.institution, nonce, _hash(derive(credential, nonce)), now))
    insert_rows(
        connection, learner_pages, ("credential_uuid", "institution_ref", "nonce", "address_hash", "created_at"), rows
    )


def add_pages_of_batch(connection: InstitutionConnection, batch: BatchId, derive: Derive, *, now: int) -> None:
    """Give all credentials of a batch an address, but for those that have one or were erased.

    Args:
        connection: From `Store.writing`.
        batch: The institution's.
        derive: Gives the address.
        now: Unix seconds.
    """
    place = credentials.c.leaf_index
    without = (
        select(place, credentials.c.uuid)
        .outerjoin(learner_pages, learner_pages.c.credential_uuid == credentials.c.uuid)
        .where(
            credentials.c.batch_id == own_batch(connection, batch),
            credentials.c.erased_at.is_(None),
            learner_pages.c.credential_uuid.is_(None),
        )
        .order_by(place)
        .limit(_ROWS_A_TIME)
    )
    last = -1
    while found := connection.execute(without.where(place > last)).all():
        add_pages(connection, [UUID(bytes=row.uuid) for row in found], derive, now=now)
        last = found[-1].leaf_index


def pages_of_batch(connection: InstitutionConnection, batch: BatchId) -> Iterator[PageOfBatch]:
    """Give the pages of a batch in leaf order, as they come; not those of people who were erased.

    Args:
        connection: From `Store.reading`.
        batch: The institution's.
    """
    named = credentials.c.recipient_name, credentials.c.recipient_email
    statement = (
        select(learner_pages.c.credential_uuid, *named, learner_pages.c.nonce, learner_pages.c.withdrawn_at)
        .join(credentials, credentials.c.uuid == learner_pages.c.credential_uuid)
        .where(
            credentials.c.batch_id == own_batch(connection, batch),
            learner_pages.c.institution_ref == connection.institution,
            credentials.c.erased_at.is_(None),
        )
    )
    for row in connection.stream(statement.order_by(credentials.c.leaf_index), _ROWS_A_TIME):
        yield PageOfBatch(
            credential=UUID(bytes=row.credential_uuid),
            recipient_name=row.recipient_name,
            recipient_email=row.recipient_email,
            nonce=row.nonce,
            is_withdrawn=row.withdrawn_at is not None,
        )


def page_at(connection: Connection, address: bytes) -> LearnerPage:
    """Tell which credential is shown at an address, to anybody who knows it.

    Args:
        connection: From `Store.operator_reading`: whoever comes belongs to no institution.
        address: 32 bytes.

    Raises:
        NotFoundError: None is, or not any more.
    """
    statement = select(learner_pages).where(
        learner_pages.c.address_hash == _hash(address), learner_pages.c.withdrawn_at.is_(None)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFoundError("there is no page at this address")
    return _page(row)


def page_of(connection: InstitutionConnection, credential: UUID) -> LearnerPage:
    """Look up a credential's page.

    Raises:
        NotFoundError: The institution has no such credential, or it has no page.
    """
    row = connection.execute(select(learner_pages).where(*_own(connection, credential))).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no page of credential {credential}")
    return _page(row)


def withdraw_page(connection: InstitutionConnection, credential: UUID, *, now: int) -> None:
    """Show a credential no more.

    Raises:
        NotFoundError: The institution has no such credential, or it has no page, or that is withdrawn.
    """
    row = update(learner_pages).where(*_own(connection, credential), learner_pages.c.withdrawn_at.is_(None))
    if connection.execute(row.values(withdrawn_at=now)).rowcount != 1:
        raise NotFoundError(f"there is no page of credential {credential}, or it is withdrawn")


def renew_page(connection: InstitutionConnection, credential: UUID, derive: Derive, *, now: int) -> LearnerPage:
    """Show a credential at another address, and at no other; also one that was withdrawn, or shown nowhere so far.

    Raises:
        NotFoundError: The institution has no such credential.
    """
    get_credential(connection, credential)
    nonce = secrets.token_bytes(NONCE_BYTES)
    address_hash = _hash(derive(credential, nonce))
    values = {"nonce": nonce, "address_hash": address_hash, "renewed_at": now, "withdrawn_at": None}
    row = update(learner_pages).where(*_own(connection, credential)).values(values)
    if connection.execute(row).rowcount != 1:
        add_pages(connection, [credential], derive, now=now)
    return page_of(connection, credential)


def _own(connection: InstitutionConnection, credential: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        learner_pages.c.institution_ref == connection.institution,
        learner_pages.c.credential_uuid == credential.bytes,
    )


def _hash(address: bytes) -> bytes:
    return sha256(address).digest()


def _page(row: Row[*tuple[Any, ...]]) -> LearnerPage:
    return LearnerPage(
        credential=UUID(bytes=row.credential_uuid),
        institution=InstitutionId(row.institution_ref),
        nonce=row.nonce,
        created_at=row.created_at,
        renewed_at=row.renewed_at,
        withdrawn_at=row.withdrawn_at,
    )
