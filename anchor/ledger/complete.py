"""Proves that a replayed history is all that happened in a registry, at the newest block that is vouched for.

Whoever reads events in pieces, or goes on from what he has, does both with one of these: it says up to which block to
read, and holds the heads there against those of the history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from anchor.audit import check_complete, read_heads, slots_of_heads, slots_of_heads_of
from anchor.batch_steps import basis_of, check_ledger
from anchor.evidence import ISSUER_COUNT_SLOT, LedgerState
from anchor.history import History
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_slots
from anchor.ledger.vouching import vouch_newest
from anchor.model import Basis, BlockHeader, Hash32, Policy, TrustedRegistry


class VouchedRegistry:
    """A registry at the newest block that a policy's nodes vouch for: fresh, and with the contract that is pinned.

    Args:
        nodes: The policy's nodes, in its order.
        pin: The registry.
        policy: What must vouch for the block, and how old it may be.
        now: Unix seconds.
        issuers: By number, those whose heads will be asked for as far as is known: they are proven with the first
            question, for a node may take long over each.

    Raises:
        LedgerError: No node answered, or none that counts.
        UndeterminedError: Nothing vouches for a block as the policy wants, it is too old, or a proof does not hold.
        PolicyFormatError: Two of the nodes that must agree are the same.
    """

    def __init__(
        self,
        nodes: Sequence[LedgerClient],
        pin: TrustedRegistry,
        policy: Policy,
        now: int,
        *,
        issuers: Collection[int] = (),
    ) -> None:
        self._nodes: Final = nodes
        self._pin: Final = pin
        self._policy: Final = policy
        self._vouched: Final = vouch_newest(nodes, pin.registry.chain_id, policy)
        state = self._ask(slots_of_heads_of(issuers) if issuers else [ISSUER_COUNT_SLOT])
        check_ledger(state, pin, policy, now)
        self._first: Final = state
        self.block: Final[BlockHeader] = state.block
        self.basis: Final[Basis] = basis_of(state, pin)

    def check(self, history: History) -> None:
        """Check that a history, replayed from all events up to the block, is complete.

        Raises:
            HistoryError: It is not.
            LedgerError: No node has the proofs.
            UndeterminedError: A proof does not hold.
        """
        check_complete(history, read_heads(self.prove(slots_of_heads(history)), history))

    def sources(self) -> tuple[LedgerClient, ...]:
        """Give the nodes to read events from, those that vouch for the block first."""
        return tuple(sorted(self._nodes, key=lambda node: node.node not in self._vouched.vouched_by))

    def prove(self, slots: Iterable[Hash32]) -> LedgerState:
        """Open state proofs of slots at the block.

        Raises:
            LedgerError: No node has them.
            UndeterminedError: One does not hold.
        """
        wanted = frozenset(slots)
        if wanted <= {each.slot for each in self._first.evidence.storage}:
            return self._first
        return self._ask(wanted)

    def _ask(self, slots: Iterable[Hash32]) -> LedgerState:
        return LedgerState(collect_slots(self._nodes, self._pin.registry, slots, self._policy, vouched=self._vouched))


def is_on_chain(node: LedgerClient, number: int, block_hash: Hash32) -> bool:
    """Tell whether a block is on the chain, as a node has it.

    Raises:
        LedgerUnavailableError: The node gave no answer.
    """
    found = node.block(number)
    return found is not None and found.header.hash == block_hash
