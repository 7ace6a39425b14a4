"""Learners' pages: which were renewed or withdrawn, and whose credential one is.

A page's address is derived from a key outside the database, and leads back to its credential by that key alone; so the
database, or a backup of it, has no address, and nothing is written when a batch is sealed. A row here is about a page
that is not as it was in the beginning. A renewed one has a nonce that is derived from, too: the old address leads
nowhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, select, update

from registry.errors import NotFoundError
from registry.store.batches import get_credential
from registry.store.bulk import insert_if_new
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.own import own_batch
from registry.store.records import BatchId
from registry.store.service_tables import learner_pages
from registry.store.tables import batches, credentials, issuers

NONCE_BYTES: Final = 16
FIRST: Final = b""
"""Nonce of a page that was never renewed."""
_ROWS_A_TIME: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerPage:
    """Where a credential is shown, but for the address."""

    credential: UUID
    nonce: bytes = FIRST
    renewed_at: int | None = None
    withdrawn_at: int | None = None
    """Since when it is shown nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOfBatch:
    """A page of one of a batch's credentials, and whose it is."""

    page: LearnerPage
    recipient_name: str
    recipient_email: str | None


def page_of(connection: InstitutionConnection, credential: UUID) -> LearnerPage:
    """Look up a credential's page.

    Raises:
        NotFoundError: The institution has no such credential.
    """
    get_credential(connection, credential)
    own = learner_pages.c.institution_ref == connection.institution
    row = connection.execute(
        select(learner_pages).where(own, learner_pages.c.credential_uuid == credential.bytes)
    ).one_or_none()
    if row is None:
        return LearnerPage(credential=credential)
    return LearnerPage(credential=credential, nonce=row.nonce, renewed_at=row.renewed_at, withdrawn_at=row.withdrawn_at)


def withdraw_page(connection: InstitutionConnection, credential: UUID, *, now: int) -> None:
    """Show a credential no more.

    Raises:
        NotFoundError: The institution has no such credential.
    """
    _change(connection, credential, {"withdrawn_at": now})


def renew_page(connection: InstitutionConnection, credential: UUID, *, now: int) -> None:
    """Show a credential at another address, and at no other; also one that was withdrawn.

    Raises:
        NotFoundError: The institution has no such credential.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    _change(connection, credential, {"nonce": nonce, "renewed_at": now, "withdrawn_at": None})


def pages_of_batch(connection: InstitutionConnection, batch: BatchId) -> Iterator[PageOfBatch]:
    """Give the pages of a batch in leaf order, as they are read; not those of people who were erased.

    Args:
        connection: From `Store.reading`.
        batch: The institution's.
    """
    pages = learner_pages.c
    statement = (
        select(
            *(credentials.c.uuid, credentials.c.recipient_name, credentials.c.recipient_email),
            *(pages.nonce, pages.renewed_at, pages.withdrawn_at),
        )
        .outerjoin(learner_pages, pages.credential_uuid == credentials.c.uuid)
        .where(credentials.c.batch_id == own_batch(connection, batch), credentials.c.erased_at.is_(None))
    )
    for row in connection.stream(statement.order_by(credentials.c.leaf_index), _ROWS_A_TIME):
        page = LearnerPage(
            credential=UUID(bytes=row.uuid),
            nonce=FIRST if row.nonce is None else row.nonce,
            renewed_at=row.renewed_at,
            withdrawn_at=row.withdrawn_at,
        )
        yield PageOfBatch(page=page, recipient_name=row.recipient_name, recipient_email=row.recipient_email)


def owner_of_credential(connection: Connection, credential: UUID) -> InstitutionId:
    """Tell whose a credential is, for whoever comes with the address of its page.

    Args:
        connection: From `Store.operator_reading`: whoever comes belongs to no institution.
        credential: Its UUID.

    Raises:
        NotFoundError: There is no such credential.
    """
    statement = (
        select(issuers.c.institution_ref)
        .join(batches, batches.c.issuer_ref == issuers.c.id)
        .join(credentials, credentials.c.batch_id == batches.c.id)
        .where(credentials.c.uuid == credential.bytes)
    )
    found = connection.execute(statement).scalar()
    if found is None:
        raise NotFoundError("there is no such credential")
    return InstitutionId(found)


def _change(connection: InstitutionConnection, credential: UUID, values: Mapping[str, Any]) -> None:
    get_credential(connection, credential)
    row = {"credential_uuid": credential.bytes, "institution_ref": connection.institution, "nonce": FIRST}
    # Somebody else may be changing it at this moment, for the first time too.
    insert_if_new(connection, learner_pages, row)
    own = learner_pages.c.institution_ref == connection.institution
    connection.execute(
        update(learner_pages).where(own, learner_pages.c.credential_uuid == credential.bytes).values(**values)
    )
