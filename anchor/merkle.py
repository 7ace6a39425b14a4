"""The batch's Merkle tree: build it, prove one leaf, check a proof (design section 4).

Levels are paired left to right, a last odd node moves up unchanged; node = SHA-256(left ‖ right). This is byte for
byte the tree of `merkletools`, of Blockcerts and of CanCred. Which side a sibling is on, and how many there must be,
follow from (leaf index, size) alone: a proof never says so itself.

Levels are flat bytes, 32 per node, so that a million leaves are one object and a level can be stored as it is.

    >>> levels = build_levels(bytes(32) + bytes([1]) * 32)
    >>> [len(level) // 32 for level in levels]
    [2, 1]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from anchor.errors import InclusionError, MalformedError
from anchor.model import MAX_UINT32, Hash32, InclusionProof

HASH_BYTES: Final = 32
MAX_LEVELS: Final = 33
"""Levels of a tree of 2^32 - 1 leaves, the leaf level and the root included."""


def build_levels(leaves: bytes) -> tuple[bytes, ...]:
    """Build the whole tree.

    Args:
        leaves: The leaf hashes, concatenated in order; 1 to 2^32 - 1 of them.

    Returns:
        The levels, leaves first, the root's 32 bytes last.

    Raises:
        MalformedError: No leaf, a length that is no multiple of 32, or a leaf that occurs twice.
    """
    count, rest = divmod(len(leaves), HASH_BYTES)
    if rest or not 1 <= count <= MAX_UINT32:
        raise MalformedError(f"expected 1 to {MAX_UINT32} leaves of 32 bytes, got {len(leaves)} bytes")
    if len({leaves[start : start + HASH_BYTES] for start in range(0, len(leaves), HASH_BYTES)}) != count:
        raise MalformedError("a leaf occurs twice in the batch")
    levels = [leaves]
    while len(levels[-1]) > HASH_BYTES:
        levels.append(_next_level(levels[-1]))
    return tuple(levels)


def sibling_positions(leaf_index: int, size: int) -> Iterator[tuple[int, int]]:
    """Name the nodes that prove one leaf, from the leaf level up.

    Args:
        leaf_index: 0-based, below `size`.
        size: Leaves in the batch.

    Yields:
        (level, index in that level); levels where the node moves up unchanged are left out.
    """
    level, index, width = 0, leaf_index, size
    while width > 1:
        sibling = index ^ 1
        if sibling < width:
            yield level, sibling
        level, index, width = level + 1, index >> 1, (width + 1) >> 1


def prove_inclusion(levels: Sequence[bytes], leaf_index: int) -> InclusionProof:
    """Prove one leaf from a built tree.

    Raises:
        MalformedError: There is no such leaf.
    """
    size = len(levels[0]) // HASH_BYTES
    siblings = tuple(
        Hash32(levels[level][index * HASH_BYTES : (index + 1) * HASH_BYTES])
        for level, index in sibling_positions(leaf_index, size)
    )
    return InclusionProof(leaf_index=leaf_index, size=size, siblings=siblings)


def check_inclusion(leaf: Hash32, proof: InclusionProof, root: Hash32) -> None:
    """Check that `leaf` is in the batch committed to by `root`.

    Args:
        leaf: Leaf hash, as returned by `anchor.canonical.leaf_hash`.
        proof: Position, size and siblings from the leaf level up to the root's child.
        root: Root of the batch.

    Raises:
        InclusionError: The siblings are too few, too many, or do not lead from `leaf` to `root`.
    """
    index, last, siblings = proof.leaf_index, proof.size - 1, proof.siblings
    # Below the level where the path joins the tree's right edge, each node has a sibling, on the side that its place
    # says. On the edge only nodes at odd places have one, on the left.
    below_edge = (index ^ last).bit_length()
    needed = below_edge + (last >> below_edge).bit_count()
    if len(siblings) != needed:
        raise InclusionError(f"leaf {index} of {proof.size} needs {needed} siblings, the proof has {len(siblings)}")
    node: bytes = leaf
    for sibling in siblings[:below_edge]:
        node = sha256(sibling + node if index & 1 else node + sibling).digest()
        index >>= 1
    for sibling in siblings[below_edge:]:
        node = sha256(sibling + node).digest()
    if node != root:
        raise InclusionError("the credential's hash does not lead to the root it names: something in it was changed")


def hash_pairs(nodes: bytes) -> bytes:
    """Hash neighbours, two and two, into the nodes above them.

    Args:
        nodes: An even number of them, concatenated.
    """
    pair = 2 * HASH_BYTES
    return b"".join([sha256(nodes[start : start + pair]).digest() for start in range(0, len(nodes), pair)])


def _next_level(level: bytes) -> bytes:
    paired = len(level) - len(level) % (2 * HASH_BYTES)
    return hash_pairs(level[:paired]) + level[paired:]
