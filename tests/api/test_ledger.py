"""The registry's history by API: open to all, from what was proven; downloads that the audit proves again."""

from __future__ import annotations

import csv
import gzip
import io
import threading
from pathlib import Path
from typing import Any

import pytest

from anchor.cli.auditing import audit_through
from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from tests.api.conftest import Served
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, STRANGER, Chain, root_of

NEVER = threading.Event()


def catch_up(served: Served) -> None:
    sync = served.service.history_sync(served.service.registry)
    while sync.step(NEVER):
        pass


@pytest.fixture
def ledger(served: Served, chain: Chain) -> Served:
    """Some history: a batch, credentials revoked, suspended and reinstated."""
    chain.execute(STATUS_KEY, chain.revoke_call([0, 3], [0b11, 1 << 255]))
    catch_up(served)
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
