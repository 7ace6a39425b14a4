"""Which block enough nodes agree on, from what they said: pure arithmetic over heights and hashes (docs/adr/0021).

A node says a height by naming its newest block, and is then asked which block it has at heights that others said. It
has one vote at a height. Heights that fewer than enough nodes reached are out of the question, whoever said them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from anchor.errors import UnvouchedBlockError
from anchor.model import Hash32, to_hex

_DEPTHS: Final = (1, 2, 4, 8, 16, 32, 64)
"""How far below the heights said it is looked for a block in common, where the nodes' newest ones are of different
forks. Deeper than two epochs of Ethereum it is no fork but another chain."""

Said = Mapping[str, Mapping[int, Hash32]]
"""For each node: at which height it says which block is."""


class Agreement(NamedTuple):
    """A block that enough nodes agree on."""

    number: int
    hash: Hash32
    nodes: frozenset[str]
    """Who does."""


def heights_to_ask(reached: Iterable[int], needed: int) -> tuple[frozenset[int], frozenset[int]]:
    """Name the heights at which enough nodes can agree.

    Args:
        reached: The height that each node says it has reached.
        needed: How many must agree.

    Returns:
        Heights to ask every node about, and more to ask about if they do not agree on one of those.
    """
    descending = sorted(reached, reverse=True)
    if len(descending) < needed:
        return frozenset(), frozenset()
    highest = descending[needed - 1]
    first = frozenset(height for height in descending if height <= highest)
    return first, frozenset(max(height - depth, 0) for height in first for depth in _DEPTHS) - first


def highest_agreed(said: Said, needed: int) -> Agreement | None:
    """Find the highest block that enough nodes agree on; None if there is none.

    Raises:
        UnvouchedBlockError: At some height two blocks have enough votes: which one is right would be chance.
    """
    votes: defaultdict[int, defaultdict[Hash32, set[str]]] = defaultdict(lambda: defaultdict(set))
    for node, blocks in said.items():
        for number, block_hash in blocks.items():
            votes[number][block_hash].add(node)
    best: Agreement | None = None
    for number in sorted(votes):
        enough = {block_hash: nodes for block_hash, nodes in votes[number].items() if len(nodes) >= needed}
        if len(enough) > 1:
            raise UnvouchedBlockError(
                f"the nodes are of two minds about block {number}: "
                + "; ".join(
                    f"{to_hex(block)} say {', '.join(sorted(nodes))}" for block, nodes in sorted(enough.items())
                ),
                advice="Let more than half of the nodes agree, and find out which of them are wrong.",
            )
        for block_hash, nodes in enough.items():
            best = Agreement(number=number, hash=block_hash, nodes=frozenset(nodes))
    return best
