"""Who vouches for a block, when nodes lag, lie, dawdle or are gone. Real chains, proxies that spoil what nodes say."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchor.errors import LedgerUnavailableError, PolicyFormatError, UnvouchedBlockError, WrongLedgerError
from anchor.ledger.answers import Block
from anchor.ledger.client import LedgerClient
from anchor.ledger.testnet import CHAIN_ID
from anchor.ledger.vouching import Vouched, vouch_at, vouch_for, vouch_newest
from anchor.model import BlockHeader, KnownBlock, Policy, Vouching, hash32, to_hex
from tests.ledger.chain import Chain
from tests.ledger.nodes import (
    Lie,
    clients,
    forged,
    forking,
    invented_chain,
    lagging,
    of_blocks,
    panel_of,
    proxies,
)
from tests.ledger.proxy import Fault, FaultProxy

FINALITY = 64
"""Blocks on top that make one final on anvil."""


@pytest.fixture
def three(chain: Chain) -> Iterator[list[FaultProxy]]:
    chain.mine(3 * FINALITY)
    with proxies(chain.url, 3) as nodes:
        yield nodes


@pytest.fixture
def tip(chain: Chain, three: list[FaultProxy]) -> int:
    return chain.client.latest_block().header.number


def block_at(chain: Chain, number: int) -> Block:
    block = chain.client.block(number)
    assert block is not None
    return block


def is_of(chain: Chain, block: Block | None, number: int) -> bool:
    return block == block_at(chain, number)


LIES: dict[str, Lie] = {
    "absurd height": of_blocks(lambda block: forged(block, number=hex(2**64 - 1))),
    "another time": of_blocks(lambda block: forged(block, timestamp="0x1")),
    "genesis only": of_blocks(lambda block: forged(block, number="0x0")),
    "no blocks": of_blocks(lambda _block: None),
    "nothing final": of_blocks(lambda _block: None, "finalized"),
    "all is final": of_blocks(lambda block: forged(block, number=hex(2**64 - 1)), "finalized"),
    "header of another hash": of_blocks(lambda block: {**block, "timestamp": "0x1"}),
    "junk": of_blocks(lambda _block: {"hash": []}),
}


@pytest.mark.parametrize("confirmations", [None, 0, 5])
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("liar", range(3))
def test_one_liar_among_three_changes_nothing(
    chain: Chain, three: list[FaultProxy], tip: int, liar: int, lie: str, confirmations: int | None
) -> None:
    three[liar].answer = LIES[lie]
    vouched = vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three, confirmations=confirmations))
    assert is_of(chain, vouched.block, tip)
    assert is_of(chain, vouched.final, tip - (FINALITY if confirmations is None else confirmations))
    assert vouched.vouching is Vouching.K_OF_N
    assert (vouched.nodes_asked, len(vouched.vouched_by) >= 2) == (3, True)
    if lie not in {"nothing final", "all is final"}:
        assert three[liar].url not in vouched.vouched_by


def test_a_block_is_not_final_because_one_node_says_so_and_others_have_it(
    chain: Chain, three: list[FaultProxy], tip: int
) -> None:
    latest = chain.node.read("eth_getBlockByNumber", ["latest", False])
    three[1].answer = of_blocks(lambda _block: latest, "finalized")
    policy = panel_of(chain, three, confirmations=None)
    assert is_of(chain, vouch_newest(clients(three), CHAIN_ID, policy).final, tip - FINALITY)
    header = block_at(chain, tip).header
    assert is_of(chain, vouch_for(clients(three), CHAIN_ID, policy, header).final, tip - FINALITY)
    # With one honest node gone, what the other one has as final is all that two agree on.
    three[0].rule = lambda _method, _count: Fault.ERROR_500_BEFORE
    assert is_of(chain, vouch_newest(clients(three), CHAIN_ID, policy).final, tip - FINALITY)


def test_a_liar_and_a_node_that_lags_leave_something_final(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    """The liar agrees on the newest block, which the third node has not heard of, and on nothing below."""
    three[0].answer = lambda method, params, result: (
        None if method == "eth_getBlockByNumber" and params[0] not in {"latest", hex(tip)} else result
    )
    three[1].answer = lagging(chain, 9)
    policy = panel_of(chain, three, confirmations=5)
    vouched = vouch_newest(clients(three), CHAIN_ID, policy)
    assert is_of(chain, vouched.block, tip)
    assert is_of(chain, vouched.final, tip - 9)
    assert vouch_for(clients(three), CHAIN_ID, policy, vouched.block.header).final == vouched.final


@pytest.mark.parametrize(
    "fault", [Fault.DROP_BEFORE, Fault.ERROR_500_BEFORE, Fault.GARBAGE, Fault.NULL, Fault.WRONG_TYPE]
)
def test_a_node_that_gives_no_answer_stops_nobody(
    chain: Chain, three: list[FaultProxy], tip: int, fault: Fault
) -> None:
    three[0].rule = lambda _method, _count: fault
    vouched = vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three, confirmations=None))
    assert is_of(chain, vouched.block, tip)
    assert is_of(chain, vouched.final, tip - FINALITY)
    assert vouched.vouched_by == (three[1].url, three[2].url)


def test_nobody_is_waited_for_once_enough_agree(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    three[0].rule = lambda _method, _count: Fault.HANG_AFTER
    vouched = vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three, confirmations=3))
    assert is_of(chain, vouched.block, tip)
    assert is_of(chain, vouched.final, tip - 3)
    assert three[0].replies == 0


def test_whoever_is_quick_does_not_choose_the_block(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    """An old block from a liar, and the tip from one honest node, before the other one says anything."""
    quick = [threading.Event(), threading.Event()]
    three[0].answer = lagging(chain, 50)
    for node, answered in zip(three, quick, strict=False):
        node.after_reply = answered.set

    def answer(_method: str, _params: Any, result: Any) -> Any:
        for answered in quick:
            assert answered.wait(10)
        return result

    three[2].answer = answer
    vouched = vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three))
    assert is_of(chain, vouched.block, tip)


@pytest.mark.parametrize(
    ("behind", "agreed"), [((0, 0, 7), 0), ((0, 1, 2), 1), ((0, 3, 90), 3), ((5, 5, 5), 5), ((0, 40, 40), 40)]
)
def test_the_block_is_the_highest_that_enough_have(
    chain: Chain, three: list[FaultProxy], tip: int, behind: tuple[int, ...], agreed: int
) -> None:
    for node, blocks in zip(three, behind, strict=True):
        node.answer = lagging(chain, blocks)
    vouched = vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three, confirmations=None))
    assert is_of(chain, vouched.block, tip - agreed)
    assert is_of(chain, vouched.final, tip - agreed - FINALITY)
    everybody = vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three, confirmations=None, agreeing=3))
    assert is_of(chain, everybody.block, tip - max(behind))
    assert is_of(chain, everybody.final, tip - max(behind) - FINALITY)
    assert len(everybody.vouched_by) == 3


def test_nodes_of_different_forks_agree_on_what_is_below(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    for mark, node in enumerate(three, 0xA0):
        node.answer = forking(chain, 3, mark)
    vouched = vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three, confirmations=None))
    assert is_of(chain, vouched.block, tip - 4)
    assert is_of(chain, vouched.final, tip - FINALITY)
    assert len(vouched.vouched_by) == 3


def test_nodes_that_agree_on_nothing_are_named_with_what_they_did(chain: Chain, three: list[FaultProxy]) -> None:
    three[0].answer = of_blocks(lambda block: forged(block, extraData="0xaa"))
    three[1].rule = lambda _method, _count: Fault.ERROR_500_BEFORE
    three[2].refuse = lambda _method, _params: "not today"
    with pytest.raises(LedgerUnavailableError) as failed:
        vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three))
    words = str(failed.value)
    assert words.startswith("of 3 nodes 2 must agree on the newest block, and do not: ")
    assert f"the node {three[0].url} says that block " in words
    assert f"the node {three[1].url} answered" in words
    assert "HTTP status 500" in words
    assert f"the node {three[2].url} refused eth_chainId: not today" in words


def test_nodes_of_two_minds_settle_nothing_and_more_than_half_do(
    chain: Chain, tip: int, tmp_path: Path, three: list[FaultProxy]
) -> None:
    """Two of four: as many may invent a chain as tell the truth."""
    with invented_chain(tmp_path) as other, proxies(other.url, 2) as liars:
        other.mine(tip)
        nodes = [*liars, *three[:2]]
        with pytest.raises(UnvouchedBlockError, match="of two minds about block"):
            vouch_newest(clients(nodes), CHAIN_ID, panel_of(chain, nodes, agreeing=2))
        header = chain.client.latest_block().header
        with pytest.raises(UnvouchedBlockError, match="of two minds about block"):
            vouch_for(clients(nodes), CHAIN_ID, panel_of(chain, nodes, agreeing=2), header)
        nodes.append(three[2])
        vouched = vouch_newest(clients(nodes), CHAIN_ID, panel_of(chain, nodes))
        assert is_of(chain, vouched.block, tip)
        assert vouched.vouched_by == tuple(node.url for node in three)


def test_fewer_than_half_agree_where_everybody_does(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    with proxies(chain.url, 2) as more:
        nodes = [*three, *more]
        nodes[4].answer = lagging(chain, 2)
        vouched = vouch_newest(clients(nodes), CHAIN_ID, panel_of(chain, nodes, agreeing=2, confirmations=None))
        assert is_of(chain, vouched.block, tip)
        assert is_of(chain, vouched.final, tip - FINALITY)
        assert vouched.vouched_by == tuple(node.url for node in nodes[:4])


def test_a_node_of_another_chain_has_no_say(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    three[1].change = lambda method, result: "0x1" if method == "eth_chainId" else result
    vouched = vouch_newest(clients(three), CHAIN_ID, panel_of(chain, three))
    assert vouched.vouched_by == (three[0].url, three[2].url)
    with pytest.raises(WrongLedgerError, match=r"serves chain 31337, not chain 5; .* serves chain 1, not chain 5"):
        vouch_newest(clients(three[:2]), 5, panel_of(chain, three[:2]))


def test_the_same_node_twice_is_refused(chain: Chain, three: list[FaultProxy]) -> None:
    port = three[0].url.rpartition(":")[2]
    twice = [LedgerClient(three[0].url), LedgerClient(f"http://user:pa55@LOCALHOST:{port}/key")]
    policy = panel_of(chain, three)
    with pytest.raises(PolicyFormatError, match=f"two of the nodes are localhost:{port}, "):
        vouch_newest(twice, CHAIN_ID, policy)
    with pytest.raises(PolicyFormatError, match=f"two of the nodes are localhost:{port}, "):
        vouch_for(twice, CHAIN_ID, policy, HEADER)


HEADER = BlockHeader(hash=hash32(b"\x01" * 32), number=1, timestamp=1, state_root=hash32(b"\x02" * 32))


# One node.


@pytest.mark.parametrize("vouching", [Vouching.ONE_NODE, Vouching.OWN_NODE])
def test_the_first_node_that_answers_vouches_and_no_other(
    chain: Chain, three: list[FaultProxy], tip: int, vouching: Vouching
) -> None:
    policy = chain.policy(vouching=vouching, confirmations=None)
    three[0].answer = lagging(chain, 4)
    vouched = vouch_newest(clients(three), CHAIN_ID, policy)
    assert is_of(chain, vouched.block, tip - 4)
    assert is_of(chain, vouched.final, tip - 4 - FINALITY)
    assert (vouched.vouching, vouched.vouched_by, vouched.nodes_asked) == (vouching, (three[0].url,), 1)
    assert [node.requests for node in three] == [1, 0, 0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda node: setattr(node, "rule", lambda _method, _count: Fault.ERROR_500_BEFORE),
        lambda node: setattr(node, "change", lambda method, result: "0x1" if method == "eth_chainId" else result),
        lambda node: setattr(node, "answer", LIES["no blocks"]),
        lambda node: setattr(node, "answer", LIES["junk"]),
    ],
    ids=["down", "another-chain", "no-block", "junk"],
)
@pytest.mark.parametrize("confirmations", [None, 0, 5])
def test_a_node_that_is_of_no_use_is_followed_by_the_next(
    chain: Chain, three: list[FaultProxy], tip: int, spoil: Any, confirmations: int | None
) -> None:
    spoil(three[0])
    for vouched in (
        vouch_newest(clients(three), CHAIN_ID, chain.policy(confirmations=confirmations)),
        vouch_for(clients(three), CHAIN_ID, chain.policy(confirmations=confirmations), block_at(chain, tip).header),
    ):
        assert is_of(chain, vouched.block, tip)
        assert is_of(chain, vouched.final, tip - (FINALITY if confirmations is None else confirmations))
        assert (vouched.vouched_by, vouched.nodes_asked) == ((three[1].url,), 2)
    assert three[2].requests == 0


def test_nodes_of_no_use_are_named_with_what_they_did(chain: Chain, three: list[FaultProxy]) -> None:
    three[0].rule = lambda _method, _count: Fault.ERROR_500_BEFORE
    three[1].answer = LIES["no blocks"]
    with pytest.raises(LedgerUnavailableError) as failed:
        vouch_newest(clients(three[:2]), CHAIN_ID, chain.policy())
    assert f"{three[1].url} has no block yet" in str(failed.value)
    assert f"the node {three[0].url} answered" in str(failed.value)
    with pytest.raises(LedgerUnavailableError, match="has no block 7777777"):
        vouch_for(clients(three[2:]), CHAIN_ID, chain.policy(), replace(HEADER, number=7777777))
    with pytest.raises(LedgerUnavailableError, match="no node to ask"):
        vouch_newest([], CHAIN_ID, chain.policy())
    with pytest.raises(LedgerUnavailableError, match="no node to ask"):
        vouch_for([], CHAIN_ID, chain.policy(), HEADER)


def test_no_block_is_final_on_a_short_chain(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    header = block_at(chain, tip).header
    for policy in (chain.policy(confirmations=tip + 1), panel_of(chain, three, confirmations=tip + 1)):
        assert vouch_newest(clients(three), CHAIN_ID, policy).final is None
        assert vouch_for(clients(three), CHAIN_ID, policy, header).final is None


# A given block.


def policies(chain: Chain, nodes: list[FaultProxy], **changes: Any) -> dict[str, Policy]:
    return {"one": chain.policy(**changes), "panel": panel_of(chain, nodes, **changes)}


@pytest.mark.parametrize("kind", ["one", "panel"])
@pytest.mark.parametrize(
    ("below", "confirmations", "final_below"),
    [(0, None, FINALITY), (0, 0, 0), (0, 7, 7), (10, None, FINALITY), (10, 0, 10), (10, 7, 17), (100, None, 100)],
)
def test_a_block_that_is_on_the_chain_is_vouched_for(
    chain: Chain,
    three: list[FaultProxy],
    tip: int,
    kind: str,
    below: int,
    confirmations: int | None,
    final_below: int,
) -> None:
    header = block_at(chain, tip - below).header
    vouched = vouch_for(clients(three), CHAIN_ID, policies(chain, three, confirmations=confirmations)[kind], header)
    assert is_of(chain, vouched.block, tip - below)
    assert is_of(chain, vouched.final, tip - final_below)
    assert set().union(*(node.calls for node in three)) == {"eth_chainId", "eth_getBlockByNumber"}


@pytest.mark.parametrize("kind", ["one", "panel"])
def test_a_block_that_was_replaced_is_not_vouched_for(
    chain: Chain, three: list[FaultProxy], tip: int, kind: str
) -> None:
    header = replace(block_at(chain, tip).header, hash=hash32(b"\x07" * 32))
    with pytest.raises(UnvouchedBlockError) as refused:
        vouch_for(clients(three), CHAIN_ID, policies(chain, three, confirmations=None)[kind], header)
    assert str(refused.value).startswith(f"block {tip} is {to_hex(block_at(chain, tip).header.hash)}, not 0x0707")
    assert three[0].url in str(refused.value) or three[1].url in str(refused.value)


@pytest.mark.parametrize("liar", range(3))
@pytest.mark.parametrize("lie", LIES)
def test_one_liar_among_three_changes_nothing_for_a_given_block(
    chain: Chain, three: list[FaultProxy], tip: int, liar: int, lie: str
) -> None:
    three[liar].answer = LIES[lie]
    header = block_at(chain, tip).header
    vouched = vouch_for(clients(three), CHAIN_ID, panel_of(chain, three, confirmations=None), header)
    assert is_of(chain, vouched.block, tip)
    assert is_of(chain, vouched.final, tip - FINALITY)


def test_a_block_that_too_few_have_yet_is_not_vouched_for(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    three[0].answer = three[1].answer = lagging(chain, 1)
    header = block_at(chain, tip).header
    with pytest.raises(LedgerUnavailableError, match=f"of 3 nodes 2 must agree on block {tip}, and do not: "):
        vouch_for(clients(three), CHAIN_ID, panel_of(chain, three), header)


# A number.


@pytest.mark.parametrize("kind", ["one", "panel"])
def test_an_older_block_is_found_by_its_number(chain: Chain, three: list[FaultProxy], tip: int, kind: str) -> None:
    vouched = vouch_at(clients(three), CHAIN_ID, policies(chain, three, confirmations=None)[kind], tip - 100)
    assert (is_of(chain, vouched.block, tip - 100), vouched.final) == (True, None)


@pytest.mark.parametrize("liar", range(3))
def test_one_liar_names_no_older_block(chain: Chain, three: list[FaultProxy], tip: int, liar: int) -> None:
    three[liar].answer = LIES["another time"]
    policy = panel_of(chain, three, confirmations=None)
    assert is_of(chain, vouch_at(clients(three), CHAIN_ID, policy, tip - 1).block, tip - 1)
    for node in three:
        if node is not three[liar]:
            node.answer = lagging(chain, 2)
    with pytest.raises(LedgerUnavailableError, match=f"of 3 nodes 2 must agree on block {tip - 1}, and do not: "):
        vouch_at(clients(three), CHAIN_ID, policy, tip - 1)


def test_known_blocks_vouch_for_themselves_alone(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    policy = known(chain, 3, tip)
    assert is_of(chain, vouch_at(clients(three), CHAIN_ID, policy, 3).block, 3)
    with pytest.raises(LedgerUnavailableError, match="has none of the blocks that the policy knows"):
        vouch_at(clients(three), CHAIN_ID, policy, 4)


# Known blocks.


def known(chain: Chain, *numbers: int) -> Policy:
    blocks = {KnownBlock(chain_id=CHAIN_ID, hash=block_at(chain, number).header.hash) for number in numbers}
    elsewhere = KnownBlock(chain_id=1, hash=hash32(b"\x01" * 32))
    return chain.policy(vouching=Vouching.PINNED_HASH, known_blocks=frozenset({*blocks, elsewhere}), confirmations=None)


def test_the_newest_known_block_needs_nobody_to_vouch_for_it(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    vouched: Vouched = vouch_newest(clients(three), CHAIN_ID, known(chain, 3, tip - 9, 5))
    assert is_of(chain, vouched.block, tip - 9)
    assert (vouched.final, vouched.nodes_asked) == (None, 0)
    assert vouched.vouched_by == (f"known block {to_hex(vouched.block.header.hash)}",)
    assert [node.requests for node in three] == [1, 0, 0]


def test_a_node_cannot_pass_another_block_for_a_known_one(chain: Chain, three: list[FaultProxy], tip: int) -> None:
    other = chain.node.read("eth_getBlockByNumber", ["0x2", False])
    three[0].change = lambda method, result: other if method == "eth_getBlockByHash" else result
    three[1].change = lambda method, result: None if method == "eth_getBlockByHash" else result
    vouched = vouch_newest(clients(three), CHAIN_ID, known(chain, 3, tip))
    assert is_of(chain, vouched.block, tip)
    with pytest.raises(LedgerUnavailableError) as failed:
        vouch_newest(clients(three[:2]), CHAIN_ID, known(chain, 3, tip))
    assert f"{three[0].url} gave a malformed answer to eth_getBlockByHash: another block" in str(failed.value)
    assert f"{three[1].url} has none of the blocks that the policy knows" in str(failed.value)


def test_a_chain_without_known_blocks_is_not_vouched_for(chain: Chain, three: list[FaultProxy]) -> None:
    with pytest.raises(UnvouchedBlockError, match="the policy knows no block of chain 7"):
        vouch_newest(clients(three), 7, known(chain, 3))
