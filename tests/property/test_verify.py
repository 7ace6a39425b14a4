"""Whatever is changed in what a credential says, salts, places or proves: never `valid`. Its writing does not count.

Of issue 3, item 7: canonical bytes (a character; a member replaced, removed, added, moved), salt, root, path, index and
size, status position (in one entry, in both, in all that names it).
"""

import json
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anchor.credential import parse_credential
from anchor.errors import MalformedError
from anchor.model import AnchorProof, Hash32, Outcome, StatusPosition, hash32
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


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
ANCHOR_PROOFS = DOCUMENT["proof"]


@given(choice=st.data(), new=SCALARS | st.just({}) | st.just([]))
def test_any_member_added_is_never_valid(choice: st.DataObject, new: Any) -> None:
    document = deepcopy(DOCUMENT)
    containers = [document, *(each[key] for each, key in places(document) if isinstance(each[key], dict | list))]
    # Other proofs are no part of what is anchored: anybody may add them, and none of them is judged.
    container = choice.draw(st.sampled_from([each for each in containers if each != ANCHOR_PROOFS]))
    if isinstance(container, dict):
        container[choice.draw(st.text(max_size=5).filter(lambda name: name not in container))] = new
    else:
        container.insert(choice.draw(st.integers(0, len(container))), new)
    assert outcome(document) is not Outcome.VALID


@given(choice=st.data())
def test_any_two_elements_of_an_array_swapped_are_never_valid(choice: st.DataObject) -> None:
    document = deepcopy(DOCUMENT)
    arrays = [each[key] for each, key in places(document) if isinstance(each[key], list) and len(each[key]) > 1]
    array = choice.draw(st.sampled_from(arrays))
    one, other = choice.draw(st.permutations(range(len(array))))[:2]
    array[one], array[other] = array[other], array[one]
    assert outcome(document) is Outcome.INVALID


@given(order=st.randoms(use_true_random=False), ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 1, 7]))
def test_order_of_members_white_space_and_escapes_change_nothing(
    order: Any, ascii_only: bool, indent: int | None
) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return [shuffled(each) for each in value]
        if isinstance(value, dict):
            names = list(value)
            order.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        return value

    separators = (" \t,\r\n ", "\n: ") if order.random() < 0.5 else None
    text = json.dumps(shuffled(DOCUMENT), ensure_ascii=ascii_only, indent=indent, separators=separators)
    assert verify(parse_credential(f" \n{text}\t".encode()), EVIDENCE, policy(), NOW).outcome is Outcome.VALID


def outcome_with(proof: AnchorProof) -> Outcome | None:
    return outcome({**DOCUMENT, "proof": [anchor_proof_member(proof)]})


def with_siblings(siblings: list[Hash32]) -> AnchorProof:
    return replace(PROOF, inclusion=replace(PROOF.inclusion, siblings=tuple(siblings)))


@given(bit=st.integers(0, 255))
def test_another_salt_or_root_is_never_valid(bit: int) -> None:
    assert outcome_with(replace(PROOF, salt=flip(PROOF.salt, bit))) is Outcome.INVALID
    assert outcome_with(replace(PROOF, root=flip(PROOF.root, bit))) is Outcome.INVALID


@given(index=st.integers(0, WORLD.size - 1).filter(lambda index: index != WORLD.leaf_index))
def test_another_leaf_index_is_never_valid(index: int) -> None:
    assert outcome_with(replace(PROOF, inclusion=replace(PROOF.inclusion, leaf_index=index))) is Outcome.INVALID


# From 9 to 16 leaves, the path of leaf 6 looks the same: there, only the ledger knows the size.
SIZES = st.integers(WORLD.leaf_index + 1, 20) | st.integers(21, 2**32 - 1)


@given(size=SIZES.filter(lambda size: size != WORLD.size))
def test_another_size_is_never_valid(size: int) -> None:
    assert outcome_with(replace(PROOF, inclusion=replace(PROOF.inclusion, size=size))) is Outcome.INVALID


@given(choice=st.data(), bit=st.integers(0, 255))
def test_another_path_is_never_valid(choice: st.DataObject, bit: int) -> None:
    siblings = list(PROOF.inclusion.siblings)
    place = choice.draw(st.integers(0, len(siblings) - 1))
    changed = [*siblings[:place], flip(siblings[place], bit), *siblings[place + 1 :]]
    shorter = siblings[:place] + siblings[place + 1 :]
    other = choice.draw(st.sampled_from([*siblings, PROOF.root, flip(PROOF.root, bit)]))
    longer = [choice.draw(st.permutations([*siblings, other])), [*siblings, other]]
    reordered = choice.draw(st.permutations(siblings).filter(lambda order: order != siblings))
    for path in (changed, shorter, *longer, reordered):
        assert outcome_with(with_siblings(path)) is Outcome.INVALID


POSITIONS = st.builds(StatusPosition, status_list=st.integers(0, 3), index=st.integers(0, 131_071))
OTHER_POSITIONS = POSITIONS.filter(lambda position: position != WORLD.position)


def entries(position: StatusPosition) -> list[dict[str, Any]]:
    status = CredentialStatus(registry=REGISTRY, issuer_id=ISSUER_ID, position=position)
    return status_entries(status, "https://registry.example")


@given(position=OTHER_POSITIONS, members=st.sets(st.sampled_from(sorted(entries(WORLD.position)[0])), min_size=1))
def test_another_status_position_in_one_entry_is_never_valid(position: StatusPosition, members: set[str]) -> None:
    for place in (0, 1):
        stated, moved = entries(WORLD.position), entries(position)
        stated[place] |= {name: moved[place][name] for name in members}
        if stated == entries(WORLD.position):  # members that the two positions share
            continue
        assert outcome({**DOCUMENT, "credentialStatus": stated}) is not Outcome.VALID


@given(position=OTHER_POSITIONS)
def test_another_status_position_in_both_entries_is_never_valid(position: StatusPosition) -> None:
    # The leaf says where the bits are: nobody leaves his revoked bit behind for another's.
    assert outcome({**DOCUMENT, "credentialStatus": entries(position)}) is Outcome.INVALID


@dataclass(kw_only=True)
class LedgerAsked(World):
    """The ledger as `WORLD` has it, asked for what another credential names."""

    size: int = WORLD.size
    leaf_index: int = WORLD.leaf_index
    by: World

    def needed_slots(self) -> list[Hash32]:
        return self.by.needed_slots()


@given(position=OTHER_POSITIONS)
def test_another_status_position_in_entries_leaf_and_proof_is_never_valid(position: StatusPosition) -> None:
    # The forger has computed a tree of his own, whose proof fits: that tree was never anchored.
    moved = replace(WORLD, position=position)
    verdict = verify(moved.credential(), LedgerAsked(by=moved).evidence(), policy(), NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "notAnchored")
