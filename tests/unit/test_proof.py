"""The anchor proof's one encoding (design section 5)."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from anchor.errors import ProofFormatError
from anchor.model import MAX_UINT32, InclusionProof, RegistryId
from anchor.proof import MAX_PROOF_VALUE_CHARACTERS, MAX_PROOFS, anchor_proof_member, parse_anchor_proof, parse_proofs
from tests.support.world import World

PROOF = World().anchor_proof()
MEMBER = anchor_proof_member(PROOF)
CONTENT = {
    "registry": PROOF.registry.to_text(),
    "issuerId": 7,
    "root": PROOF.root,
    "size": 5,
    "leafIndex": 2,
    "salt": PROOF.salt,
    "path": b"".join(PROOF.inclusion.siblings),
}


def with_value(data: bytes) -> dict[str, Any]:
    return {**MEMBER, "proofValue": "u" + urlsafe_b64encode(data).rstrip(b"=").decode()}


def with_content(**members: Any) -> dict[str, Any]:
    return with_value(cbor2.dumps({**CONTENT, **members}, canonical=True))


def test_proof_is_as_designed() -> None:
    assert {name: member for name, member in MEMBER.items() if name != "proofValue"} == {
        "type": "DataIntegrityProof",
        "cryptosuite": "merkle-eip155-jcs-2026",
        "proofPurpose": "assertionMethod",
        "verificationMethod": "did:pkh:eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3#issuer-7",
    }
    assert with_content() == MEMBER
    assert parse_anchor_proof(MEMBER) == PROOF
    assert parse_proofs({"proof": [MEMBER]}).anchors == (PROOF,)


def test_other_proofs_are_named_and_left_alone() -> None:
    others: list[Any] = [{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"}, {"type": "X"}, {"type": []}]
    proofs = parse_proofs({"proof": [*others, MEMBER]})
    assert proofs.others == ("eddsa-rdfc-2022", "X", "unnamed")
    assert proofs.anchors == (PROOF,)
    assert parse_proofs({"proof": others[1]}).others == ("X",)


def test_without_proof_there_is_none() -> None:
    assert parse_proofs({}) == parse_proofs({"proof": []})
    assert parse_proofs({}).anchors == ()


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        (MEMBER, "stands in an array"),
        ("text", "not a JSON object"),
        ([None], "not a JSON object"),
        ([MEMBER] * (MAX_PROOFS + 1), "at most 16"),
        ([{**MEMBER, "created": "2026-01-01T00:00:00Z"}], "one normal form"),
        ([{**MEMBER, "type": "Other"}], "one normal form"),
        ([{**MEMBER, "proofPurpose": "authentication"}], "one normal form"),
        (
            [{**MEMBER, "verificationMethod": MEMBER["verificationMethod"].replace("issuer-7", "issuer-8")}],
            "normal form",
        ),
        ([{name: member for name, member in MEMBER.items() if name != "proofPurpose"}], "one normal form"),
        ([{**MEMBER, "proofValue": None}], "unpadded base64url"),
        ([{**MEMBER, "proofValue": MEMBER["proofValue"][1:]}], "unpadded base64url|decode"),
        ([{**MEMBER, "proofValue": "u"}], "unpadded base64url"),
        ([{**MEMBER, "proofValue": MEMBER["proofValue"] + "="}], "unpadded base64url"),
        ([{**MEMBER, "proofValue": MEMBER["proofValue"] + "\n"}], "unpadded base64url"),
        ([{**MEMBER, "proofValue": "z" + MEMBER["proofValue"][1:]}], "unpadded base64url"),
        ([{**MEMBER, "proofValue": "u+/"}], "unpadded base64url"),
        ([{**MEMBER, "proofValue": "uAAAAA"}], "decode"),
        ([{**MEMBER, "proofValue": "u" + "A" * MAX_PROOF_VALUE_CHARACTERS}], "unpadded base64url"),
        ([with_value(b"")], "unpadded base64url"),
        ([with_value(b"\x9b" + b"\xff" * 8)], "not CBOR"),
        ([with_value(b"\x81" * 1400)], "not CBOR"),
        ([with_value(cbor2.dumps([1, 2]))], "exactly the members"),
        ([with_value(cbor2.dumps({**CONTENT, "extra": 1}, canonical=True))], "exactly the members"),
        ([with_value(cbor2.dumps({1: 2}))], "exactly the members"),
        ([with_value(cbor2.dumps(CONTENT, canonical=False))], "one normal form"),
        ([with_value(cbor2.dumps(CONTENT, canonical=True) + b"\x00")], "one normal form|not CBOR"),
        ([with_value(cbor2.dumps(CONTENT, canonical=True).replace(b"dsize\x05", b"dsize\x18\x05"))], "one normal form"),
        ([with_content(size=5.0)], "size has the wrong type"),
        ([with_content(size=True)], "size has the wrong type"),
        ([with_content(root="r" * 32)], "root has the wrong type"),
        ([with_content(root=b"r" * 31)], "decode"),
        ([with_content(salt=b"")], "decode"),
        ([with_content(path=b"p" * 33)], "at most 32 siblings"),
        ([with_content(path=b"p" * 33 * 32)], "at most 32 siblings"),
        ([with_content(issuerId=0)], "issuer id"),
        ([with_content(issuerId=MAX_UINT32 + 1)], "issuer id"),
        ([with_content(size=0)], "decode"),
        ([with_content(size=MAX_UINT32 + 1)], "decode"),
        ([with_content(leafIndex=5)], "decode"),
        ([with_content(leafIndex=-1)], "decode"),
        ([with_content(registry="eip155:31337:0x5FBDB2315678afecb367f032d93f642f64180aa3")], "decode"),
        ([with_content(registry="eip155:0:0x5fbdb2315678afecb367f032d93f642f64180aa3")], "decode"),
        ([with_content(registry="eip155:031337:0x5fbdb2315678afecb367f032d93f642f64180aa3")], "decode"),
    ],
)
def test_any_other_form_is_malformed(proof: object, said: str) -> None:
    with pytest.raises(ProofFormatError, match=said):
        parse_proofs({"proof": proof})


def test_base64_with_stray_bits_is_malformed() -> None:
    value = MEMBER["proofValue"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(value) % 4 != 1, "whole quads have no stray bits: choose a world whose proof has another length"
    stray = value[:-1] + alphabet[alphabet.index(value[-1]) + 1]
    with pytest.raises(ProofFormatError, match="one normal form"):
        parse_proofs({"proof": [{**MEMBER, "proofValue": stray}]})


def test_proof_may_end_in_any_character() -> None:
    # Three issuer ids of 1, 2 and 3 bytes, so that the last leaf index stands at each place within a quad.
    ends = set()
    for issuer_id in (1, 24, 256):
        for leaf_index in range(24):
            inclusion = InclusionProof(leaf_index=leaf_index, size=24, siblings=PROOF.inclusion.siblings)
            proof = replace(PROOF, issuer_id=issuer_id, inclusion=inclusion)
            member = anchor_proof_member(proof)
            ends.add(member["proofValue"][-1])
            assert parse_anchor_proof(member) == proof
    assert ends >= set("ABCDEFGHIJKLMNOPQRSTUVWX")


def test_largest_proof_there_is() -> None:
    inclusion = InclusionProof(leaf_index=2**31, size=MAX_UINT32, siblings=(PROOF.root,) * 32)
    registry = RegistryId(chain_id=10**32 - 1, address=PROOF.registry.address)
    largest = replace(PROOF, registry=registry, issuer_id=MAX_UINT32, inclusion=inclusion)
    member = anchor_proof_member(largest)
    assert len(member["proofValue"]) == 1659
    assert parse_anchor_proof(member) == largest


def test_smallest_proof_there_is() -> None:
    inclusion = InclusionProof(leaf_index=0, size=1, siblings=())
    smallest = replace(PROOF, issuer_id=1, inclusion=inclusion)
    assert parse_anchor_proof(anchor_proof_member(smallest)) == smallest


def test_limits_are_those_of_the_specification() -> None:
    assert (MAX_PROOF_VALUE_CHARACTERS, MAX_PROOFS) == (2048, 16)
    assert parse_proofs({"proof": [MEMBER] * 16}).anchors == (PROOF,) * 16
    # Of this length it is decoded, and then no CBOR; longer, it is not even decoded.
    with pytest.raises(ProofFormatError, match="not CBOR"):
        parse_anchor_proof({**MEMBER, "proofValue": "u" + "_" * 2047})
    with pytest.raises(ProofFormatError, match="unpadded base64url"):
        parse_anchor_proof({**MEMBER, "proofValue": "u" + "_" * 2048})


def test_strangers_names_are_cut_short() -> None:
    proofs = parse_proofs({"proof": [{"cryptosuite": "x" * 101}, {"cryptosuite": 7, "type": "y" * 100}]})
    assert proofs.others == ("x" * 100, "y" * 100)


@pytest.mark.parametrize("name", CONTENT)
def test_each_member_is_needed_and_has_its_type(name: str) -> None:
    without = {member: value for member, value in CONTENT.items() if member != name}
    for content, said in ((without, "exactly the members"), ({**CONTENT, name: None}, f"{name} has the wrong type")):
        with pytest.raises(ProofFormatError, match=said):
            parse_anchor_proof(with_value(cbor2.dumps(content, canonical=True)))
