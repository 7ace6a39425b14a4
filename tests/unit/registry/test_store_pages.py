"""Learners' pages: shown at an address that the database does not have."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from registry.errors import NotFoundError
from registry.store.batches import iterate_credentials
from registry.store.engine import Store
from registry.store.learner_pages import add_pages, page_at, page_of, renew_page, withdraw_page
from registry.store.service_tables import learner_pages
from tests.support.institutions import add
from tests.support.registry import NOW, frame_of, recipients_of, seal


def address_of(credential: UUID, nonce: bytes) -> bytes:
    return credential.bytes + nonce


def shown_at(store: Store, address: bytes) -> UUID | None:
    with store.operator_reading() as connection:
        try:
            return page_at(connection, address).credential
        except NotFoundError:
            return None


def test_a_page_is_shown_withdrawn_and_renewed(store: Store) -> None:
    college = store.of(add(store, "college"))
    batch = seal(college, frame_of(), recipients_of(30))
    with college.writing() as connection:
        uuids = [each.uuid for each in iterate_credentials(connection, batch.id)]
        add_pages(connection, uuids[1:], address_of, now=NOW)
        first = page_of(connection, uuids[1])
        with pytest.raises(NotFoundError):
            page_of(connection, uuids[0])
    address = address_of(first.credential, first.nonce)
    assert shown_at(store, address) == uuids[1]
    assert shown_at(store, bytes(32)) is None
    with store.operator_reading() as connection:
        rows = connection.execute(select(learner_pages)).all()
    assert len({row.nonce for row in rows}) == 29
    assert address not in [row.address_hash for row in rows]
    with college.writing() as connection:
        withdraw_page(connection, uuids[1], now=NOW + 1)
        with pytest.raises(NotFoundError):
            withdraw_page(connection, uuids[1], now=NOW + 1)
    assert shown_at(store, address) is None
    with college.writing() as connection:
        renewed = renew_page(connection, uuids[1], address_of, now=NOW + 2)
        new = renew_page(connection, uuids[0], address_of, now=NOW + 2)
    assert (renewed.renewed_at, renewed.withdrawn_at, renewed.created_at) == (NOW + 2, None, NOW)
    assert shown_at(store, address) is None
    assert [shown_at(store, address_of(each.credential, each.nonce)) for each in (renewed, new)] == uuids[1::-1]
