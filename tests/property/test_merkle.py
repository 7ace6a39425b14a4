"""The tree: build, prove, check; flip anything and it fails; large trees equal `merkletools`."""

from hashlib import sha256

import merkletools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.errors import InclusionError
from anchor.merkle import MAX_LEVELS, build_levels, check_inclusion, prove_inclusion
from anchor.model import MAX_UINT32, Hash32, InclusionProof, hash32

SIZES = st.integers(1, 300)


def leaves_of(size: int) -> list[bytes]:
    return [sha256(index.to_bytes(4, "big")).digest() for index in range(size)]


@given(size=SIZES, choice=st.data())
def test_any_bit_flipped_breaks_inclusion(size: int, choice: st.DataObject) -> None:
    levels = build_levels(b"".join(leaves_of(size)))
    index = choice.draw(st.integers(0, size - 1))
    proof, leaf, root = prove_inclusion(levels, index), hash32(leaves_of(size)[index]), hash32(levels[-1])
    check_inclusion(leaf, proof, root)
    parts = [leaf, root, *proof.siblings]
    number, bit = choice.draw(st.integers(0, len(parts) - 1)), choice.draw(st.integers(0, 255))
    parts[number] = hash32((int.from_bytes(parts[number], "big") ^ 1 << bit).to_bytes(32, "big"))
    changed = InclusionProof(leaf_index=index, size=size, siblings=tuple(parts[2:]))
    with pytest.raises(InclusionError):
        check_inclusion(parts[0], changed, parts[1])


@given(size=SIZES, other_size=SIZES, choice=st.data())
def test_a_proof_holds_at_its_own_position_only(size: int, other_size: int, choice: st.DataObject) -> None:
    levels = build_levels(b"".join(leaves_of(size)))
    index = choice.draw(st.integers(0, size - 1))
    other = choice.draw(st.integers(0, other_size - 1))
    proof, leaf = prove_inclusion(levels, index), hash32(leaves_of(size)[index])
    moved = InclusionProof(leaf_index=other, size=other_size, siblings=proof.siblings)
    try:
        check_inclusion(leaf, moved, hash32(levels[-1]))
    except InclusionError:
        assert (other, other_size) != (index, size)
    else:
        # Only the size may be misstated, where the path is the same; the ledger's size settles that (step 6).
        assert _sides(moved) == _sides(proof)


@settings(max_examples=8)
@given(size=st.integers(1_026, 50_000), choice=st.data())
def test_large_trees_equal_merkletools(size: int, choice: st.DataObject) -> None:
    leaves = leaves_of(size)
    reference = merkletools.MerkleTools(hash_type="sha256")
    reference.leaves = list(leaves)
    reference.make_tree()
    levels = build_levels(b"".join(leaves))
    assert levels[-1].hex() == reference.get_merkle_root()
    index = choice.draw(st.integers(0, size - 1))
    path = [next(iter(step.values())) for step in reference.get_proof(index)]
    proof = prove_inclusion(levels, index)
    assert [sibling.hex() for sibling in proof.siblings] == path
    check_inclusion(Hash32(leaves[index]), proof, Hash32(levels[-1]))


@given(size=st.integers(1, MAX_UINT32), choice=st.data())
def test_path_is_that_of_a_tree_of_any_size(size: int, choice: st.DataObject) -> None:
    # No tree of billions of leaves is built: any siblings lead somewhere.
    index = choice.draw(st.integers(0, size - 1) | st.integers(max(0, size - 9), size - 1))
    siblings = leaves_of(MAX_LEVELS)[: len(_sides(InclusionProof(leaf_index=index, size=size, siblings=())))]
    proof = InclusionProof(leaf_index=index, size=size, siblings=tuple(map(hash32, siblings)))
    node = sha256(b"leaf").digest()
    for is_left, sibling in zip(_sides(proof), siblings, strict=True):
        node = sha256(sibling + node if is_left else node + sibling).digest()
    check_inclusion(hash32(sha256(b"leaf").digest()), proof, hash32(node))
    for changed in (proof.siblings[1:], (*proof.siblings, hash32(node))):
        if changed != proof.siblings:
            wrong = InclusionProof(leaf_index=index, size=size, siblings=changed)
            with pytest.raises(InclusionError, match=f"needs {len(siblings)} siblings, the proof has {len(changed)}"):
                check_inclusion(hash32(sha256(b"leaf").digest()), wrong, hash32(node))


def _sides(proof: InclusionProof) -> list[bool]:
    sides, index, width = [], proof.leaf_index, proof.size
    while width > 1:
        if index ^ 1 < width:
            sides.append(bool(index & 1))
        index, width = index >> 1, (width + 1) >> 1
    return sides
