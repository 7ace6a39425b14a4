"""The verifier's policy file."""

import json
from typing import Any

import pytest

from anchor.errors import MalformedError, PolicyFormatError
from anchor.model import Policy, TrustedRegistry, Vouching, to_hex
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
    other = policy(vouching=Vouching.PINNED_HASH)
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
    with pytest.raises(PolicyFormatError, match="the policy lacks nodes, vouching"):
        parse_policy(json.dumps({k: v for k, v in CONTENT.items() if k not in ("nodes", "vouching")}).encode())


def test_missing_and_unknown_members_are_named_in_order() -> None:
    with pytest.raises(PolicyFormatError) as caught:
        parse_policy(json.dumps({"format": CONTENT["format"]}).encode())
    assert str(caught.value) == f"the policy lacks {', '.join(sorted(CONTENT.keys() - {'format'}))}"
    names = [f"{name}Rule" for name in "qwertyuiopas"]
    with pytest.raises(PolicyFormatError) as caught:
        parse_policy(json.dumps({**CONTENT, **dict.fromkeys(names, 1)}).encode())
    assert str(caught.value) == f"the policy has unknown members: {', '.join(sorted(names))}"


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
    rules = Policy(registries=(trusted,), denied_issuers=frozenset({"did:web:b.example", "did:web:a.example"}))
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
  "confirmations": null,
  "maxAgeSeconds": 3600,
  "deniedIssuers": [
    "did:web:a.example",
    "did:web:b.example"
  ]
}}
"""
    )


@pytest.mark.parametrize("name", [name for name in CONTENT if name != "format"])
def test_each_member_is_needed(name: str) -> None:
    with pytest.raises(PolicyFormatError, match=f"the policy lacks {name}"):
        parse_policy(json.dumps({member: value for member, value in CONTENT.items() if member != name}).encode())


@pytest.mark.parametrize("name", ["registry", "codeHash", "name"])
def test_each_member_of_a_trusted_registry_is_needed(name: str) -> None:
    entry = {member: value for member, value in CONTENT["registries"][0].items() if member != name}
    with pytest.raises(PolicyFormatError, match=f"a trusted registry lacks {name}"):
        parse_policy(json.dumps({**CONTENT, "registries": [entry]}).encode())


def test_strangers_members_are_named_in_short() -> None:
    with pytest.raises(PolicyFormatError) as caught:
        parse_policy(json.dumps({**CONTENT, "x" * 500: 1}).encode())
    assert str(caught.value) == "the policy has unknown members: " + "x" * 200
