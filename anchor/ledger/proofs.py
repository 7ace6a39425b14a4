"""State proofs of one registry at one block, from whichever nodes have some that hold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from anchor.errors import LedgerError, LedgerUnavailableError, NodeRefusedError, StateProofError
from anchor.evidence import RegistryEvidence, StorageProof
from anchor.ledger.answers import AccountProof, Block
from anchor.ledger.client import LedgerClient, Question, ask_block, ask_proofs
from anchor.ledger.vouching import Vouched, combined
from anchor.model import Hash32, RegistryId
from anchor.state_proof import Account, check_account, check_storage

MAX_PROOFS_PER_REQUEST: Final = 4
"""Each of 1,000 slots, some 5 MB; go-ethereum answers a request with 25 MB at most."""

_BUDGET_SECONDS: Final = 60.0
"""When it is over, no further node is asked."""


class Proofs:
    """Asks node after node, until for every slot there is a proof that holds.

    Args:
        nodes: The nodes.
        registry: The registry.
        vouched: The block, and who vouches for it: those are asked first, for they have it.
    """

    def __init__(self, nodes: Sequence[LedgerClient], registry: RegistryId, vouched: Vouched) -> None:
        self.registry: Final = registry
        self.vouched = vouched
        """With the final block, once it was asked for."""
        self.asked: frozenset[Hash32] = frozenset()
        self.values: Final[dict[Hash32, int]] = {}
        """What is proven."""
        self._deadline: Final = time.monotonic() + _BUDGET_SECONDS
        self._order: Final = sorted(nodes, key=lambda node: node.node not in vouched.vouched_by)
        if vouched.final_number is not None:
            self._put_first(nodes[vouched.nodes_asked - 1])
        self._account_nodes: tuple[bytes, ...] | None = None
        self._held: Final[dict[Hash32, StorageProof]] = {}
        # What does not hold is handed on only where nothing else came: the verdict then says so.
        self._bad_account_nodes: tuple[bytes, ...] | None = None
        self._bad: Final[dict[Hash32, StorageProof]] = {}
        self._problems: Final[list[LedgerError]] = []

    @property
    def is_lost(self) -> bool:
        """Tell whether proofs are missing because a node refused them, as one does that lost the block."""
        refused = any(isinstance(problem, NodeRefusedError) for problem in self._problems)
        return refused and (self._account_nodes is None or not self.asked <= self._held.keys())

    def fetch(self, slots: frozenset[Hash32]) -> None:
        """Fetch the proofs of these slots, as far as there are any; those that hold are not asked for again."""
        self.asked |= slots
        for number, node in enumerate(tuple(self._order)):
            missing = sorted(slots - self._held.keys())
            if self._account_nodes is not None and not missing:
                return
            if number and time.monotonic() > self._deadline:
                self._problems.append(LedgerUnavailableError(f"there was no time left to ask the node {node.node}"))
                return
            known = len(self._problems)
            self._fetch_from(node, missing)
            if len(self._problems) > known:
                # For the slots to come, others are asked first.
                self._order.remove(node)
                self._order.append(node)

    def evidence(self) -> RegistryEvidence:
        """Give what came.

        Raises:
            LedgerError: No node gave a proof of the registry's account; the words say what each did.
        """
        account_nodes = self._account_nodes if self._account_nodes is not None else self._bad_account_nodes
        if account_nodes is None:
            raise combined(self._problems)
        storage = self._bad | self._held
        vouched, final = self.vouched, self.vouched.final
        return RegistryEvidence(
            registry=self.registry,
            vouching=vouched.vouching,
            vouched_by=vouched.vouched_by,
            nodes_asked=vouched.nodes_asked,
            block_hash=vouched.block.header.hash,
            header=vouched.block.header_rlp,
            final_hash=None if final is None else final.header.hash,
            final_header=None if final is None else final.header_rlp,
            account_nodes=account_nodes,
            storage=tuple(storage[slot] for slot in sorted(storage)),
            gaps="" if self.asked <= storage.keys() else str(combined(self._problems)),
        )

    def _put_first(self, node: LedgerClient) -> None:
        self._order.remove(node)
        self._order.insert(0, node)

    def _fetch_from(self, node: LedgerClient, slots: Sequence[Hash32]) -> None:
        block_hash = self.vouched.block.header.hash
        questions: list[Question[AccountProof]] = ask_proofs(self.registry.address, slots, block_hash)
        for start in range(0, len(questions), MAX_PROOFS_PER_REQUEST):
            for answer in self._ask(node, questions[start : start + MAX_PROOFS_PER_REQUEST]):
                if isinstance(answer, AccountProof):
                    self._take(node, answer)
                    continue
                self._problems.append(answer)
                if not isinstance(answer, NodeRefusedError):
                    return

    def _ask(
        self, node: LedgerClient, questions: Sequence[Question[AccountProof]]
    ) -> Sequence[AccountProof | LedgerUnavailableError]:
        """Ask for proofs; and in the same request for the final block, if the node that vouches has yet to name it."""
        number = self.vouched.final_number
        if number is None:
            return node.ask(questions)
        mixed: list[Question[Any]] = [*questions, ask_block(number)]
        *proofs, final = node.ask(mixed)
        self.vouched = replace(self.vouched, final=final if isinstance(final, Block) else None, final_number=None)
        return proofs

    def _take(self, node: LedgerClient, proof: AccountProof) -> None:
        """Keep what holds."""
        try:
            account = check_account(self.vouched.block.header.state_root, self.registry.address, proof.account_nodes)
        except StateProofError as error:
            self._bad_account_nodes = proof.account_nodes
            self._found_bad(node, error)
            return
        self._account_nodes = proof.account_nodes
        for part in proof.storage:
            self._take_storage(node, account, part)

    def _take_storage(self, node: LedgerClient, account: Account | None, proof: StorageProof) -> None:
        if account is None:
            # There is no contract, hence no storage: nothing will be asked of this proof.
            self._held[proof.slot] = proof
            return
        try:
            self.values[proof.slot] = check_storage(account.storage_root, proof.slot, proof.nodes)
        except StateProofError as error:
            self._bad[proof.slot] = proof
            self._found_bad(node, error)
        else:
            self._held[proof.slot] = proof

    def _found_bad(self, node: LedgerClient, error: StateProofError) -> None:
        self._problems.append(
            LedgerUnavailableError(
                f"the node {node.node} gave a proof that does not hold: {error}", advice="use another node"
            )
        )
