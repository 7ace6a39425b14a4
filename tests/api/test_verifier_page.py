"""The verifier page from the service and the program: what it trusts, must not tell, and how browsers run it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchor.did_key import Ed25519Key
from anchor.errors import TrustListError
from anchor.ledger.testnet import CHAIN_ID
from anchor.ledger.trust_lists import kept_path
from anchor.model import Policy, TrustListSource, Vouching
from anchor.policy import parse_policy, policy_to_text
from anchor.trust_list import sign_trust_list
from registry.api.limits import RateLimiter
from registry.services.verifier_policy import page_policy
from registry.web import verifier
from registry.web.verifier import NoPageError, verifier_page
from tests.api.conftest import PUBLIC_URL
from tests.api.test_pages import url_of
from tests.api.town import Town
from tests.support.homes import Home, at_work, home_in

KEY = Ed25519Key(bytes(range(32)))
NEAR = "http://127.0.0.1:8545"
KEY_OF_NODE = "key-of-the-node"
NODE = f"https://node.example/{KEY_OF_NODE}"
NOW = 1_790_000_000
MOST_BYTES = 300_000
"""Of the page, as it is sent."""
DATA = re.compile(r'<script type="application/json" id="credanchor-policy">(.*?)</script>', re.DOTALL)


def policy_in(html: str) -> Policy:
    (found,) = DATA.findall(html)
    return parse_policy(found.encode())


def test_the_service_shows_it_with_the_operators_policy(town: Town) -> None:
    answer = town.client.get("/verify")
    assert answer.status_code == 200
    assert town.client.head("/verify").status_code == 200
    shown = policy_in(answer.text)
    assert [pin.registry.chain_id for pin in shown.registries] == [CHAIN_ID]
    csp = answer.headers["content-security-policy"]
    assert csp.startswith("default-src 'none'; script-src 'sha256-")
    assert csp.endswith("; frame-ancestors 'none'")
    assert "unsafe" not in csp
    assert csp.removesuffix("; frame-ancestors 'none'") in answer.text
    assert answer.headers["permissions-policy"] == "camera=(self)"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


def test_learners_pages_lead_to_it_and_let_it_read_the_file(town: Town) -> None:
    path = url_of(town)
    (link,) = re.findall(r'href="([^"]+#link=[^"]+)"', town.client.get(path).text)
    file = f"{PUBLIC_URL}{path}/credential.json"
    assert link == f"{PUBLIC_URL}/verify#link={file.replace(':', '%3A').replace('/', '%2F')}"
    for name in ("credential.json", "bundle.json"):
        assert town.client.get(f"{path}/{name}").headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in town.client.get(path).headers


def test_it_is_sent_small_and_again_only_when_it_has_changed(town: Town) -> None:
    small = town.client.get("/verify", headers={"Accept-Encoding": "gzip"})
    whole = town.client.get("/verify", headers={"Accept-Encoding": "identity"})
    assert small.text == whole.text
    assert (small.headers["content-encoding"], whole.headers.get("content-encoding")) == ("gzip", None)
    assert int(small.headers["content-length"]) < MOST_BYTES
    for answer, form in ((small, "gzip"), (whole, "identity")):
        assert answer.headers["vary"] == "Accept-Encoding"
        headers = {"Accept-Encoding": form, "If-None-Match": answer.headers["etag"]}
        again = town.client.get("/verify", headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]
    path = town.service.policy_file
    path.write_text(policy_to_text(replace(parse_policy(path.read_bytes()), confirmations=7)), "utf-8")
    changed = town.client.get(
        "/verify", headers={"If-None-Match": whole.headers["etag"], "Accept-Encoding": "identity"}
    )
    assert (changed.status_code, policy_in(changed.text).confirmations) == (200, 7)


def test_what_is_in_the_way_is_said_to_people(town: Town) -> None:
    town.service.policy_file.unlink()
    answer = town.client.get("/verify?lang=fr")
    assert (answer.status_code, answer.headers["content-language"]) == (503, "fr")
    assert "policy" not in answer.text
    town.app.state.context = replace(town.app.state.context, anonymous=RateLimiter(1, lambda: 0.0))
    assert [town.client.get("/verify").status_code for _ in range(2)] == [503, 429]


@pytest.mark.parametrize(
    ("vouching", "kept"),
    [
        # Of nodes that must agree, too few would be left.
        (Vouching.K_OF_N, ()),
        (Vouching.ONE_NODE, (NEAR,)),
        (Vouching.OWN_NODE, (NEAR,)),
        (Vouching.PINNED_HASH, (NEAR,)),
    ],
)
def test_it_tells_nobody_which_nodes_the_operator_asks(
    tmp_path: Path, vouching: Vouching, kept: tuple[str, ...]
) -> None:
    policy = Policy(registries=(), vouching=vouching, nodes=("https://rpc.example/key-of-the-operator", NEAR))
    path = tmp_path / "policy.json"
    path.write_text(policy_to_text(policy), "utf-8")
    # What vouches is never less than what the operator wants.
    assert page_policy(path, None, now=NOW) == replace(policy, nodes=kept)
    # What is meant for the page is given as it is.
    assert page_policy(tmp_path / "none.json", path, now=NOW) == policy


def test_nodes_of_this_machine_alone_are_given_as_they_are(tmp_path: Path) -> None:
    policy = Policy(registries=(), vouching=Vouching.K_OF_N, nodes=(NEAR, "http://127.0.0.1:8546"))
    path = tmp_path / "policy.json"
    path.write_text(policy_to_text(policy), "utf-8")
    assert page_policy(path, None, now=NOW) == policy


def test_whom_a_list_in_a_file_denies_the_page_denies(tmp_path: Path) -> None:
    file = TrustListSource(source="list.json", signer=KEY.did)
    fetched = TrustListSource(source="https://lists.example/1.json", signer=KEY.did)
    path = tmp_path / "policy.json"
    path.write_text(policy_to_text(Policy(registries=(), trust_lists=(file, fetched))), "utf-8")
    with pytest.raises(TrustListError):
        page_policy(path, None, now=NOW)
    content = {
        "format": "credanchor/trust-list@v1",
        "name": "Example",
        "sequence": 1,
        "expiresAt": NOW + 10,
        "registries": [],
        "deniedIssuers": ["did:web:mill.example"],
    }
    denied, kept = frozenset({"did:web:mill.example"}), kept_path(path, file)
    kept.parent.mkdir()
    kept.write_bytes(sign_trust_list(json.dumps(content).encode(), KEY, NOW))
    for given in (page_policy(path, None, now=NOW), page_policy(tmp_path / "none.json", path, now=NOW)):
        assert (given.denied_issuers, given.trust_lists) == (denied, (fetched,))
    with pytest.raises(TrustListError):
        page_policy(path, None, now=NOW + 11)


def test_what_stands_in_a_policy_stays_data() -> None:
    name = "</script><script>alert(1)</script><!-- & \u2028"
    pin: dict[str, Any] = {"registry": f"eip155:1:0x{'ab' * 20}", "codeHash": f"0x{'cd' * 32}", "name": name}
    policy = parse_policy(json.dumps({"format": "credanchor/policy@v1", "registries": [pin]}).encode())
    html = verifier_page(policy).html
    assert policy_in(html.decode()) == policy
    assert html.count(b"</script>") == verifier_page(Policy(registries=())).html.count(b"</script>")


def test_the_program_writes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(monkeypatch)
    home: Home = home_in(tmp_path / "home", capsys)
    policy, out = tmp_path / "policy.json", tmp_path / "verify.html"
    policy.write_text(policy_to_text(Policy(registries=(), nodes=(NODE,))), "utf-8")
    code, shown, _ = home.run("page", "--policy", policy, "--out", out)
    assert (code, "node.example" in shown, KEY_OF_NODE in shown) == (0, True, False)
    assert policy_in(out.read_text("utf-8")).nodes == (NODE,)
    # It is made to be given out.
    assert out.stat().st_mode & 0o777 == 0o644
    code, content = home.run_json("page", "--policy", policy, "--out", out)
    assert (code, content["bytes"]) == (0, out.stat().st_size)
    assert home.run("page", "--policy", tmp_path / "none.json", "--out", out)[0] == 2
    assert home.run("page", "--policy", policy, "--out", tmp_path / "no" / "folder.html")[0] == 2
    lists = (TrustListSource(source="list.json", signer=KEY.did),)
    policy.write_text(policy_to_text(Policy(registries=(), trust_lists=lists)), "utf-8")
    code, content = home.run_json("page", "--policy", policy, "--out", out)
    assert (code, content["error"]["advice"]) == (2, "Name it by the https:// address at which it is published.")


def test_a_checkout_without_it_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(verifier, "_FILE", tmp_path / "verifier.html")
    for read in (verifier._page.__wrapped__,):
        with pytest.raises(NoPageError) as caught:
            read()
        assert "scripts/build-page" in caught.value.advice
        (tmp_path / "verifier.html").write_text("<p>something else</p>", "utf-8")
        with pytest.raises(NoPageError):
            read()
