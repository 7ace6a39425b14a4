"""Learners' pages: shown at an address that the database does not have."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from registry.errors import NotFoundError
from registry.services.derived_secrets import DerivedSecrets
from registry.services.learner_pages import LearnerPages, address_to_text, parse_address, read_shown
from registry.store.batches import move_batch
from registry.store.engine import Store
from registry.store.erasure import erase_credentials
from registry.store.records import BatchRecord, BatchState
from registry.store.service_tables import learner_pages
from tests.support.institutions import add
from tests.support.registry import NOW, frame_of, recipients_of, seal

SECRETS = DerivedSecrets(b"a key of 32 bytes, known to some")
URL = "https://credentials.college.example"


def test_a_page_is_renewed_and_withdrawn(store: Store) -> None:
    college = store.of(add(store, "college"))
    batch = seal(college, frame_of(), recipients_of(30))
    pages = LearnerPages(college, SECRETS, URL)
    first, *others = pages.of_batch(batch)
    assert (len(others), len({each.url for each in others} | {first.url})) == (29, 30)
    with store.operator_reading() as connection:
        assert connection.execute(select(learner_pages)).all() == []
    assert pages.read(first.credential).url == first.url
    with college.writing() as connection:
        renewed = pages.renew(connection, first.credential, now=NOW)
        again = pages.renew(connection, first.credential, now=NOW + 1)
    assert len({first.url, renewed.url, again.url}) == 3
    assert (again.renewed_at, again.withdrawn_at) == (NOW + 1, None)
    for moment in (NOW + 2, NOW + 3):
        with college.writing() as connection:
            gone = pages.withdraw(connection, first.credential, now=moment)
        assert (gone.url, gone.withdrawn_at) == (None, NOW + 2)
    assert [each.url for each in pages.of_batch(batch)] == [None, *(each.url for each in others)]
    with college.writing() as connection:
        back = pages.renew(connection, first.credential, now=NOW + 4)
    assert back.url not in {None, first.url, renewed.url, again.url}
    assert back.withdrawn_at is None


def test_an_erased_credential_has_no_page(store: Store) -> None:
    batch = seal(store, frame_of(), recipients_of(2))
    pages = LearnerPages(store, SECRETS, URL)
    first, second = pages.of_batch(batch)
    with store.writing() as connection:
        erase_credentials(connection, [first.credential], now=NOW)
        for change in (pages.renew, pages.withdraw):
            with pytest.raises(NotFoundError):
                change(connection, first.credential, now=NOW)
    assert list(pages.of_batch(batch)) == [second]
    with pytest.raises(NotFoundError):
        pages.read(first.credential)
    with pytest.raises(NotFoundError):
        read_shown(store, SECRETS, str(first.url).rpartition("/")[2])


@pytest.mark.parametrize("alter", [lambda text: text[:-1] + "!", lambda text: text[:-1], lambda text: text + "A"])
def test_an_address_has_one_spelling(alter: object) -> None:
    address = SECRETS.page_address(uuid4(), b"")
    text = address_to_text(address)
    assert parse_address(text) == address
    assert callable(alter)
    with pytest.raises(NotFoundError):
        parse_address(alter(text))
    # The last character has two bits that stand for nothing.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]
    with pytest.raises(NotFoundError):
        parse_address(other)


def test_nothing_of_an_address_can_be_changed(store: Store) -> None:
    anchored(store, seal(store, frame_of(), recipients_of(1)))
    (uuid,) = [UUID(bytes=each) for each in uuids(store)]
    address = SECRETS.page_address(uuid, b"")
    assert str(uuid).encode() in read_shown(store, SECRETS, address_to_text(address)).file
    for place in range(len(address)):
        altered = bytearray(address)
        altered[place] ^= 1
        with pytest.raises(NotFoundError):
            read_shown(store, SECRETS, address_to_text(bytes(altered)))
    # Who knows two credentials' ids can turn one's address into bytes that lead to the other: its tag is not right.
    anchored(store, seal(store, frame_of(), recipients_of(1), again=True))
    (other,) = {UUID(bytes=each) for each in uuids(store)} - {uuid}
    led = bytes(one ^ two ^ three for one, two, three in zip(address[16:], uuid.bytes, other.bytes, strict=True))
    turned = address[:16] + led
    assert SECRETS.credential_at(turned) == other
    with pytest.raises(NotFoundError):
        read_shown(store, SECRETS, address_to_text(turned))
    forged = DerivedSecrets(bytes(32)).page_address(uuid, b"")
    with pytest.raises(NotFoundError):
        read_shown(store, SECRETS, address_to_text(forged))


def anchored(store: Store, batch: BatchRecord) -> None:
    with store.writing() as connection:
        move_batch(connection, batch, BatchState.ANCHORED)


def uuids(store: Store) -> list[bytes]:
    from registry.store.tables import credentials

    with store.operator_reading() as connection:
        return list(connection.execute(select(credentials.c.uuid)).scalars())
