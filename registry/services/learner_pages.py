"""Learners' pages: their addresses, for the institution; and what is shown at one, for whoever knows it.

    https://credentials.college.example/c/q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k

An address is 32 bytes that nobody can guess, in base64url. It is made when a batch is sealed; for batches that were
sealed elsewhere, such as by `credanchor issue`, when it is first asked for.

Upholds: an address leads to one credential of one institution, and to nothing else. One that was withdrawn or renewed
leads nowhere, like one that never was.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from registry.errors import ConflictError, NotFoundError
from registry.services.derived_secrets import DerivedSecrets
from registry.services.stored import credential_file
from registry.store.batches import get_batch, get_credential
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.engine import Store
from registry.store.learner_pages import (
    Derive,
    LearnerPage,
    add_pages,
    add_pages_of_batch,
    page_at,
    page_of,
    pages_of_batch,
    renew_page,
    withdraw_page,
)
from registry.store.records import BatchRecord, BatchState, CredentialRecord
from registry.store.replacements import successor_of

PAGES_PATH: Final = "/c"
_ADDRESS_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where one credential is shown."""

    credential: UUID
    url: str | None
    """None: it is withdrawn."""
    created_at: int
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
        self._derive: Final[Derive] = secrets.page_address
        self._public_url: Final = public_url

    def read(self, uuid: UUID, *, now: int) -> Address:
        """Tell where a credential is shown; makes an address if it never had one.

        Raises:
            NotFoundError: The institution has no such credential, or it was erased.
        """
        with self._store.reading() as connection:
            _require_kept(connection, uuid)
            try:
                return self._address(page_of(connection, uuid))
            except NotFoundError:
                pass  # sealed elsewhere
        with self._store.writing() as connection:
            return self._address(self._with_page(connection, uuid, now))

    def renew(self, connection: InstitutionConnection, uuid: UUID, *, now: int) -> Address:
        """Show a credential at another address, and at no other.

        Raises:
            NotFoundError: The institution has no such credential, or it was erased.
        """
        _require_kept(connection, uuid)
        return self._address(renew_page(connection, uuid, self._derive, now=now))

    def withdraw(self, connection: InstitutionConnection, uuid: UUID, *, now: int) -> Address:
        """Show a credential nowhere, until it gets another address; twice is as good as once.

        Raises:
            NotFoundError: The institution has no such credential.
        """
        page = self._with_page(connection, uuid, now)
        if page.withdrawn_at is None:
            withdraw_page(connection, uuid, now=now)
        return self._address(page_of(connection, uuid))

    def of_batch(self, batch: BatchRecord, *, now: int) -> Generator[AddressOfBatch]:
        """Tell where a batch's credentials are shown, in leaf order, as they are read.

        Args:
            batch: The institution's.
            now: Unix seconds; addresses that are missing are made first.
        """
        with self._store.writing() as connection:
            add_pages_of_batch(connection, batch.id, self._derive, now=now)
        return self._read_batch(batch)

    def _read_batch(self, batch: BatchRecord) -> Generator[AddressOfBatch]:
        with self._store.reading() as connection:
            for each in pages_of_batch(connection, batch.id):
                yield AddressOfBatch(
                    credential=each.credential,
                    recipient_name=each.recipient_name,
                    recipient_email=each.recipient_email,
                    url=None if each.is_withdrawn else self._url(each.credential, each.nonce),
                )

    def _with_page(self, connection: InstitutionConnection, uuid: UUID, now: int) -> LearnerPage:
        get_credential(connection, uuid)
        try:
            return page_of(connection, uuid)
        except NotFoundError:
            add_pages(connection, [uuid], self._derive, now=now)
            return page_of(connection, uuid)

    def _address(self, page: LearnerPage) -> Address:
        is_shown = page.withdrawn_at is None
        return Address(
            credential=page.credential,
            url=self._url(page.credential, page.nonce) if is_shown else None,
            created_at=page.created_at,
            renewed_at=page.renewed_at,
            withdrawn_at=page.withdrawn_at,
        )

    def _url(self, uuid: UUID, nonce: bytes) -> str:
        return f"{self._public_url}{PAGES_PATH}/{address_to_text(self._derive(uuid, nonce))}"


def read_shown(store: Store, address: str) -> Shown:
    """Give what is shown at an address, to anybody who knows it.

    Args:
        store: The operator's.
        address: As it stands in the path.

    Raises:
        NotFoundError: Nothing is, or not any more.
        ConflictError: Its batch is not anchored yet.
        StoreError: It is not the one that was sealed.
    """
    with store.operator_reading() as plain:
        page = page_at(plain, parse_address(address))
    with store.of(page.institution).reading() as connection:
        credential = _require_kept(connection, page.credential)
        batch = get_batch(connection, credential.batch)
        if batch.state is not BatchState.ANCHORED:
            raise ConflictError("the credential is not anchored yet")
        return Shown(
            file=credential_file(connection, batch, credential),
            institution=page.institution,
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
    if len(address) != _ADDRESS_BYTES or address_to_text(address) != text:
        raise NotFoundError("there is no page at this address")
    return address


def _require_kept(connection: InstitutionConnection, uuid: UUID) -> CredentialRecord:
    credential = get_credential(connection, uuid)
    if credential.is_erased:
        raise NotFoundError("the credential was erased: nothing of it is kept")
    return credential
