"""Looking for people in the database: names whatever their accents, e-mails whatever their case."""

from __future__ import annotations

import pytest

from anchor.model import StatusPosition
from registry.services.find import Query, find, parse_id, parse_query
from registry.services.recipient import Recipient
from registry.store import people
from registry.store.batches import iterate_credentials
from registry.store.engine import Store
from registry.store.people import fold, names_at, uuids_by_email
from registry.store.records import BatchId
from tests.support.registry import REGISTRY, frame_of, seal

PEOPLE = [
    Recipient(name="Zoé Lévesque", email="Zoe@Example.org"),
    Recipient(name="Łukasz O’Brien", email="lukasz@example.org"),
    Recipient(name="ᐊᓇ ᐃᓄᒃ"),
    Recipient(name="zoe levesque-roy", email="Éva@exemple.org"),
    Recipient(name="T'áncháy Sʔóləł", email="tanchay@example.org"),
]


@pytest.fixture
def store(store: Store) -> Store:
    seal(store, frame_of(), PEOPLE)
    return store


def found_names(store: Store, *texts: str, limit: int = 10) -> list[str]:
    return sorted(each.credential.recipient_name for each in find(store, parse_query(texts), limit)[0])


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["LEVESQUE"], ["Zoé Lévesque", "zoe levesque-roy"]),
        (["lévesque roy"], ["zoe levesque-roy"]),
        (["zoë", "roy"], ["zoe levesque-roy"]),
        (["lukasz o'brien"], ["Łukasz O’Brien"]),
        (["ᐃᓄᒃ"], ["ᐊᓇ ᐃᓄᒃ"]),
        (["sʔoləl"], ["T'áncháy Sʔóləł"]),
        (["zoe@example.org"], ["Zoé Lévesque"]),
        (["ÉVA@EXEMPLE.org"], ["zoe levesque-roy"]),
        (["example.org"], []),
        (["oe@example.org"], []),
        (["zoe@example.org", "ᐊᓇ"], ["Zoé Lévesque", "ᐊᓇ ᐃᓄᒃ"]),
        (["%"], []),
    ],
)
def test_what_is_found(store: Store, texts: list[str], names: list[str]) -> None:
    assert found_names(store, *texts) == names


def test_more_than_the_limit(store: Store) -> None:
    found, has_more = find(store, parse_query(["zoe"]), 1)
    assert (len(found), has_more) == (1, True)
    assert find(store, parse_query(["zoe"]), 2)[1] is False


def test_each_is_found_once(store: Store) -> None:
    (each,), _ = find(store, parse_query(["zoe@example.org"]), 10)
    again = parse_query(["zoe@example.org", each.credential.uuid.urn, str(each.credential.uuid).upper(), "ZOÉ LÉV"])
    assert len(find(store, again, 10)[0]) == 2


def test_only_in_one_batch(store: Store) -> None:
    second = seal(store, frame_of(), PEOPLE[:2])
    assert len(find(store, Query(name_parts=("zoe",)), 10)[0]) == 3
    (each,), _ = find(store, Query(name_parts=("zoe",), batch=second.id), 10)
    assert each.batch == second
    assert len(find(store, Query(emails=("zoe@example.org",), batch=second.id), 10)[0]) == 1
    first_ones = Query(uuids=(each.credential.uuid,), batch=BatchId(1))
    assert find(store, first_ones, 10) == ((), False)


def test_many_addresses_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"zoe@example.org", "tanchay@example.org", "nobody@example.org"}
    with store.reading() as connection:
        few = uuids_by_email(connection, wanted)
        monkeypatch.setattr(people, "_EMAILS_A_QUESTION", 1)
        assert uuids_by_email(connection, wanted) == few
    assert few.keys() == wanted - {"nobody@example.org"}


def test_names_by_status_position(store: Store) -> None:
    with store.reading() as connection:
        each = next(iterate_credentials(connection, BatchId(1)))
        nobody = StatusPosition(status_list=each.position.status_list, index=99)
        assert names_at(connection, REGISTRY, 1, [each.position, nobody]) == (each.recipient_name,)


@pytest.mark.parametrize("text", ["", "zoe", "urn:uuid:8d8a9c1e", "8d8a9c1e-0000-4000-8000-00000000000g"])
def test_what_is_no_id(text: str) -> None:
    assert parse_id(text) is None


def test_folding_changes_no_other_scripts() -> None:
    assert fold("ᐊᓇ हिन्दी محمّد") == "ᐊᓇ हिन्दी محمّد"
