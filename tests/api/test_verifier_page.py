"""The verifier page from the service and the program: what it trusts, must not tell, and how browsers run it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.testnet import CHAIN_ID
from anchor.model import Policy, TrustListSource, Vouching
from anchor.policy import parse_policy, policy_to_text
from registry.services.verifier_policy import page_policy
from registry.web import verifier
from registry.web.verifier import NoPageError, verifier_page
from tests.api.conftest import PUBLIC_URL
from tests.api.test_pages import url_of
from tests.api.town import Town
from tests.support.homes import Home, at_work, home_in

SIGNER = "did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd"
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


def test_it_tells_nobody_which_nodes_the_operator_asks(tmp_path: Path) -> None:
    secret, near = "https://rpc.example/key-of-the-operator", "http://127.0.0.1:8545"
    file = TrustListSource(source="list.json", signer=SIGNER)
    fetched = TrustListSource(source="https://lists.example/1.json", signer=SIGNER)
    policy = Policy(
        registries=(), vouching=Vouching.K_OF_N, nodes=(secret, near), agreeing=2, trust_lists=(file, fetched)
    )
    path = tmp_path / "policy.json"
    path.write_text(policy_to_text(policy), "utf-8")
    given = page_policy(path, None)
    assert (given.nodes, given.vouching, given.trust_lists) == ((near,), Vouching.ONE_NODE, (fetched,))
    # What is meant for the page is given as it is.
    assert page_policy(tmp_path / "none.json", path) == policy


def test_what_stands_in_a_policy_stays_data() -> None:
    name = "</script><script>alert(1)</script><!-- & \u2028"
    pin: dict[str, Any] = {"registry": f"eip155:1:0x{'ab' * 20}", "codeHash": f"0x{'cd' * 32}", "name": name}
    policy = parse_policy(json.dumps({"format": "credanchor/policy@v1", "registries": [pin]}).encode())
    html = verifier_page(policy)
    assert policy_in(html) == policy
    assert html.count("</script>") == verifier_page(Policy(registries=())).count("</script>")


def test_the_program_writes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(monkeypatch)
    home: Home = home_in(tmp_path / "home", capsys)
    policy, out = tmp_path / "policy.json", tmp_path / "verify.html"
    policy.write_text(policy_to_text(Policy(registries=(), nodes=("https://node.example",))), "utf-8")
    code, shown, _ = home.run("page", "--policy", policy, "--out", out)
    assert (code, "asks https://node.example" in shown) == (0, True)
    assert policy_in(out.read_text("utf-8")).nodes == ("https://node.example",)
    code, content = home.run_json("page", "--policy", policy, "--out", out)
    assert (code, content["bytes"]) == (0, out.stat().st_size)
    assert home.run("page", "--policy", tmp_path / "none.json", "--out", out)[0] == 2
    assert home.run("page", "--policy", policy, "--out", tmp_path / "no" / "folder.html")[0] != 0


def test_a_checkout_without_it_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(verifier, "_FILE", tmp_path / "verifier.html")
    for read in (verifier._page.__wrapped__,):
        with pytest.raises(NoPageError) as caught:
            read()
        assert "scripts/build-page" in caught.value.advice
        (tmp_path / "verifier.html").write_text("<p>something else</p>", "utf-8")
        with pytest.raises(NoPageError):
            read()
