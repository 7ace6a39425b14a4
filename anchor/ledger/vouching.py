"""What vouches for a block: asks the nodes that a policy names until they do, or says why they do not.

    oneNode, ownNode   the first node named that answers for this chain; the others stand by, for proofs
    kOfN               all nodes at once: the highest block whose hash k of them agree on (`anchor.ledger.panel`)
    pinnedHash         nobody: the newest of the policy's known blocks, as far as a node has its header

A node that lags, lies, is slow or absent does not stop the others. docs/adr/0021 says what each kind is worth.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from anchor.errors import LedgerError, LedgerUnavailableError, UnvouchedBlockError, WrongLedgerError
from anchor.ledger.answers import Block
from anchor.ledger.client import BlockTag, LedgerClient, ask_block_by_hash
from anchor.ledger.panel import Panel
from anchor.model import BlockHeader, Policy, Vouching, to_hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """A block, and who says that it is on the chain."""

    vouching: Vouching
    vouched_by: tuple[str, ...]
    """Names of the nodes that agree on it, in the policy's order; or the pin."""
    nodes_asked: int
    block: Block
    final: Block | None
    """Newest final block, if somebody said which; None for a block that the policy knows, which is final itself."""
    final_number: int | None = None
    """Number of the final block, where the node that vouches, the last one asked, is still to be asked for it."""


def vouch_newest(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy) -> Vouched:
    """Find the newest block that is vouched for as the policy wants.

    Args:
        nodes: The policy's nodes, in its order.
        chain_id: EIP-155 number of the chain.
        policy: Says what must vouch, and what counts as final.

    Raises:
        LedgerUnavailableError: Too few nodes answered, or they agree on nothing.
        WrongLedgerError: All of them serve another chain.
        UnvouchedBlockError: They are of two minds, or the policy knows no block of this chain.
        PolicyFormatError: Two of the nodes that must agree are the same.
    """
    vouched = vouch_tip(nodes, chain_id, policy)
    if vouched.final_number is None:
        return vouched
    (final,) = nodes[vouched.nodes_asked - 1].blocks(chain_id, [vouched.final_number])
    return replace(vouched, final=_block_or_none(final), final_number=None)


def vouch_tip(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy) -> Vouched:
    """Do as `vouch_newest`, but where one node vouches and names the final block by number, leave that to be asked."""
    _require_some(nodes)
    match policy.vouching:
        case Vouching.K_OF_N:
            return _agreed_newest(nodes, chain_id, policy)
        case Vouching.PINNED_HASH:
            return _pinned(nodes, chain_id, policy)
        case Vouching.ONE_NODE | Vouching.OWN_NODE:
            return _first_newest(nodes, chain_id, policy)


def vouch_for(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy, header: BlockHeader) -> Vouched:
    """Find out whether a given block, such as a bundle's, is vouched for as the policy wants.

    The nodes learn its number, and nothing else. Not for `pinnedHash`, which needs no node.

    Args:
        nodes: The policy's nodes, in its order.
        chain_id: EIP-155 number of the chain.
        policy: Says what must vouch, and what counts as final.
        header: The block.

    Raises:
        LedgerUnavailableError: Too few nodes answered, or have the block.
        WrongLedgerError: All of them serve another chain.
        UnvouchedBlockError: Those who must vouch say that another block has this number.
        PolicyFormatError: Two of the nodes that must agree are the same.
    """
    _require_some(nodes)
    if policy.vouching is Vouching.K_OF_N:
        vouched = _agreed_given(nodes, chain_id, policy, header)
    else:
        vouched = _first_given(nodes, chain_id, policy, header)
    if vouched.block.header.hash != header.hash:
        raise UnvouchedBlockError(
            f"block {header.number} is {to_hex(vouched.block.header.hash)}, not {to_hex(header.hash)}, "
            f"as {', '.join(vouched.vouched_by)} will have it",
            advice="The block given was replaced, or never was: ask for proofs at a newer one.",
        )
    return vouched


def vouch_at(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy, number: int) -> Vouched:
    """Find the block of a given number that is vouched for as the policy wants; which one is final is not asked.

    Args:
        nodes: The policy's nodes, in its order.
        chain_id: EIP-155 number of the chain.
        policy: Says what must vouch; known blocks vouch for themselves alone.
        number: Of the block.

    Raises:
        LedgerUnavailableError: Too few nodes answered, or have the block.
        WrongLedgerError: All of them serve another chain.
        UnvouchedBlockError: They are of two minds, or the policy knows no block of this chain.
        PolicyFormatError: Two of the nodes that must agree are the same.
    """
    _require_some(nodes)
    match policy.vouching:
        case Vouching.K_OF_N:
            agreed, block, _ = Panel(nodes, chain_id, policy.agreeing_nodes).given(number, with_final=False)
            return _agreed(nodes, policy, agreed.nodes, block, None)
        case Vouching.PINNED_HASH:
            return _pinned(nodes, chain_id, policy, number)
        case Vouching.ONE_NODE | Vouching.OWN_NODE:
            return _first_useful(nodes, chain_id, policy, [number])


# One node.


def _first_newest(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy) -> Vouched:
    vouched = _first_useful(nodes, chain_id, policy, ["latest", *_finality_tags(policy)])
    number = vouched.block.header.number
    if policy.confirmations is None:
        return replace(vouched, final=_no_newer(vouched.final, vouched.block))
    if policy.confirmations == 0:
        return replace(vouched, final=vouched.block)
    return replace(vouched, final_number=number - policy.confirmations) if number >= policy.confirmations else vouched


def _first_given(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy, header: BlockHeader) -> Vouched:
    which: list[BlockTag | int] = [header.number, *_finality_tags(policy)]
    if policy.confirmations is not None and header.number >= policy.confirmations:
        which.append(header.number - policy.confirmations)
    vouched = _first_useful(nodes, chain_id, policy, which)
    return replace(vouched, final=_no_newer(vouched.final, vouched.block))


def _first_useful(
    nodes: Sequence[LedgerClient], chain_id: int, policy: Policy, which: Sequence[BlockTag | int]
) -> Vouched:
    """Ask one node after the other, until one of the right chain has the first of these blocks; the second is final."""
    failures: list[LedgerError] = []
    for asked, node in enumerate(nodes, 1):
        try:
            block, *final = node.blocks(chain_id, which)
        except LedgerError as error:
            failures.append(error)
            continue
        if isinstance(block, Block):
            return Vouched(
                vouching=policy.vouching,
                vouched_by=(node.node,),
                nodes_asked=asked,
                block=block,
                final=_block_or_none(final[0]) if final else None,
            )
        words = "no block yet" if which[0] == "latest" else f"no block {which[0]}"
        advice = "wait until it has synced, or use another node"
        failures.append(block or LedgerUnavailableError(f"the node {node.node} has {words}", advice=advice))
    raise combined(failures)


def _pinned(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy, number: int | None = None) -> Vouched:
    """Find the newest known block whose header a node has, or the one of a given number."""
    hashes = sorted(known.hash for known in policy.known_blocks if known.chain_id == chain_id)
    if not hashes:
        raise UnvouchedBlockError(f"the policy knows no block of chain {chain_id}")
    failures: list[LedgerError] = []
    for node in nodes:
        answers = node.ask([ask_block_by_hash(block_hash) for block_hash in hashes])
        blocks = [
            answer
            for answer in answers
            if isinstance(answer, Block) and (number is None or answer.header.number == number)
        ]
        if blocks:
            newest = max(blocks, key=lambda block: block.header.number)
            pin = (f"known block {to_hex(newest.header.hash)}",)
            return Vouched(vouching=policy.vouching, vouched_by=pin, nodes_asked=0, block=newest, final=None)
        lacking = LedgerUnavailableError(f"the node {node.node} has none of the blocks that the policy knows")
        failures.append(next((answer for answer in answers if isinstance(answer, LedgerError)), lacking))
    raise combined(failures)


# Several nodes.


def _agreed_newest(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy) -> Vouched:
    panel = Panel(nodes, chain_id, policy.agreeing_nodes)
    agreed, block, final = panel.newest(with_final=policy.confirmations is None)
    return _agreed(nodes, policy, agreed.nodes, block, _final_of(panel, policy, block, final))


def _agreed_given(nodes: Sequence[LedgerClient], chain_id: int, policy: Policy, header: BlockHeader) -> Vouched:
    panel = Panel(nodes, chain_id, policy.agreeing_nodes)
    agreed, block, final = panel.given(header.number, with_final=policy.confirmations is None)
    return _agreed(nodes, policy, agreed.nodes, block, _final_of(panel, policy, block, final))


def _agreed(
    nodes: Sequence[LedgerClient], policy: Policy, names: Collection[str], block: Block, final: Block | None
) -> Vouched:
    return Vouched(
        vouching=policy.vouching,
        vouched_by=tuple(node.node for node in nodes if node.node in names),
        nodes_asked=len(nodes),
        block=block,
        final=final,
    )


def _final_of(panel: Panel, policy: Policy, block: Block, final: Block | None) -> Block | None:
    if policy.confirmations is None:
        return final
    number = block.header.number - policy.confirmations
    return block if policy.confirmations == 0 else panel.up_to(number) if number >= 0 else None


# What they share.


def combined(failures: Sequence[LedgerError]) -> LedgerError:
    """Make one error of what came of asking one node after the other; its words name each."""
    if len(failures) == 1:
        return failures[0]
    words = "; ".join(dict.fromkeys(map(str, failures)))
    kind = WrongLedgerError if all(isinstance(each, WrongLedgerError) for each in failures) else LedgerUnavailableError
    return kind(words, advice=next((each.advice for each in failures if each.advice), ""))


def _require_some(nodes: Sequence[LedgerClient]) -> None:
    if not nodes:
        raise LedgerUnavailableError("there is no node to ask", advice="Give --rpc URL, or name nodes in the policy.")


def _finality_tags(policy: Policy) -> list[BlockTag | int]:
    return ["finalized"] if policy.confirmations is None else []


def _no_newer(final: Block | None, block: Block) -> Block | None:
    """Give the final block, or the block itself where a later one is final already: so it is final too."""
    return block if final is not None and final.header.number > block.header.number else final


def _block_or_none(answer: Block | LedgerUnavailableError | None) -> Block | None:
    """Take no answer for no final block: what depends on it becomes unknown, and nothing else."""
    return answer if isinstance(answer, Block) else None
