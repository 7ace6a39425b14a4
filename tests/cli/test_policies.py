"""The policy that flags and files stand for, and verification with several nodes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anchor.cli.policies import load_policy
from anchor.errors import MalformedError, PolicyFormatError
from anchor.model import Policy, Vouching
from anchor.policy import policy_to_text
from tests.cli.conftest import Desk
from tests.ledger.nodes import forged, of_blocks, proxies
from tests.ledger.proxy import Fault, FaultProxy

REGISTRY = "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"
NODES = ["https://a.example", "https://b.example", "https://c.example"]


def trusting(nodes: list[str], **flags: Any) -> Policy:
    return load_policy(None, [REGISTRY], nodes, **flags)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.json"
    policy = trusting(NODES[:1], confirmations=3, max_age="7", deny=["did:web:a.example"])
    path.write_text(policy_to_text(policy))
    return path


def test_one_node_vouches_alone_and_of_several_more_than_half_must_agree() -> None:
    one = trusting(NODES[:1])
    assert (one.vouching, one.nodes) == (Vouching.ONE_NODE, ("https://a.example",))
    assert (one.max_age_seconds, one.confirmations, one.denied_issuers) == (3600, None, frozenset())
    for count, agreeing in ((2, 2), (3, 2)):
        several = trusting(NODES[:count])
        assert (several.vouching, several.agreeing_nodes, len(several.nodes)) == (Vouching.K_OF_N, agreeing, count)


def test_flags_replace_what_the_file_says(file: Path) -> None:
    kept = load_policy(file, None, None)
    assert (kept.vouching, kept.nodes, kept.confirmations, kept.max_age_seconds) == (
        Vouching.ONE_NODE,
        ("https://a.example",),
        3,
        7,
    )
    changed = load_policy(
        file, None, NODES, agree=3, max_age="any", confirmations=0, deny=["did:web:b.example", "did:web:c.example"]
    )
    assert (changed.vouching, changed.agreeing, changed.nodes) == (Vouching.K_OF_N, 3, tuple(NODES))
    assert (changed.confirmations, changed.max_age_seconds) == (0, None)
    assert changed.denied_issuers == {"did:web:a.example", "did:web:b.example", "did:web:c.example"}
    own = load_policy(file, None, NODES, own_node=True)
    assert (own.vouching, own.agreeing) == (Vouching.OWN_NODE, None)
    # With a file, more nodes alone change nothing of what vouches.
    assert load_policy(file, None, NODES).vouching is Vouching.ONE_NODE


@pytest.mark.parametrize(
    ("nodes", "flags", "words"),
    [
        (NODES, {"agree": 4}, "4 nodes must agree, and the policy names 3"),
        (NODES, {"agree": 1}, "at least two nodes must agree"),
        (NODES[:1], {"agree": 2}, "2 nodes must agree, and the policy names 1"),
        (NODES, {"agree": 2, "own_node": True}, "--agree or --own-node, not both"),
        (NODES, {"max_age": "soon"}, "--max-age is a number of seconds, or any"),
        (NODES, {"max_age": "-1"}, "--max-age is a number of seconds, or any"),
        (NODES, {"max_age": "0"}, "maximal age must be at least one second"),
        (NODES, {"confirmations": -1}, "confirmations must not be negative"),
        (NODES, {"deny": ["college.example"]}, "named by its DID"),
        ([*NODES, NODES[0]], {}, "a node is named twice"),
        ([*NODES, "HTTPS://A.example:443/"], {}, r"two of the nodes are a\.example:443"),
    ],
)
def test_flags_that_make_no_policy_are_refused(nodes: list[str], flags: dict[str, Any], words: str) -> None:
    with pytest.raises(PolicyFormatError, match=words):
        trusting(nodes, **flags)


def test_a_node_that_is_no_address_is_refused() -> None:
    with pytest.raises(MalformedError, match="must start with http"):
        trusting(["a.example"])


def test_the_same_host_may_stand_by_for_itself() -> None:
    assert len(trusting(["https://a.example/one", "https://a.example/two"], own_node=True).nodes) == 2


def test_a_policy_without_nodes_is_of_use_where_none_is_needed(file: Path) -> None:
    file.write_text(policy_to_text(trusting(NODES, agree=3)).replace('"https://a.example",', ""))
    with pytest.raises(PolicyFormatError, match="3 nodes must agree, and the policy names 2"):
        load_policy(file, None, None)
    file.write_text('{"format": "credanchor/policy@v1", "registries": [], "vouching": "kOfN"}')
    with pytest.raises(PolicyFormatError, match="names no node to ask"):
        load_policy(file, None, None)
    assert load_policy(file, None, None, needs_nodes=False).nodes == ()


# As an employer would.


@pytest.fixture
def three(desk: Desk) -> Iterator[list[FaultProxy]]:
    desk.chain.node.write("evm_increaseTime", [2])
    desk.chain.mine(70)
    with proxies(desk.chain.url, 3) as nodes:
        yield nodes


def run_with(desk: Desk, nodes: list[FaultProxy], *arguments: str) -> tuple[int, dict[str, Any]]:
    flags = [flag for node in nodes for flag in ("--rpc", node.url)]
    return desk.run_json("verify", desk.files[0], "--trust", desk.chain.registry.to_text(), *flags, *arguments)


def test_one_liar_and_one_dead_node_are_borne_as_the_policy_allows(desk: Desk, three: list[FaultProxy]) -> None:
    three[0].answer = of_blocks(lambda block: forged(block, number="0xffffff"))
    code, content = run_with(desk, three)
    (result,) = content["results"]
    assert (code, result["outcome"]) == (0, "valid")
    assert result["basis"]["vouching"] == "kOfN"
    assert result["basis"]["vouchedBy"] == [three[1].url, three[2].url]
    three[1].rule = lambda _method, _count: Fault.ERROR_500_BEFORE
    code, content = run_with(desk, three)
    (result,) = content["results"]
    assert (code, result["reason"]) == (3, "noEvidence")
    for node in three:
        assert node.url in result["message"]
    assert run_with(desk, three[2:], "--own-node")[0] == 0


def test_all_must_agree_where_that_is_asked_for(desk: Desk, three: list[FaultProxy]) -> None:
    code, content = run_with(desk, three, "--agree", "3")
    assert (code, len(content["results"][0]["basis"]["vouchedBy"])) == (0, 3)
    three[0].rule = lambda _method, _count: Fault.ERROR_500_BEFORE
    assert run_with(desk, three, "--agree", "3")[0] == 3


def test_age_finality_and_denied_issuers_are_flags_too(desk: Desk, three: list[FaultProxy]) -> None:
    issuer = "did:web:college.example"
    code, content = run_with(desk, three, "--deny", issuer)
    assert (code, content["results"][0]["reason"]) == (1, "untrustedIssuer")
    code, content = run_with(desk, three, "--confirmations", "100000")
    assert (code, content["results"][0]["reason"]) == (3, "noEvidence")
    assert run_with(desk, three, "--confirmations", "0", "--max-age", "any")[0] == 0
    code, content = run_with(desk, three, "--max-age", "x")
    assert (code, content["error"]["message"]) == (2, "--max-age is a number of seconds, or any")


def test_audit_bears_a_node_that_leaves_events_out(desk: Desk, three: list[FaultProxy]) -> None:
    flags = [flag for node in three for flag in ("--rpc", node.url)]
    arguments = ["audit", "--trust", desk.chain.registry.to_text(), *flags]
    three[0].change = three[1].change = lambda method, result: result[:-1] if method == "eth_getLogs" else result
    code, out, _ = desk.run(*arguments)
    assert (code, "✔ COMPLETE" in out) == (0, True)
    three[2].refuse = lambda method, _: "no logs here" if method == "eth_getLogs" else None
    code, _, err = desk.run(*arguments)
    words = " ".join(err.split())
    assert (code, "no logs here" in words, f"the events that the node {three[0].url} gave are not all" in words) == (
        3,
        True,
        True,
    )
    assert desk.run(*arguments[:5], "--own-node")[0] == 1
