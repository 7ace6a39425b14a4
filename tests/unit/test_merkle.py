"""The tree, held against `merkletools`, and against proofs that CanCred Factory has anchored on Ethereum."""

import json
from hashlib import sha256
from pathlib import Path

import merkletools
import pytest

from anchor.errors import InclusionError, MalformedError
from anchor.merkle import MAX_LEVELS, build_levels, check_inclusion, prove_inclusion, sibling_positions
from anchor.model import Hash32, InclusionProof, hash32

CANCRED = sorted((Path(__file__).parents[1] / "vectors" / "cancred").glob("*.json"))
LEAVES = [sha256(index.to_bytes(4, "big")).digest() for index in range(1025)]


def reference(leaves: list[bytes]) -> merkletools.MerkleTools:
    tree = merkletools.MerkleTools(hash_type="sha256")
    tree.add_leaf([leaf.hex() for leaf in leaves])
    tree.make_tree()
    return tree


def reference_path(tree: merkletools.MerkleTools, index: int) -> list[tuple[bool, str]]:
    return [("left" in step, next(iter(step.values()))) for step in tree.get_proof(index)]


@pytest.mark.parametrize("size", range(1, 1026))
def test_tree_equals_merkletools_for_every_size(size: int) -> None:
    leaves = LEAVES[:size]
    levels, tree = build_levels(b"".join(leaves)), reference(leaves)
    assert levels[-1].hex() == tree.get_merkle_root()
    # Every leaf of small trees; of large ones both ends, the middle and the odd tail.
    for index in range(size) if size <= 66 else {0, 1, size // 2, size - 2, size - 1}:
        proof = prove_inclusion(levels, index)
        assert [sibling.hex() for sibling in proof.siblings] == [each for _, each in reference_path(tree, index)]
        sides = [position & 1 == 0 for _, position in sibling_positions(index, size)]
        assert sides == [is_left for is_left, _ in reference_path(tree, index)]
        check_inclusion(hash32(leaves[index]), proof, hash32(levels[-1]))


@pytest.mark.parametrize("leaves", [b"", b"\x01" * 31, b"\x01" * 33], ids=["none", "short", "long"])
def test_leaves_must_be_whole_and_present(leaves: bytes) -> None:
    with pytest.raises(MalformedError, match="leaves of 32 bytes"):
        build_levels(leaves)


def test_leaf_occurs_once() -> None:
    with pytest.raises(MalformedError, match="twice"):
        build_levels(LEAVES[0] + LEAVES[1] + LEAVES[0])


def test_no_proof_for_a_leaf_that_is_not_there() -> None:
    levels = build_levels(b"".join(LEAVES[:3]))
    for index in (-1, 3):
        with pytest.raises(MalformedError, match="leaf index"):
            prove_inclusion(levels, index)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_any_other_position_or_number_of_siblings_is_rejected(size: int) -> None:
    levels = build_levels(b"".join(LEAVES[:size]))
    root, extra = hash32(levels[-1]), hash32(LEAVES[100])
    for index in range(size):
        leaf, proof = hash32(LEAVES[index]), prove_inclusion(levels, index)
        for siblings in ((*proof.siblings, extra), proof.siblings[:-1], proof.siblings[::-1]):
            if siblings != proof.siblings:
                changed = InclusionProof(leaf_index=index, size=size, siblings=siblings)
                with pytest.raises(InclusionError):
                    check_inclusion(leaf, changed, root)
        for other in set(range(size)) - {index}:
            moved = InclusionProof(leaf_index=other, size=size, siblings=proof.siblings)
            with pytest.raises(InclusionError):
                check_inclusion(leaf, moved, root)


def test_inner_node_does_not_pass_as_a_leaf_with_an_understated_size() -> None:
    # OpenAttestation accepts this. Here size is compared with the ledger's (verification step 6); a node's preimage has
    # 64 bytes and a leaf's 73, so nobody has a credential for it either.
    levels = build_levels(b"".join(LEAVES[:4]))
    node, right, root = (hash32(each) for each in (levels[1][:32], levels[1][32:], levels[2]))
    understated = InclusionProof(leaf_index=0, size=2, siblings=(right,))
    check_inclusion(node, understated, root)
    stated = InclusionProof(leaf_index=0, size=4, siblings=(right,))
    with pytest.raises(InclusionError, match="needs 2 siblings"):
        check_inclusion(node, stated, root)


def cancred_proof(steps: list[tuple[bool, Hash32]]) -> InclusionProof:
    """Give a path that says itself on which side each sibling is: its sides are those of one leaf of a full tree."""
    index = sum(is_left << level for level, (is_left, _) in enumerate(steps))
    return InclusionProof(leaf_index=index, size=2 ** len(steps), siblings=tuple(sibling for _, sibling in steps))


def cancred_path(path: Path) -> tuple[Hash32, list[tuple[bool, Hash32]], Hash32]:
    content = json.loads(path.read_bytes())
    target, root = (hash32(bytes.fromhex(content[name])) for name in ("targetHash", "merkleRoot"))
    steps = [("left" in step, hash32(bytes.fromhex(next(iter(step.values()))))) for step in content["proof"]]
    return target, steps, root


@pytest.mark.parametrize("path", CANCRED, ids=lambda path: path.stem)
def test_cancred_proofs_lead_to_their_anchored_root(path: Path) -> None:
    target, steps, root = cancred_path(path)
    check_inclusion(target, cancred_proof(steps), root)


@pytest.mark.parametrize("path", CANCRED, ids=lambda path: path.stem)
def test_cancred_proofs_fail_with_any_byte_flipped(path: Path) -> None:
    target, steps, root = cancred_path(path)
    changed = [(_flip(target, byte), steps) for byte in range(32)]
    for number, (is_left, sibling) in enumerate(steps):
        others = [(is_left, _flip(sibling, byte)) for byte in range(32)]
        for other in (*others, (not is_left, sibling)):
            changed.append((target, [*steps[:number], other, *steps[number + 1 :]]))
    for leaf, path_taken in changed:
        with pytest.raises(InclusionError, match="does not lead to the root"):
            check_inclusion(leaf, cancred_proof(path_taken), root)


def test_there_are_cancred_proofs() -> None:
    assert len(CANCRED) == 3


def _flip(value: Hash32, byte: int) -> Hash32:
    return hash32(value[:byte] + bytes([value[byte] ^ 1]) + value[byte + 1 :])


def test_levels_are_leaves_first_and_cannot_be_changed() -> None:
    levels = build_levels(LEAVES[0] + LEAVES[1])
    assert levels == (LEAVES[0] + LEAVES[1], sha256(LEAVES[0] + LEAVES[1]).digest())


def test_largest_batch_has_33_levels() -> None:
    assert len({level for level, _ in sibling_positions(0, 2**32 - 1)}) == MAX_LEVELS - 1 == 32
