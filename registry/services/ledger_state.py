"""What the services must know of the ledger: read by state proofs, like every other fact (design section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eth_hash.auto import keccak

from anchor.errors import WrongLedgerError
from anchor.evidence import LedgerState, did_hash_slot
from anchor.ledger.abi import runtime_code_hash
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_slots
from anchor.model import Hash32, Policy, RegistryId, TrustedRegistry


class LedgerView:
    """One registry, as the configured node shows and proves it.

    Args:
        client: The node; believed for the block hash and nothing else.
        registry: The registry.
        confirmations: As of `Policy`; only for who asks which block is final.
    """

    def __init__(self, client: LedgerClient, registry: RegistryId, *, confirmations: int | None = 0) -> None:
        self._client: Final = client
        self.registry: Final = registry
        self._pin: Final = TrustedRegistry(registry=registry, code_hash=runtime_code_hash())
        # The institution asks its own node about its own doing: the newest block is what matters.
        self._policy: Final = Policy(
            registries=(self._pin,), confirmations=confirmations, max_age_seconds=None, nodes=(client.node,)
        )

    def state(self, slots: Iterable[Hash32]) -> LedgerState:
        """Prove these slots at the newest block.

        Raises:
            LedgerUnavailableError: The node did not answer.
            WrongLedgerError: It serves another chain.
            UndeterminedError: Its proofs do not hold, or there is another contract at the registry's address.
        """
        evidence = collect_slots([self._client], self.registry, slots, self._policy)
        state = LedgerState(evidence)
        state.check_code(self._pin)
        return state

    def has_block(self, number: int, block_hash: Hash32) -> bool:
        """Tell whether a block is on the chain, as the node has it.

        Raises:
            LedgerUnavailableError: The node did not answer.
        """
        block = self._client.block(number)
        return block is not None and block.header.hash == block_hash

    def check_issuer(self, issuer_id: int, did: str) -> None:
        """Check that the registry knows the issuer by this number under this DID.

        Raises:
            WrongLedgerError: It does not: credentials would never verify.
        """
        proven = self.state([did_hash_slot(issuer_id)]).did_hash(issuer_id)
        if proven != keccak(did.encode()):
            raise WrongLedgerError(
                f"issuer {issuer_id} of the registry {self.registry.to_text()} is not {did}",
                advice="Check issuer_id, issuer_did and registry in settings.toml.",
            )
