"""The search for a block that enough nodes agree on, against nodes that lag, fork and lie in any way."""

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchor.errors import UnvouchedBlockError
from anchor.ledger.agreement import Agreement, Said, heights_to_ask, highest_agreed
from anchor.model import Hash32, hash32

HEIGHTS = st.integers(min_value=0, max_value=300)


def honest_block(number: int, fork: int = 0) -> Hash32:
    return hash32(b"\x01" + fork.to_bytes(1, "big") + number.to_bytes(30, "big"))


def invented_block(number: int, version: int) -> Hash32:
    return hash32(b"\xff" + version.to_bytes(1, "big") + number.to_bytes(30, "big"))


class Honest:
    """Has the chain up to a height; where it is on a fork, others' blocks up to where that starts."""

    def __init__(self, reached: int, fork_length: int = 0, fork: int = 0) -> None:
        self.reached = reached
        self._fork_from = reached - fork_length + 1
        self._fork = fork

    def block(self, number: int) -> Hash32 | None:
        if number > self.reached:
            return None
        return honest_block(number, self._fork if number >= self._fork_from else 0)


class Liar:
    """Claims any height, and answers anything: nothing, right blocks, or invented ones that other liars may second."""

    def __init__(self, reached: int, answers: Mapping[int, int | None], otherwise: int | None) -> None:
        self.reached = reached
        self._answers = answers
        self._otherwise = otherwise

    def block(self, number: int) -> Hash32 | None:
        answer = self._answers.get(number, self._otherwise)
        if answer is None:
            return None
        return honest_block(number) if answer == 0 else invented_block(number, answer)


ANSWER = st.none() | st.integers(min_value=0, max_value=2)
LIAR = st.builds(
    Liar, HEIGHTS | st.integers(min_value=0, max_value=2**64 - 1), st.dictionaries(HEIGHTS, ANSWER), ANSWER
)


@st.composite
def panels(draw: st.DrawFn, forks: bool = False) -> tuple[list[Honest | Liar], int, int]:
    """Nodes, how many must agree, and how many are honest: that many at least, and the liars are too few to agree."""
    count = draw(st.integers(min_value=2, max_value=7))
    needed = draw(st.integers(min_value=2, max_value=count))
    liar_count = draw(st.integers(min_value=0, max_value=min(count - needed, needed - 1)))
    honest: list[Honest | Liar] = []
    for number in range(count - liar_count):
        reached = draw(HEIGHTS)
        length = draw(st.integers(min_value=0, max_value=min(reached, 64))) if forks else 0
        honest.append(Honest(reached, length, fork=number + 1))
    liars: list[Honest | Liar] = [draw(LIAR) for _ in range(liar_count)]
    return draw(st.permutations(honest + liars)), needed, count - liar_count


def search(nodes: list[Honest | Liar], needed: int) -> Agreement | None:
    """What a panel does, all nodes answering."""
    said: dict[str, dict[int, Hash32]] = {f"node {number}": {} for number in range(len(nodes))}

    def ask(heights: frozenset[int] | None) -> None:
        for node, blocks in zip(nodes, said.values(), strict=True):
            for height in [node.reached] if heights is None else heights:
                block = node.block(height)
                if block is not None:
                    blocks[height] = block

    ask(None)
    first, below = heights_to_ask([node.reached for node in nodes], needed)
    ask(first)
    found = highest_agreed(only(said, first), needed)
    if found is None:
        ask(below)
        found = highest_agreed(only(said, first | below), needed)
    return found


def only(said: Said, heights: frozenset[int]) -> Said:
    return {node: {at: block for at, block in blocks.items() if at in heights} for node, blocks in said.items()}


@given(panels())
def test_enough_honest_nodes_always_agree_and_on_an_honest_block(panel: tuple[list[Honest | Liar], int, int]) -> None:
    nodes, needed, honest_count = panel
    assert honest_count >= needed
    found = search(nodes, needed)
    assert found is not None
    assert found.hash == honest_block(found.number)
    # So new that only liars could have had anything newer in common with enough honest ones.
    heights = sorted((node.reached for node in nodes if isinstance(node, Honest)), reverse=True)
    assert heights[needed - 1] <= found.number <= heights[0]


@given(panels(forks=True))
def test_no_liar_gets_an_invented_block_agreed_on_where_honest_nodes_fork(
    panel: tuple[list[Honest | Liar], int, int],
) -> None:
    nodes, needed, _ = panel
    found = search(nodes, needed)
    if found is not None:
        assert found.hash[0] == 1
        assert sum(node.block(found.number) == found.hash for node in nodes) >= needed


@given(
    st.integers(min_value=0, max_value=300), st.lists(st.integers(min_value=1, max_value=64), min_size=3, max_size=3)
)
@example(300, [1, 1, 1])
@example(63, [64, 64, 64])
def test_forks_of_up_to_64_blocks_leave_something_in_common(common: int, lengths: list[int]) -> None:
    nodes: list[Honest | Liar] = [
        Honest(common + length, length, fork=number) for number, length in enumerate(lengths, 1)
    ]
    found = search(nodes, 2)
    assert found is not None
    assert found.number <= common
    assert found.hash == honest_block(found.number)


@given(st.lists(st.integers(min_value=0, max_value=2**64 - 1), max_size=7), st.integers(min_value=2, max_value=7))
def test_no_height_is_asked_for_that_too_few_nodes_have_reached(reached: list[int], needed: int) -> None:
    first, below = heights_to_ask(reached, needed)
    assert first.isdisjoint(below)
    for height in first | below:
        assert height >= 0
        assert sum(each >= height for each in reached) >= needed
    assert bool(first) is (len(reached) >= needed)
    assert first <= set(reached)


def test_two_blocks_with_enough_votes_at_one_height_settle_nothing() -> None:
    a, b = honest_block(5), invented_block(5, 1)
    said: Said = {"1": {5: a, 4: honest_block(4)}, "2": {5: a}, "3": {5: b, 9: b}, "4": {5: b, 9: b}}
    with pytest.raises(UnvouchedBlockError, match=r"of two minds about block 5: 0x01.* say 1, 2; 0xff.* say 3, 4"):
        highest_agreed(said, 2)
    assert highest_agreed(said, 3) is None


def test_the_highest_block_is_the_one_and_who_agrees_is_told() -> None:
    said: Said = {
        "1": {7: honest_block(7), 5: honest_block(5)},
        "2": {7: honest_block(7), 5: honest_block(5)},
        "3": {7: invented_block(7, 1), 5: honest_block(5)},
    }
    assert highest_agreed(said, 2) == Agreement(7, honest_block(7), frozenset({"1", "2"}))
    assert highest_agreed(said, 3) == Agreement(5, honest_block(5), frozenset({"1", "2", "3"}))
    assert highest_agreed({}, 2) is None
