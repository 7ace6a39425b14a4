"""`credanchor reconcile --service`: status lists held against a real chain, with what a service would lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.client import LedgerClient
from anchor.status import LIST_SIZE, StatusPurpose, encoded_list, status_list_url
from registry.services.published_lists import ListIssuer, PublishedLists
from registry.store.engine import open_store
from tests.cli.test_incident import chain, college, office, registrar, session_chain, vault
from tests.cli.test_issuer import pass_time
from tests.cli.test_reconcile import files, kinds, position_of, reconcile
from tests.ledger.chain import DID, Chain
from tests.support.homes import Home
from tests.support.http_servers import answering

__all__ = ["chain", "college", "files", "office", "registrar", "session_chain", "vault"]


Change = Callable[[dict[str, Any]], object]


@contextmanager
def service(office: Home, chain: Chain, alter: Change = lambda _: None) -> Iterator[str]:
    """Serve status lists as the service makes them, with a change."""
    lists, store = PublishedLists(LedgerClient(chain.url)), open_store(f"sqlite:///{office.home / 'registry.db'}")

    def answer(path: str, _headers: Mapping[str, str]) -> tuple[int, bytes]:
        _, _, _, number, purpose = path.split("/")
        issuer = ListIssuer(registry=chain.registry, issuer_id=1, did=DID, public_url="https://x.example")
        document = json.loads(lists.read(store, issuer, int(number), StatusPurpose(purpose)))
        alter(document)
        return 200, json.dumps(document).encode()

    try:
        with answering(answer) as url:
            yield url
    finally:
        store.close()


def test_a_service_that_shows_what_is_so_is_no_difference(office: Home, files: list[Path], chain: Chain) -> None:
    assert office.run("revoke", files[0], "--yes", "--reason", "other")[0] == 0
    assert office.run("suspend", files[1], "--yes")[0] == 0
    with service(office, chain) as url:
        assert reconcile(office, "--service", url, exits=0) == []
        assert office.run("revoke", "--batch", 1, "--reason", "other", "--yes")[0] == 0
        assert reconcile(office, "--service", url, exits=0) == []


def test_a_service_that_hides_a_revocation_or_makes_one_up_is_found(
    office: Home, files: list[Path], chain: Chain
) -> None:
    assert office.run("revoke", files[0], "--yes", "--reason", "other")[0] == 0
    pass_time(chain, 2)  # in one second, several blocks may be: which one a list is of, it does not say
    status_list, index = position_of(files[0])

    def hide(document: dict[str, Any]) -> None:
        document["credentialSubject"]["encodedList"] = encoded_list({})

    with service(office, chain, hide) as url:
        (found,) = reconcile(office, "--service", url)
    assert (found["kind"], found["list"], found["index"]) == ("servedOtherwise", status_list, index)
    assert found["detail"].startswith("revocation as of ")
    assert found["detail"].endswith(": so, and not shown")

    def make_up(document: dict[str, Any]) -> None:
        document["credentialSubject"]["encodedList"] = encoded_list({511: (1 << 256) - 1})

    with service(office, chain, make_up) as url:
        differences = reconcile(office, "--service", url)
    assert kinds(differences) == ["servedOtherwise"] * 13
    assert "and 251 more of this list" in differences[5]["detail"]
    assert all(each["index"] >= LIST_SIZE - 256 or each["index"] == index for each in differences)


def test_a_service_that_is_behind_is_told_from_one_that_lies(office: Home, files: list[Path], chain: Chain) -> None:
    kept: dict[str, dict[str, Any]] = {}

    def stale(document: dict[str, Any]) -> None:
        before = dict(kept.setdefault(document["id"], dict(document)))
        document.clear()
        document.update(before)

    with service(office, chain, stale) as url:
        assert reconcile(office, "--service", url, exits=0) == []
        pass_time(chain, 2)
        assert office.run("revoke", files[0], "--yes", "--reason", "other")[0] == 0
        (found,) = reconcile(office, "--service", url)
    assert (found["kind"], found["list"]) == ("servedBehind", position_of(files[0])[0])


@pytest.mark.parametrize(
    "spoil",
    [
        {"validFrom": "yesterday"},
        {"credentialSubject": {"encodedList": "z1"}},
        {"credentialSubject": {"encodedList": "uAAAA"}},
        {"credentialSubject": None},
    ],
)
def test_what_is_no_status_list_decides_nothing(
    office: Home, files: list[Path], chain: Chain, spoil: dict[str, Any]
) -> None:
    with service(office, chain, lambda document: document.update(spoil)) as url:
        code, _, error = office.run("reconcile", "--service", url)
    assert (code, "is no status list" in error) == (3, True)
    assert status_list_url(url, 1, position_of(files[0])[0], StatusPurpose.REVOCATION) in error
