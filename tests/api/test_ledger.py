"""The registry's history by API: open to all, from what was proven; downloads that the audit proves again."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from anchor.cli.auditing import audit_registry, audit_through
from anchor.cli.histories import csv_pieces
from anchor.errors import HistoryError
from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from anchor.policy import policy_to_text
from registry.api.app import create_app
from registry.api.routes.ledger_downloads import MAX_DOWNLOADS, MAX_PER_CLIENT, takes_gzip
from registry.api_wiring import load_service
from tests.api.conftest import Served, nobody, write_home
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, STRANGER, Chain
from tests.support.reading import read_history


@pytest.fixture
def ledger(served: Served, chain: Chain) -> Served:
    """Some history: a batch, credentials revoked, suspended and reinstated."""
    chain.execute(STATUS_KEY, chain.revoke_call([0, 3], [0b11, 1 << 255]))
    read_history(served.service)
    return served


def get(served: Served, path: str, **headers: str) -> Any:
    answer = served.client.get(f"/v1/ledger{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_nothing_is_shown_before_it_is_proven(served: Served) -> None:
    for path in ("", "/issuers", "/issuers/1", "/search?q=x", "/events.jsonl", "/events.csv"):
        answer = served.client.get(f"/v1/ledger{path}")
        assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (503, "not-ready")
        assert answer.headers["retry-after"] == "30"


def test_registry_and_its_issuers(ledger: Served, chain: Chain) -> None:
    shown = get(ledger, "")
    block = chain.client.latest_block().header
    assert shown["format"] == "credanchor/ledger@v1"
    assert shown["registry"] == chain.registry.to_text()
    assert (shown["asOf"]["block"], shown["asOf"]["blockHash"]) == (block.number, to_hex(block.hash))
    assert shown["asOf"]["problem"] is None
    assert (shown["issuers"], shown["counts"]["events"], shown["counts"]["revoked"]) == (1, 7, 3)
    assert {each["role"] for each in shown["roles"]} == {"admin", "accreditor"}
    (issuer,) = get(ledger, "/issuers")["issuers"]
    one = get(ledger, f"/issuers/{chain.issuer_id}")
    assert one["issuer"] == issuer
    assert one["incidents"] == []
    assert issuer["did"] == DID
    assert {each["scope"]: each["key"] for each in issuer["keys"]} == {
        "ANCHOR": to_hex(dev_signer(ANCHOR_KEY).address),
        "STATUS": to_hex(dev_signer(STATUS_KEY).address),
    }


def test_events_and_batches_page_by_page(ledger: Served, chain: Chain) -> None:
    path = f"/issuers/{chain.issuer_id}/events"
    numbers: list[int] = []
    query = "?limit=2"
    while query:
        page = get(ledger, path + query)
        numbers += [each["number"] for each in page["events"]]
        query = f"?limit=2&cursor={page['next']}" if page["next"] else ""
    assert numbers == [7, 6, 5, 4, 3]
    revoked, anchored = get(ledger, path)["events"][:2]
    assert (revoked["event"], revoked["list"], revoked["credentials"]) == ("credentialsRevoked", 0, 3)
    assert revoked["indices"] == [0, 1, 3 * 256 + 255]
    assert (anchored["event"], anchored["size"], anchored["void"]) == ("batchAnchored", 3, False)
    assert "did" not in anchored
    only = get(ledger, f"{path}?kind=keyAdded&kind=batchAnchored&limit=2")
    assert [each["event"] for each in only["events"]] == ["batchAnchored", "keyAdded"]
    assert [each["event"] for each in get(ledger, f"{path}?kind=keyAdded&cursor={only['next']}")["events"]] == [
        "keyAdded"
    ]
    (batch,) = get(ledger, f"/issuers/{chain.issuer_id}/batches?limit=1")["batches"]
    assert get(ledger, f"/issuers/{chain.issuer_id}/batches?cursor={anchored['number']}")["batches"] == []
    shown = get(ledger, f"/batches/{batch['root']}")["batches"]
    assert shown == [{**batch, "events": [anchored]}]
    assert get(ledger, f"/transactions/{anchored['transaction']}")["events"] == [anchored]


def test_status_position(ledger: Served, chain: Chain) -> None:
    path = f"/issuers/{chain.issuer_id}/status/0"
    shown = get(ledger, f"{path}/1023")
    assert (shown["revoked"], shown["suspended"], len(shown["changes"]), shown["earlier"]) == (7, None, 1, 0)
    untouched = get(ledger, f"{path}/2")
    assert (untouched["revoked"], untouched["changes"]) == (None, [])


def test_what_is_not_there_or_cannot_be(ledger: Served, chain: Chain) -> None:
    wanted = {
        "/issuers/2": 404,
        "/issuers/2/events": 404,
        "/issuers/2/batches": 404,
        "/issuers/2/status/0/0": 404,
        f"/batches/0x{'00' * 32}": 404,
        f"/transactions/0x{'00' * 32}": 404,
        "/issuers/0": 422,
        f"/issuers/{2**32}": 422,
        "/issuers/1/status/0/131072": 422,
        "/issuers/1/events?kind=other": 422,
        "/issuers/1/events?cursor=-1": 422,
        "/batches/0x00": 422,
        "/search": 422,
    }
    assert {path: ledger.client.get(f"/v1/ledger{path}").status_code for path in wanted} == wanted


def test_search_tells_what_was_meant(ledger: Served, chain: Chain) -> None:
    anchored = get(ledger, f"/issuers/{chain.issuer_id}/events?kind=batchAnchored")["events"][0]
    status = f"ethereum:{to_hex(chain.registry.address)}@{chain.chain_id}/isRevoked?uint32=1&uint32=0&uint256=7"
    named = f"did:pkh:{chain.registry.to_text()}#issuer-1"
    wanted = {
        DID: ("issuer", "/issuers/1"),
        "COLLEGE.example": ("issuer", "/issuers/1"),
        "1": ("issuer", "/issuers/1"),
        " #1 ": ("issuer", "/issuers/1"),
        named: ("issuer", "/issuers/1"),
        anchored["root"]: ("batch", f"/batches/{anchored['root']}"),
        anchored["root"][2:].upper(): ("batch", f"/batches/{anchored['root']}"),
        anchored["transaction"]: ("transaction", f"/transactions/{anchored['transaction']}"),
        "1/0/131071": ("position", "/issuers/1/status/0/131071"),
        status: ("position", "/issuers/1/status/0/7"),
    }
    for text, (kind, path) in wanted.items():
        found = get(ledger, f"/search?q={quote(text)}")
        (hit,) = found["hits"]
        assert (hit["kind"] in found["forms"]) == (text != "COLLEGE.example"), text
        assert (hit["kind"], hit["path"]) == (kind, f"/v1/ledger{path}"), text
        assert ledger.client.get(hit["path"]).status_code == 200
    key, *rest = get(ledger, f"/search?q={to_hex(dev_signer(ANCHOR_KEY).address)}")["hits"]
    assert (key["kind"], key["issuer"], [each["kind"] for each in rest]) == ("key", 1, ["account"])
    nothing = {
        *("", " ", "x", "%", "nobody", "2", "0", "9" * 10, "1/0/131072", "2/0/0", f"1/{2**32}/0", "\0", "\ud800"),
        *(f"0x{'00' * 32}", f"0x{'00' * 20}", to_hex(dev_signer(STRANGER).address)),
        status.replace(f"@{chain.chain_id}", "@1"),
        named.replace("31337", "1"),
    }
    for text in nothing:
        assert get(ledger, f"/search?q={quote(text, errors='surrogatepass')}")["hits"] == [], text


def test_search_tells_what_was_looked_for_in_vain(ledger: Served) -> None:
    wanted = {
        "0x" + "00" * 32: ["batch", "transaction"],
        "00" * 20: ["key", "account"],
        "9": ["issuer"],
        "did:web:nobody.example": ["issuer"],
        "9/0/0": ["position"],
        "nobody": [],
    }
    found = {text: get(ledger, f"/search?q={quote(text)}") for text in wanted}
    assert {text: each["forms"] for text, each in found.items()} == wanted
    assert not any(each["hits"] for each in found.values())


def test_client_is_not_sent_again_what_it_has(ledger: Served, chain: Chain) -> None:
    paths = ("", "/issuers", "/issuers/1/events", "/events.jsonl", "/events.csv")
    known = {}
    for path in paths:
        first = ledger.client.get(f"/v1/ledger{path}")
        assert first.headers["cache-control"] == "public, no-cache"
        known[path] = {"If-None-Match": first.headers["etag"]}
        again = ledger.client.get(f"/v1/ledger{path}", headers=known[path])
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    chain.anchor(9)
    read_history(ledger.service)
    for path in paths:
        assert ledger.client.get(f"/v1/ledger{path}", headers=known[path]).status_code == 200


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_archive_is_proven_again_by_the_audit(ledger: Served, chain: Chain, tmp_path: Path, encoding: str) -> None:
    with ledger.client.stream("GET", "/v1/ledger/events.jsonl", headers={"Accept-Encoding": encoding}) as answer:
        content = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == (None if encoding == "identity" else "gzip")
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    policy = chain.policy(nodes=(chain.url,))
    asked: list[str] = []
    audited = audit_through(tmp_path / "kept", policy.registries[0], policy, asked.append, archive=path)
    assert len(audited.history.events) == 7
    # Of one that lacks an event, the audit finds it.
    plain = gzip.decompress(content) if encoding == "gzip" else content
    lines = plain.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:5], *lines[6:]]))
    with pytest.raises(HistoryError):
        audit_through(tmp_path / "other", policy.registries[0], policy, asked.append, archive=path)


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("", False),
        ("identity", False),
        ("xgzip", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
    ],
)
def test_gzip_is_sent_to_whom_takes_it(accepted: str, *, is_taken: bool) -> None:
    assert takes_gzip(accepted) == is_taken


def test_table_is_that_of_the_audit(ledger: Served, chain: Chain) -> None:
    answer = ledger.client.get("/v1/ledger/events.csv")
    policy = chain.policy(nodes=(chain.url,))
    history, _ = audit_registry(policy.registries[0], policy, print)
    assert answer.text == "".join(csv_pieces(history, None))
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'


def test_no_client_takes_all_places_for_downloads(ledger: Served) -> None:
    downloads = ledger.app.state.context.downloads
    downloads["testclient"] = MAX_PER_CLIENT
    assert ledger.client.get("/v1/ledger/events.csv").status_code == 429
    downloads["testclient"] = 0
    downloads["others"] = MAX_DOWNLOADS
    answer = ledger.client.get("/v1/ledger/events.jsonl")
    assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (503, "busy")
    del downloads["others"]
    assert ledger.client.get("/v1/ledger/events.jsonl").status_code == 200
    assert not downloads


def test_requests_are_counted(chain: Chain, tmp_path: Path) -> None:
    service = load_service(write_home(tmp_path / "home", chain, anonymous_per_minute=2), nobody)
    with TestClient(create_app(service)) as client:
        statuses = [client.get("/v1/ledger").status_code for _ in range(3)]
    assert statuses == [503, 503, 429]


def test_metrics_tell_how_far_it_is(served: Served, chain: Chain) -> None:
    def told() -> dict[str, str]:
        lines = served.client.get("/metrics").text.splitlines()
        return dict(line.split() for line in lines if line.startswith("credanchor_ledger"))

    assert told() == {"credanchor_ledger_behind": "1"}
    read_history(served.service)
    number = str(chain.client.latest_block().header.number)
    assert told() == {"credanchor_ledger_behind": "0", "credanchor_ledger_block": number}
    (served.folder / "policy.json").write_text(policy_to_text(chain.policy(nodes=("http://127.0.0.1:1",))), "utf-8")
    read_history(served.service)
    assert told() == {"credanchor_ledger_behind": "1", "credanchor_ledger_block": number}
    assert get(served, "")["asOf"]["problem"] == "no node of the ledger gave an answer that could be used"
