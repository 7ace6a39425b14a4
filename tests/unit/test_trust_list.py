"""Trust lists: signed, read, put into a policy; and what a policy file says of them."""

import json
from typing import Any

import pytest

from anchor.did_key import Ed25519Key
from anchor.errors import (
    MalformedError,
    PolicyFormatError,
    SignatureError,
    SignedFormatError,
    TrustListError,
    UntrustedIssuerError,
)
from anchor.model import Policy, TrustListSource
from anchor.policy import parse_policy, policy_to_text
from anchor.trust_list import TrustList, apply_trust_lists, check_trust_list, sign_trust_list, trust_list_content
from anchor.verify import Verifier, verify
from tests.support.verdicts import judge
from tests.support.world import DID, NOW, REGISTRY, World, policy

KEY = Ed25519Key(bytes(range(32)))
OTHER = Ed25519Key(bytes(range(1, 33)))
PIN = json.loads(policy_to_text(policy()))["registries"][0]
SOURCE = TrustListSource(source="list.json", signer=KEY.did)


def draft(**changes: Any) -> bytes:
    content = {
        "format": "credanchor/trust-list@v1",
        "name": "Example",
        "sequence": 3,
        "expiresAt": None,
        "registries": [PIN],
        "deniedIssuers": [],
    }
    return json.dumps({**content, **changes}).encode()


def signed(*, key: Ed25519Key = KEY, at: int = NOW, **changes: Any) -> TrustList:
    return check_trust_list(sign_trust_list(draft(**changes), key, at))


def test_a_signed_draft_is_a_list() -> None:
    trust_list = signed(deniedIssuers=[DID], expiresAt=NOW + 1)
    assert trust_list_content(trust_list) == {
        "name": "Example",
        "sequence": 3,
        "issuedAt": NOW,
        "expiresAt": NOW + 1,
        "signer": KEY.did,
        "registries": [PIN],
        "deniedIssuers": [DID],
    }


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x", "strict JSON"),
        (draft(format="x"), "format must be credanchor/trust-list@v1"),
        (draft(issuedAt=NOW), "exactly the members"),
        (draft(sequence=0), "sequence must be a whole number from 1"),
        (draft(deniedIssuers=["college.example"]), "not usable: a denied issuer"),
    ],
)
def test_a_draft_that_breaks_the_format_is_not_signed(data: bytes, said: str) -> None:
    with pytest.raises(SignedFormatError, match=said):
        sign_trust_list(data, KEY, NOW)


def test_an_issuer_denied_by_a_list_is_denied() -> None:
    rules = policy(trust_lists=(SOURCE,), registries=())
    applied = apply_trust_lists(rules, [signed(deniedIssuers=[DID])], NOW)
    assert applied.pin_of(REGISTRY) is not None
    verdict = judge(World(), rules=applied)
    with pytest.raises(UntrustedIssuerError):
        verdict.require_valid()


def test_a_policy_whose_lists_are_not_put_in_judges_nothing() -> None:
    world, rules = World(), policy(trust_lists=(SOURCE,))
    with pytest.raises(TrustListError, match="not in it yet"):
        Verifier(world.evidence(), rules, NOW)
    with pytest.raises(TrustListError):
        verify(world.credential(), world.evidence(), rules, NOW)


def test_each_list_that_the_policy_names_is_needed() -> None:
    with pytest.raises(TrustListError, match="names 1 trust lists, and 0 are there"):
        apply_trust_lists(policy(trust_lists=(SOURCE,)), [], NOW)


def test_two_lists_that_contradict_each_other_are_refused() -> None:
    other = TrustListSource(source="other.json", signer=OTHER.did)
    rules = policy(trust_lists=(SOURCE, other), registries=())
    wrong = {**PIN, "codeHash": "0x" + "11" * 32}
    with pytest.raises(TrustListError, match="two code hashes"):
        apply_trust_lists(rules, [signed(), signed(key=OTHER, registries=[wrong])], NOW)
    assert apply_trust_lists(rules, [signed(), signed(key=OTHER)], NOW).trust_lists == ()


def test_lists_count_each_for_its_own_signer() -> None:
    other = TrustListSource(source="other.json", signer=OTHER.did)
    with pytest.raises(SignatureError, match="signed by"):
        apply_trust_lists(policy(trust_lists=(SOURCE, other)), [signed(key=OTHER), signed()], NOW)


def test_a_policy_with_trust_lists_survives_writing_and_reading() -> None:
    rules = policy(trust_lists=(SOURCE, TrustListSource(source="https://x.example/list.json", signer=OTHER.did)))
    assert parse_policy(policy_to_text(rules).encode()) == rules


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("list.json", "must be a list of objects"),
        ({"source": "list.json"}, "lacks signer"),
        ({"source": "list.json", "signer": KEY.did, "name": "x"}, "unknown members: name"),
        ({"source": 1, "signer": KEY.did}, "has a source"),
        ({"source": "", "signer": KEY.did}, "has a source"),
        ({"source": "a\nb", "signer": KEY.did}, "has a source"),
        ({"source": "list.json", "signer": 1}, "has a source"),
        ({"source": "list.json", "signer": "did:web:x.example"}, "did:key of an Ed25519 key"),
        ({"source": "http://x.example/list.json", "signer": KEY.did}, "comes over https://"),
        ({"source": "file:///etc/list.json", "signer": KEY.did}, "comes over https://"),
    ],
)
def test_a_policy_that_names_a_trust_list_wrongly_is_refused(entry: object, said: str) -> None:
    content = {**json.loads(policy_to_text(policy())), "trustLists": [entry]}
    with pytest.raises(PolicyFormatError, match=said):
        parse_policy(json.dumps(content).encode())


def test_a_trust_list_named_twice_is_refused() -> None:
    with pytest.raises(MalformedError, match="named twice"):
        Policy(registries=(), trust_lists=(SOURCE, SOURCE))
