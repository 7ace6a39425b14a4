"""Learners' pages: their addresses, for the institution; and what is shown at one, for whoever knows it.

    https://credentials.college.example/c/q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k

An address is 32 bytes that nobody can guess, in base64url. It is derived, and kept nowhere: every credential has one
from the moment it is sealed, whoever sealed it.

Upholds: an address leads to one credential of one institution, and to nothing else. One that was withdrawn or renewed
leads nowhere, like one that never was.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from registry.errors import ConflictError, NotFoundError
from registry.services.derived_secrets import ADDRESS_BYTES, DerivedSecrets
from registry.services.stored import credential_file
from registry.store.batches import get_batch, get_credential
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.engine import Store
from registry.store.learner_pages import (
    LearnerPage,
    owner_of_credential,
    page_of,
    pages_of_batch,
    renew_page,
    withdraw_page,
)
from registry.store.records import BatchRecord, BatchState, CredentialRecord
from registry.store.replacements import successor_of

PAGES_PATH: Final = "/c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where one credential is shown."""

    credential: UUID
    url: str | None
    """None: it is withdrawn."""
    renewed_at: int | None
    withdrawn_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressOfBatch:
    """Where one credential of a batch is shown, and whom to tell."""

    credential: UUID
    recipient_name: str
    recipient_email: str | None
    url: str | None
    """None: it is withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown at an address."""

    file: bytes
    """The credential with its anchor proof."""
    institution: InstitutionId
    """Whose it is."""
    batch: BatchRecord
    is_replaced: bool
    """Another one was issued in its place."""


class LearnerPages:
    """Addresses of one institution's credentials.

    Args:
        store: The institution's.
        secrets: What addresses are derived from.
        public_url: Where the service is reached, for the institution; without a slash at the end.
    """

    def __init__(self, store: Store, secrets: DerivedSecrets, public_url: str) -> None:
        self._store: Final = store
        self._secrets: Final = secrets
        self._public_url: Final = public_url

    def read(self, uuid: UUID) -> Address:
        """Tell where a credential is shown.

        Raises:
            NotFoundError: The institution has no such credential, or it was erased.
        """
        with self._store.reading() as connection:
            _require_kept(connection, uuid)
            return self._address(page_of(connection, uuid))

    def renew(self, connection: InstitutionConnection, uuid: UUID, *, now: int) -> Address:
        """Show a credential at another address, and at no other.

        Raises:
            NotFoundError: The institution has no such credential, or it was erased.
        """
        _require_kept(connection, uuid)
        renew_page(connection, uuid, now=now)
        return self._address(page_of(connection, uuid))

    def withdraw(self, connection: InstitutionConnection, uuid: UUID, *, now: int) -> Address:
        """Show a credential nowhere, until it gets another address; twice is as good as once.

        Raises:
            NotFoundError: The institution has no such credential, or it was erased.
        """
        _require_kept(connection, uuid)
        if page_of(connection, uuid).withdrawn_at is None:
            withdraw_page(connection, uuid, now=now)
        return self._address(page_of(connection, uuid))

    def of_batch(self, batch: BatchRecord) -> Generator[AddressOfBatch]:
        """Tell where a batch's credentials are shown, in leaf order, as they are read.

        Args:
            batch: The institution's.
        """
        with self._store.reading() as connection:
            for each in pages_of_batch(connection, batch.id):
                yield AddressOfBatch(
                    credential=each.page.credential,
                    recipient_name=each.recipient_name,
                    recipient_email=each.recipient_email,
                    url=self._url(each.page),
                )

    def _address(self, page: LearnerPage) -> Address:
        return Address(
            credential=page.credential,
            url=self._url(page),
            renewed_at=page.renewed_at,
            withdrawn_at=page.withdrawn_at,
        )

    def _url(self, page: LearnerPage) -> str | None:
        if page.withdrawn_at is not None:
            return None
        address = self._secrets.page_address(page.credential, page.nonce)
        return f"{self._public_url}{PAGES_PATH}/{address_to_text(address)}"


def read_shown(store: Store, secrets: DerivedSecrets, address: str) -> Shown:
    """Give what is shown at an address, to anybody who knows it.

    Args:
        store: The operator's.
        secrets: What addresses are derived from.
        address: As it stands in the path.

    Raises:
        NotFoundError: Nothing is, or not any more.
        ConflictError: Its batch is not anchored yet.
        StoreError: It is not the one that was sealed.
    """
    given = parse_address(address)
    uuid = secrets.credential_at(given)
    with store.operator_reading() as plain:
        institution = owner_of_credential(plain, uuid)
    with store.of(institution).reading() as connection:
        credential, page = _require_kept(connection, uuid), page_of(connection, uuid)
        is_right = hmac.compare_digest(secrets.page_address(uuid, page.nonce), given)
        if not is_right or page.withdrawn_at is not None:
            raise NotFoundError("there is no page at this address")
        batch = get_batch(connection, credential.batch)
        if batch.state is not BatchState.ANCHORED:
            raise ConflictError("the credential is not anchored yet")
        return Shown(
            file=credential_file(connection, batch, credential),
            institution=institution,
            batch=batch,
            is_replaced=successor_of(connection, credential.uuid) is not None,
        )


def address_to_text(address: bytes) -> str:
    """Write an address as it stands in a path."""
    return base64.urlsafe_b64encode(address).decode().rstrip("=")


def parse_address(text: str) -> bytes:
    """Read an address; of several texts that stand for the same bytes, one is good.

    Raises:
        NotFoundError: It is none.
    """
    try:
        address = base64.b64decode(f"{text}=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        address = b""
    if len(address) != ADDRESS_BYTES or address_to_text(address) != text:
        raise NotFoundError("there is no page at this address")
    return address


def _require_kept(connection: InstitutionConnection, uuid: UUID) -> CredentialRecord:
    credential = get_credential(connection, uuid)
    if credential.is_erased:
        raise NotFoundError("the credential was erased: nothing of it is kept")
    return credential
