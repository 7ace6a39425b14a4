"""Learners' pages: shown to whoever knows the address; the institution renews and withdraws them."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from anchor.credential import Credential
from anchor.errors import LedgerUnavailableError
from anchor.evidence import Evidence
from anchor.ledger.gathering import gather_evidence
from anchor.model import Policy, to_hex
from anchor.status import mask_of, word_of
from registry.api.limits import RateLimiter
from registry.services import page_verdicts
from registry.store.audit_log import list_entries
from registry.store.erasure import erase_credentials
from registry.store.replacements import keep_replacement
from registry.store.service_tables import idempotency_keys
from tests.api.conftest import PUBLIC_URL
from tests.api.town import Resident, Town
from tests.ledger.chain import REASON, STATUS_KEY

FRENCH = {"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"}


def url_of(town: Town, number: int = 0, resident: Resident | None = None) -> str:
    """Where a credential is shown, as its institution is told."""
    here = resident or town.here
    key = {"Authorization": f"Bearer {here.keys['read']}"}
    answer = town.client.get(f"/v1/credentials/{here.credentials()[number].uuid}/page", headers=key)
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["url"]
    assert url.startswith(f"{PUBLIC_URL}/c/")
    return url.removeprefix(PUBLIC_URL)


def change(town: Town, method: str, number: int = 0, key: str | None = None) -> Any:
    path = f"/v1/credentials/{town.here.credentials()[number].uuid}/page"
    headers = {"Authorization": f"Bearer {town.here.keys['issue']}"} | ({} if key is None else {"Idempotency-Key": key})
    return town.client.request(method, path, headers=headers)


def status_in(html: str) -> str:
    found = re.search(r'<section class="card status [a-z]+".*?</span> ([^<]+)</h2>', html, re.DOTALL)
    assert found, html
    return found[1]


def test_a_page_shows_one_credential_and_gives_its_files(town: Town) -> None:
    path, credential = url_of(town), town.here.credentials()[0]
    answer = town.client.get(path, headers=FRENCH)
    assert (answer.status_code, answer.headers["content-language"]) == (200, "fr")
    assert credential.recipient_name in answer.text
    assert status_in(answer.text) == "Valide"
    assert PUBLIC_URL + path in answer.text
    assert (town.client.head(path).status_code, town.client.head("/c/nowhere").status_code) == (200, 404)
    others = [each.recipient_name for each in town.here.credentials() if each != credential]
    assert not any(name in answer.text for name in others)
    assert not any(secret in answer.text for secret in town.there.secrets())
    file = town.client.get(f"{path}/credential.json")
    assert file.json()["id"] == credential.uuid.urn
    assert file.headers["content-disposition"] == 'attachment; filename="litteratie-des-donnees.json"'
    bundle = town.client.get(f"{path}/bundle.json")
    verdict = town.client.post(
        "/v1/verify/bundle", content=bundle.content, headers={"Content-Type": "application/json"}
    )
    assert verdict.json()["counts"]["valid"] == 1


def test_the_language_is_the_one_asked_for(town: Town) -> None:
    known = url_of(town)
    for query, accept, language in (
        ("", "", "en"),
        ("?lang=fr", "en", "fr"),
        ("?lang=en", "fr", "en"),
        ("?lang=xx", "fr", "fr"),
        ("", "de, fr;q=0.1", "fr"),
    ):
        for path in (known, "/c/nowhere"):
            answer = town.client.get(path + query, headers={"Accept-Language": accept})
            assert f'<html lang="{language}">' in answer.text
            assert answer.headers["vary"] == "Accept-Language"
            other = {"en": "fr", "fr": "en"}[language]
            assert f'<a href="?lang={other}" lang="{other}"' in answer.text
            assert "set-cookie" not in answer.headers


def test_a_page_is_kept_and_passed_on_by_nobody(town: Town) -> None:
    path = url_of(town)
    for each in (path, f"{path}/credential.json", f"{path}/bundle.json", "/c/nowhere"):
        answer = town.client.get(each)
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "script" not in policy
        assert "unsafe" not in policy
    html = town.client.get(path).text
    # What previews show says nothing of the learner.
    head = html.partition("</head>")[0]
    assert "og:title" in head
    assert town.here.credentials()[0].recipient_name not in head
    assert path.rpartition("/")[2] not in head


def test_an_address_is_in_no_log_and_in_nothing_that_is_counted(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    path = url_of(town)
    secret = path.rpartition("/")[2]
    noted = io.BytesIO()
    town.app.state.context.log.open(noted)
    with caplog.at_level(logging.DEBUG):
        for each in (path, f"{path}/credential.json", f"{path}?lang=fr", f"{path}/elsewhere", f"{path}!"):
            town.client.get(each)
    log = noted.getvalue().decode()
    assert log.count('"route":"/c/{address}"') == 3
    assert secret not in log + town.client.get("/metrics").text
    # What is logged here by the client of the test is the client's.
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert not any(secret in message for message in ours)


def test_a_renewed_address_and_a_withdrawn_one_lead_nowhere(any_town: Town) -> None:
    town = any_town
    first = url_of(town)
    renewed = change(town, "POST").json()
    second = renewed["url"].removeprefix(PUBLIC_URL)
    assert renewed["renewedAt"] is not None
    assert (town.client.get(first).status_code, town.client.get(second).status_code) == (404, 200)
    gone = change(town, "DELETE").json()
    assert (gone["url"], gone["withdrawnAt"] is None) == (None, False)
    for old in (first, second):
        for ending in ("", "/credential.json", "/bundle.json"):
            answer = town.client.get(old + ending, headers=FRENCH)
            assert answer.status_code == 404
            assert "Il n’y a pas de page ici" in answer.text
    assert town.get(f"/v1/credentials/{town.here.credentials()[0].uuid}/page").json()["url"] is None
    assert town.client.get(url_of(town, 1)).status_code == 200
    third = change(town, "POST").json()["url"].removeprefix(PUBLIC_URL)
    assert town.client.get(third).status_code == 200
    with town.here.store.reading() as connection:
        actions = [each.action for each in list_entries(connection, limit=1000)]
    assert [each for each in actions if each.startswith("page.")] == ["page.renew", "page.withdraw", "page.renew"]


def test_the_same_renewal_is_done_once_and_its_address_is_not_kept(town: Town) -> None:
    first, again = (change(town, "POST", key="once") for _ in range(2))
    assert first.json() == again.json()
    assert first.json()["url"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    with town.here.store.reading() as connection:
        kept = connection.execute(select(idempotency_keys)).all()
    secret = first.json()["url"].rpartition("/")[2]
    assert len(kept) == 1
    assert secret not in repr(kept)


def test_addresses_of_a_batch_come_as_a_table_and_line_by_line(any_town: Town) -> None:
    town = any_town
    change(town, "DELETE", 2)
    path = f"/v1/batches/{to_hex(town.here.anchored.root)}/pages"
    table = town.get(path)
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    lines = [json.loads(line) for line in town.get(f"{path}?format=ndjson").text.splitlines()]
    assert [{name: value or "" for name, value in line.items()} for line in lines] == rows
    assert [line["id"] for line in lines] == [each.uuid.urn for each in town.here.credentials()]
    assert [line["name"] for line in lines] == [each.recipient_name for each in town.here.credentials()]
    assert lines[2]["url"] is None
    for line in lines[:2]:
        answer = town.client.get(line["url"].removeprefix(PUBLIC_URL))
        assert line["name"] in answer.text


def test_addresses_are_nobody_elses(town: Town) -> None:
    """The page of another's credential is as good as none; those of both are different in everything."""
    here, there = url_of(town), url_of(town, resident=town.there)
    assert here != there
    mixed = here[: len("/c/") + 20] + there[len("/c/") + 20 :]
    for path in (mixed, here[:-1], here + "A", "/c/" + "A" * 43, "/c/..%2f..%2fetc", "/c/%00", "/c/é"):
        answer = town.client.get(path)
        assert answer.status_code == 404, path
        people = [person for each in (town.here, town.there) for person in each.credentials()]
        assert not any(person.recipient_name in answer.text for person in people)


def test_what_is_not_as_usual_is_said(town: Town) -> None:
    # Not anchored yet.
    waiting = town.here.credentials(town.here.sealed)[0]
    url = town.get(f"/v1/credentials/{waiting.uuid}/page").json()["url"].removeprefix(PUBLIC_URL)
    answer = town.client.get(url)
    assert answer.status_code == 200
    assert "Not quite ready" in answer.text
    assert waiting.recipient_name not in answer.text
    assert town.client.get(f"{url}/credential.json").status_code == 404
    # Replaced: it does not lead to the other one.
    old, new = (each.uuid for each in town.here.credentials()[:2])
    path, other = url_of(town), url_of(town, 1)
    with town.here.store.writing() as connection:
        keep_replacement(connection, old, new)
    html = town.client.get(path).text
    assert "issued another credential in place of this one" in html
    assert other not in html
    # Erased.
    with town.here.store.writing() as connection:
        erase_credentials(connection, [old], now=town.service.now())
    assert town.client.get(path).status_code == 404
    assert change(town, "POST").status_code == 404


def test_too_many_requests_are_refused_in_words(town: Town) -> None:
    path, limiter = url_of(town), RateLimiter(1, lambda: 0.0)
    context = replace(town.app.state.context, anonymous=limiter)
    town.app.state.context = context
    assert town.client.get(path).status_code == 200
    answer = town.client.get(path, headers=FRENCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "Trop de demandes" in answer.text


@pytest.fixture
def node_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often nodes were asked: one entry each."""
    calls: list[int] = []

    def counted(credentials: list[Credential], policy: Policy) -> Evidence:
        calls.append(len(credentials))
        return gather_evidence(credentials, policy)

    monkeypatch.setattr(page_verdicts, "gather_evidence", counted)
    return calls


def test_nodes_are_asked_once_for_many_looks_at_a_batch(town: Town, node_calls: list[int]) -> None:
    paths = [url_of(town, number) for number in range(4)]
    assert {status_in(town.client.get(path).text) for path in paths for _ in range(2)} == {"Valid"}
    assert len(node_calls) == 1


def test_a_revocation_shows_within_seconds(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = url_of(town), url_of(town, 1)
    assert status_in(town.client.get(path).text) == "Valid"
    position = town.here.credentials()[0].position
    call = town.chain.contract.revoke(
        issuer_id=town.here.issuer_id,
        status_list=position.status_list,
        words=[word_of(position.index)],
        masks=[mask_of(position.index)],
        reason=REASON,
    )
    town.chain.execute(STATUS_KEY, call)
    monkeypatch.setattr(page_verdicts, "REMEMBERED_SECONDS", 0.0)
    assert status_in(town.client.get(path).text) == "Revoked"
    assert status_in(town.client.get(other).text) == "Valid"


def test_a_node_that_does_not_answer_makes_it_unknown_and_the_page_is_there(town: Town) -> None:
    path = url_of(town)
    # What was proven to somebody whom the policy trusts no more counts no more.
    assert status_in(town.client.get(path).text) == "Valid"
    policy = json.loads((town.folder / "policy.json").read_text())
    (town.folder / "policy.json").write_text(json.dumps({**policy, "nodes": ["http://127.0.0.1:9"]}))
    answer = town.client.get(path)
    assert answer.status_code == 200
    assert status_in(answer.text) == "Status not known just now"
    assert town.here.credentials()[0].recipient_name in answer.text
    (town.folder / "policy.json").write_text("{}")
    assert status_in(town.client.get(path).text) == "Status not known just now"


def test_a_bundle_that_cannot_be_made_is_told_to_people(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> bytes:
        raise LedgerUnavailableError("http://10.0.0.1 is gone")

    path = url_of(town)
    monkeypatch.setattr(town.service.bundler, "bundle", fail)
    answer = town.client.get(f"{path}/bundle.json", headers=FRENCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "Pas maintenant" in answer.text
    assert "10.0.0.1" not in answer.text
