"""What every request goes through: problems for everything, headers, limits, log, metrics."""

import io
import json
import math
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import anchor.errors
import registry.errors
from anchor.errors import CredanchorError
from anchor.ledger.client import LedgerClient
from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from registry.api.app import create_app
from registry.api.limits import RateLimiter, client_of
from registry.api.problems import KINDS, kind_of, problem_of
from registry.api_wiring import load_service
from registry.errors import UnknownTargetsError
from tests.api.conftest import Served, nobody, write_home
from tests.api.town import Town
from tests.docs.documents import read
from tests.ledger.chain import ANCHOR_KEY, Chain


def test_unknown_address_and_method_are_problems(served: Served) -> None:
    absent = served.client.get("/v1/nothing/zoe@example.org?email=zoe@example.org")
    assert (absent.status_code, absent.json()["title"]) == (404, "There is no such thing")
    assert "zoe" not in absent.text
    wrong = served.client.delete("/v1/verify")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    for answer in (absent, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["requestId"] == answer.headers["x-request-id"]


def test_types_of_problems_lead_to_a_page_that_explains_them(served: Served) -> None:
    page = served.client.get("/problems")
    for kind in KINDS:
        assert f'id="{kind.name}"' in page.text
    assert "script" not in page.text


def test_documentation_and_table_of_problems_say_the_same() -> None:
    text = read("docs/api/problems.md")
    for kind in KINDS:
        assert f"## {kind.name}\n\n**{kind.status} · {kind.title}.** {kind.explanation}" in text
    assert text.count("\n## ") == len(KINDS)


def errors_below(kind: type[CredanchorError]) -> Iterator[type[CredanchorError]]:
    for each in kind.__subclasses__():
        yield each
        yield from errors_below(each)


@pytest.mark.parametrize("error", sorted(set(errors_below(CredanchorError)), key=str))
def test_of_errors_on_our_side_and_of_what_is_not_found_no_words_get_out(error: type[CredanchorError]) -> None:
    if error.__module__ not in (anchor.errors.__name__, registry.errors.__name__):
        return
    made = error.__new__(error)
    CredanchorError.__init__(made, "secret words", advice="secret advice")
    vars(made).setdefault("problems", ())
    content = json.dumps(problem_of(made).content("https://x.example", "1"))
    # Of targets that are unknown the places in the request are told, and nothing else.
    is_found = kind_of(made).name != "not-found" or error is UnknownTargetsError
    assert ("secret" in content) == (kind_of(made).status < 500 and is_found)


def test_answers_have_safe_headers(served: Served) -> None:
    for path in ("/healthz", "/nothing"):
        headers = served.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers
        assert "server" not in headers


def test_hsts_is_said_where_it_is_set(chain: Chain, tmp_path: Path) -> None:
    service = load_service(write_home(tmp_path, chain, hsts_seconds=86400), nobody)
    with TestClient(create_app(service)) as client:
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=86400; includeSubDomains"


def test_request_ids_are_taken_over_unless_they_could_forge_a_log_line(served: Served) -> None:
    assert served.client.get("/healthz", headers={"X-Request-Id": "a-1"}).headers["x-request-id"] == "a-1"
    made = served.client.get("/healthz", headers={"X-Request-Id": 'a"}{'}).headers["x-request-id"]
    assert len(made) == 16


def test_log_has_the_route_and_neither_address_nor_query(served: Served) -> None:
    written = io.BytesIO()
    served.app.state.context.log.open(written)
    served.client.get("/healthz?email=zoe@example.org")
    served.client.get("/v1/zoe@example.org")
    first, second = map(json.loads, written.getvalue().splitlines())
    assert (first["route"], first["status"], first["method"]) == ("/healthz", 200, "GET")
    assert (second["route"], second["status"]) == ("none", 404)
    assert b"zoe" not in written.getvalue()


def test_error_that_nobody_foresaw_is_a_problem_and_its_words_stay_out_of_the_log(
    served: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("zoe@example.org")

    monkeypatch.setattr(served.service.readiness, "get", fail)
    answer = served.client.get("/readyz")
    assert (answer.status_code, answer.json()["title"]) == (500, "The service failed")
    assert "RuntimeError" in caplog.text
    assert "test_gate.py" in caplog.text
    assert "zoe" not in answer.text + caplog.text


def test_ready_means_store_node_chain_and_contract(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = {"status": "ready", "store": True, "node": True, "chain": True, "contract": True}
    assert served.client.get("/readyz").json() == ready
    assert served.client.get("/healthz").json() == {"status": "alive"}


def test_not_ready_says_what_is_not(chain: Chain, tmp_path: Path) -> None:
    folder = write_home(tmp_path, chain)
    settings = folder / "settings.toml"
    settings.write_text(settings.read_text().replace(chain.registry.to_text(), "eip155:31337:0x" + "11" * 20))
    with TestClient(create_app(load_service(folder, nobody))) as client:
        assert client.get("/readyz").json()["detail"] == "not as it must be: contract"
    settings.write_text(settings.read_text().replace(chain.url, "http://127.0.0.1:1"))
    with TestClient(create_app(load_service(folder, nobody))) as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "not as it must be: node, chain, contract"


def test_metrics_count_by_route(served: Served) -> None:
    served.client.get("/healthz")
    served.client.get("/zoe")
    served.client.post("/v1/verify", json=served.documents[0])
    text = served.client.get("/metrics").text
    assert 'credanchor_http_requests_total{method="GET",route="/healthz",status="200"} 1' in text
    assert 'credanchor_http_requests_total{method="GET",route="none",status="404"} 1' in text
    assert 'credanchor_verdicts_total{outcome="valid"} 1' in text
    assert 'credanchor_http_request_seconds_bucket{method="GET",route="/healthz",le="+Inf"} 1' in text
    assert "zoe" not in text


def test_metrics_tell_what_accounts_have_left(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    account = to_hex(dev_signer(ANCHOR_KEY).address)

    def told() -> list[str]:
        found = re.findall(
            r'credanchor_account_balance_wei\{account="(0x\w+)"\} (\d+)', town.client.get("/metrics").text
        )
        return [wei for each, wei in found if each == account]

    assert told() == [str(town.chain.client.balance(dev_signer(ANCHOR_KEY).address))]
    town.chain.node.write("anvil_setBalance", [account, "0x1"])
    assert told() != ["1"], "the last answer, for a while"
    monkeypatch.setattr(town.service.balances, "_since", -math.inf)
    assert told() == ["1"]
    monkeypatch.setattr(town.service.balances, "_client", LedgerClient("http://127.0.0.1:1"))
    monkeypatch.setattr(town.service.balances, "_since", -math.inf)
    assert told() == []


def test_who_asks_too_often_is_told_when_to_come_again(chain: Chain, tmp_path: Path) -> None:
    service = load_service(write_home(tmp_path, chain, anonymous_per_minute=2), nobody)
    with TestClient(create_app(service)) as client:
        answers = [client.post("/v1/verify", json={}) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) in range(1, 31)


def test_buckets_fill_again_and_are_each_clients_own() -> None:
    now = [0.0]
    limiter = RateLimiter(60, lambda: now[0])
    assert [limiter.seconds_to_wait("a") for _ in range(61)] == [0] * 60 + [1]
    assert limiter.seconds_to_wait("b") == 0
    now[0] = 2.0
    assert [limiter.seconds_to_wait("a") for _ in range(3)] == [0, 0, 1]
    assert not any(RateLimiter(0, lambda: 0.0).seconds_to_wait("a") for _ in range(1000))


def test_one_network_is_one_client() -> None:
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff") != client_of("2001:db8:0:1::1")
    assert client_of("::ffff:192.0.2.1") == client_of("192.0.2.1") != client_of("192.0.2.2")
    assert client_of("testclient") == "testclient"


def test_who_asks_whether_it_is_ready_never_waits_for_another_who_asks(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    readiness, asked, answer = served.service.readiness, threading.Event(), threading.Event()
    ask = readiness._ask_now

    def dawdle() -> Mapping[str, bool]:
        asked.set()
        assert answer.wait(60)
        return ask()

    monkeypatch.setattr(readiness, "_ask_now", dawdle)
    first = threading.Thread(target=readiness.get)
    first.start()
    assert asked.wait(60)
    assert not any(readiness.get().values())
    answer.set()
    first.join()
    assert all(readiness.get().values())
