"""The tree that grows is the tree that is built at once."""

from collections import defaultdict
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.merkle import HASH_BYTES, build_levels
from registry.services.tree import GrowingTree


def grown(leaves: bytes, cuts: list[int], chunk_nodes: int) -> tuple[bytes, list[bytes]]:
    """Add leaves divided at `cuts`; give the root, and the levels as put together from their chunks."""
    chunks: dict[int, list[bytes]] = defaultdict(list)

    def store(level: int, number: int, nodes: bytes) -> None:
        assert number == len(chunks[level])
        assert 0 < len(nodes) <= chunk_nodes * HASH_BYTES
        chunks[level].append(nodes)

    tree = GrowingTree(store, chunk_nodes)
    for start, end in pairwise([0, *sorted(cuts), len(leaves) // HASH_BYTES]):
        tree.add(leaves[start * HASH_BYTES : end * HASH_BYTES])
    root = tree.finish()
    for level in chunks.values():
        assert all(len(chunk) == chunk_nodes * HASH_BYTES for chunk in level[:-1])
    return root, [b"".join(chunks[level]) for level in sorted(chunks)]


def leaves_of(size: int) -> bytes:
    return Random(size).randbytes(size * HASH_BYTES)


@pytest.mark.parametrize("start", range(0, 1040, 80))
def test_every_size_whole_and_leaf_by_leaf(start: int) -> None:
    for size in range(max(start, 1), start + 80):
        leaves = leaves_of(size)
        levels = list(build_levels(leaves))
        assert grown(leaves, [], 8) == (levels[-1], levels)
        assert grown(leaves, list(range(1, size)), 8) == (levels[-1], levels)


@given(st.integers(1, 5000), st.data())
def test_any_division(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    cuts = data.draw(st.lists(st.integers(0, size), max_size=8))
    levels = list(build_levels(leaves))
    assert grown(leaves, cuts, data.draw(st.integers(1, 600))) == (levels[-1], levels)
