"""The verifier's policy file."""

import json
from typing import Any

import pytest

from anchor.errors import MalformedError, PolicyFormatError
from anchor.model import KnownBlock, Policy, TrustedRegistry, Vouching, hash32, to_hex
from anchor.policy import parse_policy, policy_to_text
from tests.support.world import CODE_HASH, REGISTRY, policy

POLICY = policy(
    nodes=("http://127.0.0.1:8545",),
    confirmations=3,
    max_age_seconds=None,
    denied_issuers=frozenset({"did:web:no.example"}),
)
CONTENT = json.loads(policy_to_text(POLICY))


def test_policy_survives_writing_and_reading() -> None:
    assert parse_policy(policy_to_text(POLICY).encode()) == POLICY
    blocks = frozenset(
        KnownBlock(chain_id=chain, hash=hash32(bytes([byte]) * 32)) for chain, byte in ((1, 9), (1, 8), (5, 7))
    )
    others = (
        policy(vouching=Vouching.PINNED_HASH, known_blocks=blocks),
        policy(vouching=Vouching.K_OF_N, nodes=("http://a.example", "http://b.example"), agreeing=2),
        policy(required_proofs=frozenset({"eddsa-jcs-2022", "bbs-2023"}), require_did_document=True),
    )
    for other in others:
        assert parse_policy(policy_to_text(other).encode()) == other


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "credanchor/policy@v2"}, "format must be credanchor/policy@v1"),
        ({"maxage": 5}, "unknown members: maxage"),
        ({"nodes": "http://x"}, "nodes must be a list of texts"),
        ({"nodes": [1]}, "nodes must be a list of texts"),
        ({"registries": ["x"]}, "registries must be a list of objects"),
        ({"registries": [{}]}, "a trusted registry lacks codeHash"),
        ({"registries": [{**CONTENT["registries"][0], "name": 1}]}, "must be text"),
        ({"registries": [{**CONTENT["registries"][0], "registry": "x"}]}, "expected a registry as eip155"),
        ({"registries": [{**CONTENT["registries"][0], "codeHash": "0x12"}]}, "expected 32 bytes"),
        ({"registries": [{**CONTENT["registries"][0], "codeHash": "12"}]}, "expected 0x-prefixed hex"),
        ({"vouching": "trustMe"}, "vouching must be one of pinnedHash, kOfN"),
        ({"confirmations": 1.5}, "confirmations must be a whole number or null"),
        ({"confirmations": True}, "confirmations must be a whole number or null"),
        ({"confirmations": -1}, "must not be negative"),
        ({"maxAgeSeconds": 0}, "at least one second"),
        ({"nodes": ["http://x", "http://x"]}, "a node is named twice"),
        ({"agreeing": 1}, "at least two nodes must agree"),
        ({"agreeing": "2"}, "agreeing must be a whole number or null"),
        ({"vouching": "kOfN", "nodes": ["http://x"]}, "2 nodes must agree, and the policy names 1"),
        ({"vouching": "kOfN", "nodes": ["http://x", "http://y"], "agreeing": 3}, "3 nodes must agree"),
        ({"knownBlocks": []}, "known blocks are an object"),
        ({"knownBlocks": {"1": []}}, "expected a chain as eip155"),
        ({"knownBlocks": {"eip155:01": []}}, "expected a chain as eip155"),
        ({"knownBlocks": {"eip155:1": "0x"}}, "eip155:1 must be a list of texts"),
        ({"knownBlocks": {"eip155:1": ["0x12"]}}, "expected 32 bytes"),
        ({"requiredProofs": "eddsa-jcs-2022"}, "requiredProofs must be a list of texts"),
        ({"requireDidDocument": "yes"}, "requireDidDocument must be true or false"),
        ({"requireDidDocument": None}, "requireDidDocument must be true or false"),
    ],
)
def test_wrong_policy_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyFormatError, match=said):
        parse_policy(json.dumps({**CONTENT, **changes}).encode())


@pytest.mark.parametrize("did", ["DID:web:x.example", "did:web:x.example ", "web:x.example", "did:web:x\n"])
def test_denied_issuer_that_no_did_equals_is_refused(did: str) -> None:
    with pytest.raises(PolicyFormatError, match="named by its DID"):
        parse_policy(json.dumps({**CONTENT, "deniedIssuers": [did]}).encode())


def test_registry_with_two_pins_is_refused() -> None:
    other = {**CONTENT["registries"][0], "codeHash": "0x" + "11" * 32}
    with pytest.raises(PolicyFormatError, match="trusted twice"):
        parse_policy(json.dumps({**CONTENT, "registries": [*CONTENT["registries"], other]}).encode())


def test_missing_member_is_refused() -> None:
    with pytest.raises(PolicyFormatError, match="the policy lacks registries"):
        parse_policy(json.dumps({"format": CONTENT["format"]}).encode())


def test_members_left_out_have_their_defaults() -> None:
    content = {"format": CONTENT["format"], "registries": CONTENT["registries"]}
    assert parse_policy(json.dumps(content).encode()) == policy()
    assert policy().max_age_seconds == 3600
    assert not policy().nodes


def test_unknown_members_are_named_in_order() -> None:
    names = [f"{name}Rule" for name in "qwertyuiopas"]
    with pytest.raises(PolicyFormatError) as caught:
        parse_policy(json.dumps({**CONTENT, **dict.fromkeys(names, 1)}).encode())
    assert str(caught.value) == f"the policy has unknown members: {', '.join(sorted(names))}"


def test_how_many_nodes_must_agree() -> None:
    nodes = tuple(f"http://127.0.0.1:{port}" for port in range(1, 6))
    for count, agreeing in ((2, 2), (3, 2), (4, 3), (5, 3)):
        assert policy(vouching=Vouching.K_OF_N, nodes=nodes[:count]).agreeing_nodes == agreeing
    assert policy(vouching=Vouching.K_OF_N, nodes=nodes, agreeing=4).agreeing_nodes == 4
    # The nodes may be named later.
    assert policy(vouching=Vouching.K_OF_N).agreeing_nodes == 2


def test_known_blocks_are_of_their_chain_only() -> None:
    rules = policy(known_blocks=frozenset({KnownBlock(chain_id=1, hash=CODE_HASH)}))
    assert rules.knows(1, CODE_HASH)
    assert not rules.knows(61, CODE_HASH)
    assert not rules.knows(1, hash32(bytes(32)))


def test_message_says_what_is_wrong_and_nothing_before_it() -> None:
    with pytest.raises(PolicyFormatError) as caught:
        parse_policy(json.dumps({**CONTENT, "nodes": "http://x"}).encode())
    assert str(caught.value) == "the policy's nodes must be a list of texts"


def test_garbage_is_refused() -> None:
    with pytest.raises(PolicyFormatError, match="not strict JSON"):
        parse_policy(b"registries: []")


def test_policy_checks_itself() -> None:
    with pytest.raises(MalformedError, match="negative"):
        Policy(registries=(), confirmations=-1)


def test_policy_file_is_as_specified() -> None:
    trusted = TrustedRegistry(registry=REGISTRY, code_hash=CODE_HASH, name="Québec")
    rules = Policy(
        registries=(trusted,),
        denied_issuers=frozenset({"did:web:b.example", "did:web:a.example"}),
        known_blocks=frozenset({KnownBlock(chain_id=1, hash=CODE_HASH)}),
    )
    assert (
        policy_to_text(rules)
        == f"""{{
  "format": "credanchor/policy@v1",
  "registries": [
    {{
      "registry": "{REGISTRY.to_text()}",
      "codeHash": "{to_hex(CODE_HASH)}",
      "name": "Québec"
    }}
  ],
  "vouching": "oneNode",
  "nodes": [],
  "agreeing": null,
  "knownBlocks": {{
    "eip155:1": [
      "{to_hex(CODE_HASH)}"
    ]
  }},
  "confirmations": null,
  "maxAgeSeconds": 3600,
  "deniedIssuers": [
    "did:web:a.example",
    "did:web:b.example"
  ],
  "requiredProofs": [],
  "requireDidDocument": false,
  "trustLists": []
}}
"""
    )


@pytest.mark.parametrize("name", ["registry", "codeHash", "name"])
def test_each_member_of_a_trusted_registry_is_needed(name: str) -> None:
    entry = {member: value for member, value in CONTENT["registries"][0].items() if member != name}
    with pytest.raises(PolicyFormatError, match=f"a trusted registry lacks {name}"):
        parse_policy(json.dumps({**CONTENT, "registries": [entry]}).encode())


def test_strangers_members_are_named_in_short() -> None:
    with pytest.raises(PolicyFormatError) as caught:
        parse_policy(json.dumps({**CONTENT, "x" * 500: 1}).encode())
    assert str(caught.value) == "the policy has unknown members: " + "x" * 200
