"""A batch's tree as it grows, leaf by leaf: what is complete goes to the store, and of each level a chunk stays.

Upholds: levels and root are those of `anchor.merkle.build_levels`, for any size and any division of the leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from anchor.merkle import HASH_BYTES, hash_pairs
from anchor.model import Hash32

StoreChunk = Callable[[int, int, bytes], None]
"""Keeps a chunk: its level, from 0 for the leaves; its number in the level, from 0; its nodes, concatenated."""

_PAIR: Final = 2 * HASH_BYTES


class GrowingTree:
    """Builds one tree.

    Args:
        store: Keeps chunks; all of a level but the last have the same size.
        chunk_nodes: That size.
    """

    def __init__(self, store: StoreChunk, chunk_nodes: int) -> None:
        self._store: Final = store
        self._chunk_bytes: Final = chunk_nodes * HASH_BYTES
        self._levels: Final[list[_Level]] = []

    def add(self, leaves: bytes) -> None:
        """Add leaf hashes, concatenated in order."""
        self._push(0, leaves)

    def finish(self) -> Hash32:
        """Complete the tree, and give its root; at least one leaf was added."""
        number = 0
        # A level that grows to one node is the root's; until then a last odd node moves up unchanged.
        while self._levels[number].count > 1:
            level = self._levels[number]
            odd, level.unpaired = level.unpaired, b""
            self._push(number + 1, odd)
            number += 1
        root = Hash32(self._levels[number].unpaired)
        for number, level in enumerate(self._levels):
            if level.unstored:
                self._store(number, level.stored_chunks, bytes(level.unstored))
        return root

    def _push(self, number: int, nodes: bytes) -> None:
        while nodes:
            if number == len(self._levels):
                self._levels.append(_Level())
            level = self._levels[number]
            level.count += len(nodes) // HASH_BYTES
            level.unstored += nodes
            while len(level.unstored) >= self._chunk_bytes:
                self._store(number, level.stored_chunks, bytes(level.unstored[: self._chunk_bytes]))
                del level.unstored[: self._chunk_bytes]
                level.stored_chunks += 1
            nodes = level.unpaired + nodes
            paired = len(nodes) - len(nodes) % _PAIR
            level.unpaired, nodes = nodes[paired:], hash_pairs(nodes[:paired])
            number += 1


class _Level:
    __slots__ = ("count", "stored_chunks", "unpaired", "unstored")

    def __init__(self) -> None:
        self.count = 0
        """Nodes so far."""
        self.stored_chunks = 0
        self.unpaired = b""
        """The last node, if it has no right neighbour yet."""
        self.unstored = bytearray()
