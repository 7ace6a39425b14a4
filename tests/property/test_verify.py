"""Whatever is changed in what a credential says, salts, places or proves: never `valid`."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anchor.credential import parse_credential
from anchor.errors import MalformedError
from anchor.model import Hash32, InclusionProof, Outcome, StatusPosition, hash32
from anchor.proof import anchor_proof_member
from anchor.status import CredentialStatus, status_entries
from anchor.verify import verify
from tests.support.world import ISSUER_ID, NOW, REGISTRY, World, policy

WORLD = World(size=11, leaf_index=6)
EVIDENCE = WORLD.evidence()
DOCUMENT = WORLD.document()
PROOF = WORLD.anchor_proof()


def flip(value: bytes, bit: int) -> Hash32:
    return hash32((int.from_bytes(value, "big") ^ 1 << bit).to_bytes(32, "big"))


def outcome(document: dict[str, Any]) -> Outcome | None:
    try:
        return verify(parse_credential(json.dumps(document).encode()), EVIDENCE, policy(), NOW).outcome
    except MalformedError:
        return None


def test_untouched_it_is_valid() -> None:
    assert outcome(DOCUMENT) is Outcome.VALID


@given(choice=st.data())
def test_any_character_changed_is_never_valid(choice: st.DataObject) -> None:
    text = json.dumps(DOCUMENT)
    place = choice.draw(st.integers(0, len(text) - 1))
    other = choice.draw(st.characters(exclude_categories=["Cs"]).filter(lambda char: char != text[place]))
    changed = text[:place] + other + text[place + 1 :]
    try:
        value = json.loads(changed)
    except ValueError:
        value = None
    if value == DOCUMENT:  # white space, or another way to write the same thing
        return
    try:
        credential = parse_credential(changed.encode())
    except MalformedError:
        return
    assert verify(credential, EVIDENCE, policy(), NOW).outcome is not Outcome.VALID


def places(value: Any) -> list[tuple[Any, Any]]:
    """All (container, key) pairs of a document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [place for key, child in children for place in [(value, key), *places(child)]]


@given(choice=st.data(), new=st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.just([]))
def test_any_member_replaced_or_removed_is_never_valid(choice: st.DataObject, new: Any) -> None:
    document = deepcopy(DOCUMENT)
    container, key = choice.draw(st.sampled_from(places(document)))
    if choice.draw(st.booleans()):
        del container[key]
    else:
        container[key] = new
    assert outcome(document) is not Outcome.VALID


@given(choice=st.data())
def test_any_change_of_the_anchor_proof_is_never_valid(choice: st.DataObject) -> None:
    inclusion = PROOF.inclusion
    kind = choice.draw(st.sampled_from(["salt", "root", "index", "size", "path", "longer", "shorter"]))
    bit = choice.draw(st.integers(0, 255))
    siblings = list(inclusion.siblings)
    if kind == "salt":
        changed = replace(PROOF, salt=flip(PROOF.salt, bit))
    elif kind == "root":
        changed = replace(PROOF, root=flip(PROOF.root, bit))
    elif kind == "index":
        index = choice.draw(st.integers(0, inclusion.size - 1).filter(lambda each: each != inclusion.leaf_index))
        changed = replace(PROOF, inclusion=replace(inclusion, leaf_index=index))
    elif kind == "size":
        size = choice.draw(st.integers(inclusion.leaf_index + 1, 40).filter(lambda each: each != inclusion.size))
        changed = replace(PROOF, inclusion=replace(inclusion, size=size))
    else:
        if kind == "path":
            place = choice.draw(st.integers(0, len(siblings) - 1))
            siblings[place] = flip(siblings[place], bit)
        elif kind == "longer":
            siblings.insert(choice.draw(st.integers(0, len(siblings))), flip(PROOF.root, bit))
        else:
            del siblings[choice.draw(st.integers(0, len(siblings) - 1))]
        inclusion = InclusionProof(leaf_index=inclusion.leaf_index, size=inclusion.size, siblings=tuple(siblings))
        changed = replace(PROOF, inclusion=inclusion)
    verdict = outcome({**DOCUMENT, "proof": [anchor_proof_member(changed)]})
    assert verdict is Outcome.INVALID


@given(status_list=st.integers(0, 3), index=st.integers(0, 131_071))
def test_any_other_status_position_is_never_valid(status_list: int, index: int) -> None:
    position = StatusPosition(status_list=status_list, index=index)
    status = CredentialStatus(registry=REGISTRY, issuer_id=ISSUER_ID, position=position)
    moved = {**DOCUMENT, "credentialStatus": status_entries(status, "https://registry.example")}
    assert outcome(moved) is (Outcome.VALID if position == WORLD.position else Outcome.INVALID)
