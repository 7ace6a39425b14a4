"""`credanchor reconcile --service`: what the API of a real service answers, and what one that lies would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from registry.store.records import StatusKind
from tests.api.conftest import any_town
from tests.api.town import Town
from tests.cli.test_issuer import pass_time
from tests.cli.test_reconcile_hosted import Operator, operator, revoke_first
from tests.ledger.chain import ANCHOR_KEY, CONTROLLER
from tests.ledger.conftest import chain, session_chain
from tests.ledger.whole_contract import WholeContract, account_of
from tests.support.http_servers import answering

__all__ = ["any_town", "chain", "operator", "session_chain"]

Alter = Callable[[str, dict[str, Any]], object]


@contextmanager
def service(town: Town, alter: Alter = lambda _path, _content: None) -> Iterator[str]:
    """Have the service answer on a socket, with a change."""

    def answer(path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        given = {name: value for name, value in headers.items() if name.lower() == "authorization"}
        answered = town.client.get(path, headers=given)
        is_page = path.startswith("/c/")
        content: dict[str, Any] = {"html": answered.text} if is_page else answered.json()
        alter(path, content)
        code = content.pop("code", answered.status_code)
        return code, (content["html"] if is_page else json.dumps(content)).encode()

    with answering(answer) as url:
        yield url


@pytest.fixture
def town(any_town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Two of the first institution's credentials are revoked and suspended, some seconds ago."""
    revoke_first(any_town.here)
    office, second = any_town.here.office, any_town.here.credentials()[1]
    office.change(office.targets.of_uuid(second.uuid), StatusKind.SUSPEND)
    pass_time(any_town.chain, 2)
    monkeypatch.setenv("CREDANCHOR_API_KEY", any_town.here.keys["read"])
    return any_town


def run(operator: Operator, url: str) -> tuple[int, dict[str, Any], str]:
    home = operator.town.folder
    arguments = ("reconcile", "--institution", "borealis", "--home", home, "--service", url, "--json")
    code, out, error = operator.run(*arguments)
    for secret in (*operator.town.there.secrets(), operator.town.here.keys["read"]):
        assert secret not in out + error
    return code, json.loads(out), out + error


def told(operator: Operator, alter: Alter = lambda _path, _content: None) -> list[dict[str, Any]]:
    """Give what differs of the service."""
    with service(operator.town, alter) as url:
        _, content, _ = run(operator, url)
    return [each for each in content["differences"] if each["kind"].startswith(("served", "page"))]


def at(ending: str, **changes: object) -> Alter:
    """Change all answers at paths that end so."""

    def alter(path: str, content: dict[str, Any]) -> None:
        if path.partition("?")[0].endswith(ending):
            content.update(changes)

    return alter


def of_batches(**changes: object) -> Alter:
    """Change what is said of the anchored batch, in lists and alone."""

    def alter(path: str, content: dict[str, Any]) -> None:
        for each in content.get("batches", [content] if "/v1/batches/" in path else []):
            if each.get("state") == "anchored":
                each.update(changes)

    return alter


def test_a_service_that_says_what_is_so(operator: Operator, town: Town) -> None:
    assert told(operator) == []


def test_a_credential_that_stands_otherwise(operator: Operator, town: Town) -> None:
    found = told(operator, at("/status", state="active"))
    places = {each.position for each in town.here.credentials()[:2]}
    assert {(each["kind"], each["list"], each["index"]) for each in found} == {
        ("servedOtherwise", *place) for place in places
    }
    assert any(each["detail"].startswith("active, says the service, and it is revoked by ") for each in found)
    # Of the others, this is said though it never was so.
    assert len(told(operator, at("/status", state="batchRevoked"))) == 7


def test_a_credential_that_stands_as_it_did_a_moment_ago(operator: Operator, town: Town) -> None:
    """The service's node is at a block before the change: its lists say so."""
    kept: dict[str, dict[str, Any]] = {}

    def stale(path: str, content: dict[str, Any]) -> None:
        before = json.loads(json.dumps(kept.setdefault(path, json.loads(json.dumps(content)))))
        if path.startswith("/status/") or path.endswith("/status"):
            content.clear()
            content.update(before)

    with service(town, stale) as url:
        for _ in range(3):  # whom it asks about is left to chance, but all seven are
            run(operator, url)
        third = town.here.credentials()[2]
        town.here.office.change(town.here.office.targets.of_uuid(third.uuid), StatusKind.SUSPEND)
        _, content, _ = run(operator, url)
    found = [each for each in content["differences"] if each["kind"].startswith("served")]
    assert {each["kind"] for each in found} == {"servedBehind"}
    assert any(each["detail"].startswith("active, says the service, and it is suspended") for each in found)


def test_a_batch_of_which_something_else_is_said(operator: Operator, town: Town) -> None:
    root = to_hex(town.here.anchored.root)
    for changes, kind, words in (
        ({"size": 8}, "servedOtherwise", "8 credentials, says the service, and it has 7"),
        ({"anchoredAt": 1_500_000_000}, "servedOtherwise", "anchored 2017-07-14"),
        ({"state": "sent", "anchoredAt": None}, "servedBehind", "which the service has not noted"),
    ):
        ((found),) = told(operator, of_batches(**changes))
        assert (found["kind"], found["root"], words in found["detail"]) == (kind, root, True), found

    def made_up(path: str, content: dict[str, Any]) -> None:
        if path.startswith("/v1/batches?"):
            content["batches"].append({**content["batches"][0], "root": "0x" + "7" * 64, "state": "anchored"})

    (found,) = told(operator, made_up)
    assert (found["kind"], found["root"]) == ("servedOtherwise", "0x" + "7" * 64)


def test_what_the_service_does_not_know(operator: Operator, town: Town) -> None:
    root = to_hex(town.here.anchored.root)

    def forgotten(path: str, content: dict[str, Any]) -> None:
        if path.startswith("/v1/batches?"):
            content["batches"] = []

    (found,) = told(operator, forgotten)
    assert (found["kind"], found["root"]) == ("servedNothing", root)
    assert (
        len(told(operator, lambda path, content: content.update(code=404) if "/v1/credentials" in path else None)) == 7
    )
    # Not in the list, and in it a moment later: it was anchored meanwhile.
    lists: list[str] = []

    def empty_at_first(path: str, content: dict[str, Any]) -> None:
        if path.startswith("/v1/batches?"):
            lists.append(path)
            content.update({"batches": []} if len(lists) == 1 else {})

    assert told(operator, empty_at_first) == []
    assert len(lists) == 2


def test_a_proof_that_proves_nothing(operator: Operator, town: Town) -> None:
    proofs: dict[str, Any] = {}

    def swap(path: str, content: dict[str, Any]) -> None:
        if path.endswith("/proof"):
            proofs.setdefault("one", content["proof"])
            content["proof"] = proofs["one"]

    found = told(operator, swap)
    assert [each["kind"] for each in found] == ["servedProof"] * 6
    assert len(told(operator, at("/proof", proof={"type": "nothing"}))) == 7
    assert len(told(operator, at("/proof", root="0x" + "7" * 64))) == 7


def says(status: str, block: str | None = None) -> Alter:
    """Change what pages say."""

    def alter(path: str, content: dict[str, Any]) -> None:
        if path.startswith("/c/"):
            content["html"] = re.sub('data-status="[a-zA-Z]*"', f'data-status="{status}"', content["html"])
            if block is not None:
                content["html"] = re.sub('data-block="[0-9]*"', f'data-block="{block}"', content["html"])

    return alter


def test_a_page_of_a_void_batch(operator: Operator, town: Town) -> None:
    before = town.chain.client.latest_block().header.number
    key = dev_signer(ANCHOR_KEY).address
    since = WholeContract(town.chain).view("keyOf", account_of(ANCHOR_KEY))[1]
    town.chain.execute(CONTROLLER, town.chain.contract.compromise_key(key=key, since=since))
    assert told(operator) == []
    found = told(operator, says("valid"))
    assert [each["kind"] for each in found] == ["pageOtherwise"] * 7
    assert sum(each["detail"].endswith("its batch was void") for each in found) == 5
    assert len(told(operator, says("valid", str(before)))) == 2  # those that were revoked and suspended by then


def test_a_page_that_says_otherwise(operator: Operator, town: Town) -> None:
    seen: list[str] = []
    assert told(operator, lambda path, content: seen.append(content["html"]) if path.startswith("/c/") else None) == []
    assert sorted(re.findall('data-status="([a-zA-Z]*)" data-block="[0-9]+"', "".join(seen))) == [
        "revoked",
        "suspended",
        *["valid"] * 5,
    ]
    found = told(operator, says("valid"))
    places = {each.position for each in town.here.credentials()[:2]}
    assert {(each["kind"], each["list"], each["index"]) for each in found} == {
        ("pageOtherwise", *place) for place in places
    }
    assert len(told(operator, says("revoked"))) == 6
    # At a block before the changes all were valid; what is not known, or said for other reasons, accuses nobody.
    early = town.chain.client.latest_block().header.number - 3
    assert told(operator, says("valid", str(early))) == []
    assert told(operator, says("unknown")) == told(operator, says("expired")) == told(operator, says("x", "")) == []
    with service(town, says("valid", "999999")) as url:
        code, content, _ = run(operator, url)
    assert (code, "nodes are ahead" in content["error"]["message"]) == (3, True)
    with service(town, lambda path, content: content.update(html="x") if path.startswith("/c/") else None) as url:
        code, content, _ = run(operator, url)
    assert (code, "is no such page" in content["error"]["message"]) == (3, True)


@pytest.mark.parametrize("whose", ["neighbour", "operator", "nobody"])
def test_another_key_is_not_used(operator: Operator, town: Town, whose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"neighbour": town.there.keys["read"], "operator": town.operator, "nobody": "credanchor_x"}
    monkeypatch.setenv("CREDANCHOR_API_KEY", keys[whose])
    with service(town) as url:
        code, content, printed = run(operator, url)
    assert (code, "differences" in content, keys[whose] in printed) == (3, False, False)


@pytest.mark.parametrize("changes", [{"batches": 7}, {"batches": [{}]}, {"next": "7"}, {"next": "x"}])
def test_what_is_no_answer_decides_nothing(operator: Operator, town: Town, changes: dict[str, Any]) -> None:
    with service(town, at("/v1/batches", **changes)) as url:
        code, content, _ = run(operator, url)
    assert code == 3
    assert "is not what a service answers" in content["error"]["message"]


def test_without_a_key_the_api_is_not_asked(operator: Operator, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDANCHOR_API_KEY")
    asked: list[str] = []
    assert told(operator, lambda path, _content: asked.append(path)) == []
    assert {path.split("/")[1] for path in asked} == {"status"}


def test_a_list_of_batches_without_end_decides_nothing(operator: Operator, town: Town) -> None:
    asked: list[str] = []

    def always_more(path: str, content: dict[str, Any]) -> None:
        if path.startswith("/v1/batches?"):
            asked.append(path)
            content.update(next=str(1000 + len(asked)), code=200)

    with service(town, always_more) as url:
        code, _, said = run(operator, url)
    assert (code, len(asked)) == (3, 2)
    assert "is not what a service answers" in said
