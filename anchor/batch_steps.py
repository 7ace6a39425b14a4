"""Steps 4 to 9 of verification: what the ledger says of a batch, hence of each credential in it alike.

Thousands of credentials of one batch are judged at one block: these steps are taken once for all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from anchor.did_document import accounts_of, document_url
from anchor.errors import (
    BatchRevokedError,
    KeyCompromisedError,
    KeyNotValidError,
    NoEvidenceError,
    NotAnchoredError,
    PendingError,
    StaleBlockError,
    TamperedError,
    UnconfirmedIssuerError,
    UndeterminedError,
    UntrustedIssuerError,
    UntrustedRegistryError,
    UnvouchedBlockError,
)
from anchor.evidence import Evidence, LedgerState
from anchor.model import (
    Address,
    Basis,
    Batch,
    Hash32,
    KeyScope,
    Policy,
    RegistryId,
    TrustedRegistry,
    Vouching,
    to_hex,
    to_utc,
)
from anchor.steps import Steps

MAX_CLOCK_SKEW_SECONDS: Final = 60
"""How far in the future a block may lie (design section 7): clocks differ, and proposers run ahead by seconds."""


MAX_ABSENCE_AGE_SECONDS: Final = 120
"""How old a block may be for what it lacks to count: of two minutes ago, ten blocks and more have followed since. What
is absent there may have been anchored meanwhile, and the node that gave it lags behind, or pretends to."""


def check_ledger(state: LedgerState, pin: TrustedRegistry, policy: Policy, now: int) -> None:
    """Check that facts of this state may be used (step 5): block vouched for and fresh, the right contract.

    Raises:
        UnvouchedBlockError: Something else vouches for the block than the policy wants.
        StaleBlockError: The block is older than the policy's maximal age, or from the future.
        WrongCodeError: The contract is absent or not the one pinned.
    """
    block = state.block
    if state.evidence.vouching is not policy.vouching:
        raise UnvouchedBlockError(f"the policy wants the block vouched for by {policy.vouching.value}")
    if policy.vouching is Vouching.PINNED_HASH and not policy.knows(pin.registry.chain_id, block.hash):
        raise UnvouchedBlockError(f"block {block.number}, {to_hex(block.hash)}, is not one that the policy knows")
    agreed = len(set(state.evidence.vouched_by))
    if policy.vouching is Vouching.K_OF_N and agreed < policy.agreeing_nodes:
        raise UnvouchedBlockError(
            f"block {block.number} is agreed on by {agreed} of {state.evidence.nodes_asked} nodes; "
            f"the policy wants {policy.agreeing_nodes}"
        )
    age = now - block.timestamp
    if age < -MAX_CLOCK_SKEW_SECONDS:
        raise StaleBlockError(f"block {block.number} is {-age} s in the future; check this machine's clock")
    if policy.max_age_seconds is not None and age > policy.max_age_seconds:
        raise StaleBlockError(f"block {block.number} is {age} s old; the policy accepts {policy.max_age_seconds} s")
    state.check_code(pin)


def basis_of(state: LedgerState, pin: TrustedRegistry) -> Basis:
    """Say what facts of this state rest on."""
    return Basis(
        registry=pin.registry,
        registry_name=pin.name,
        block_number=state.block.number,
        block_hash=state.block.hash,
        block_at=state.block.timestamp,
        vouching=state.evidence.vouching,
        vouched_by=state.evidence.vouched_by,
        nodes_asked=state.evidence.nodes_asked,
    )


class BatchClaim(NamedTuple):
    """What credentials of one batch say alike: a named tuple, for each of them makes one to look the batch up."""

    registry: RegistryId
    issuer_id: int
    issuer_did: str
    root: Hash32
    size: int


class BatchSteps(Steps):
    """Steps 4 to 9 for one batch, taken when this is made."""

    def __init__(self, claim: BatchClaim, evidence: Evidence, policy: Policy, now: int) -> None:
        super().__init__()
        self.basis: Basis | None = None
        self.anchored_at: int | None = None
        self.compromised_at: int | None = None
        self._claim: Final = claim
        self._evidence: Final = evidence
        self._policy: Final = policy
        self._now: Final = now
        self._trusted: Final = policy.pin_of(claim.registry)
        self._ledger: LedgerState | UndeterminedError = NoEvidenceError("the ledger was not asked")
        """The proven state, or why no fact of it may be used."""
        self.anchoring_failed: Final = not self._take()
        """Step 6 failed: there is nothing to say of the batch's credentials."""

    def state(self) -> LedgerState:
        """Give the proven state.

        Raises:
            UndeterminedError: No fact of it may be used.
        """
        if isinstance(self._ledger, UndeterminedError):
            # Raised for each credential: without this, each time would add to the traceback that it carries.
            raise self._ledger.with_traceback(None)
        return self._ledger

    def _take(self) -> bool:
        """Run the steps; tell whether step 6 did not fail. If it did, later ones could only repeat or confuse it."""
        self.run(4, self._registry_trusted)
        self.run(5, self._block)
        proceed = self.run(6, self._anchored)
        for step, check in {7: self._key, 8: self._issuer, 9: self._batch_not_revoked}.items():
            if proceed:
                self.run(step, check)
            else:
                self.skip(step)
        return proceed

    def _registry_trusted(self) -> str:
        pin = self._pin()
        return f"{pin.name or 'the registry'} ({pin.registry.to_text()}) is one that the policy trusts"

    def _block(self) -> str:
        try:
            state = self._evidence.state_of(self._pin().registry)
            self.basis = basis_of(state, self._pin())
            check_ledger(state, self._pin(), self._policy, self._now)
        except UndeterminedError as error:
            self._ledger = error
            raise
        self._ledger = state
        return f"block {state.block.number} of {to_utc(state.block.timestamp)}, {_vouched(self.basis)}"

    def _anchored(self) -> str:
        state, batch = self.state(), self._batch()
        if batch.anchored_at == 0:
            self._require_new_enough(state)
            raise NotAnchoredError(f"as of block {state.block.number} this issuer has not anchored the batch")
        if batch.size != self._claim.size:
            raise TamperedError(f"the batch was anchored with {batch.size} leaves, the proof says {self._claim.size}")
        self.anchored_at = batch.anchored_at
        if self._policy.confirmations == 0:
            return f"anchored on {to_utc(batch.anchored_at)}; the policy takes the newest block as final"
        if self._policy.vouching is Vouching.PINNED_HASH:
            return (
                f"anchored on {to_utc(batch.anchored_at)}; the policy pins block {state.block.number}, which is final"
            )
        final = state.final_block()
        newest = state.block.number - (self._policy.confirmations or 0)
        if final.number > newest or final.timestamp > state.block.timestamp:
            raise NoEvidenceError(f"block {final.number} was given as final, which the policy does not take for final")
        # Chains exist with several blocks in one second: of the same second may be before or after the final block.
        if batch.anchored_at >= final.timestamp:
            raise PendingError(f"anchored on {to_utc(batch.anchored_at)} and not final yet; ask again in some minutes")
        return f"anchored on {to_utc(batch.anchored_at)}, which is final as of block {final.number}"

    def _require_new_enough(self, state: LedgerState) -> None:
        """Check that what this block lacks may count; if not, no fact of it may: all of it may have come since."""
        age = self._now - state.block.timestamp
        if self._policy.max_age_seconds is not None and age > MAX_ABSENCE_AGE_SECONDS:
            self._ledger = StaleBlockError(
                f"this issuer had not anchored the batch as of block {state.block.number}, which is {age} s old; "
                "it may have since: ask again, or another node"
            )
            raise self._ledger

    def _key(self) -> str:
        batch, key = self._batch(), self.state().key(self._batch().key)
        if key.issuer_id != self._claim.issuer_id or key.scope != KeyScope.ANCHOR.value:
            raise KeyNotValidError(f"{to_hex(batch.key)} is no key of this issuer for anchoring")
        self.compromised_at = key.compromised_at or None
        if key.compromised_at and key.compromised_at <= batch.anchored_at:
            raise KeyCompromisedError(
                f"the key is declared compromised since {to_utc(key.compromised_at)}, not after the anchoring"
            )
        if batch.anchored_at < key.valid_from or (key.valid_until and key.valid_until <= batch.anchored_at):
            raise KeyNotValidError("the key that anchored was not valid at that time")
        later = f"; declared compromised from {to_utc(key.compromised_at)} on" if key.compromised_at else ""
        return f"the key {to_hex(batch.key)} was valid for anchoring{later}"

    def _issuer(self) -> str:
        did = self._claim.issuer_did
        if did in self._policy.denied_issuers:
            raise UntrustedIssuerError("the policy denies this issuer")
        issuer_id, state = self._claim.issuer_id, self.state()
        if state.did_hash(issuer_id) != _did_hash(did):
            raise UntrustedIssuerError("the issuer who anchored has another DID than the credential names")
        issuer, anchored_at = state.issuer(issuer_id), self._batch().anchored_at
        if not 0 < issuer.accredited_at <= anchored_at:
            raise UntrustedIssuerError("the issuer was not accredited when the batch was anchored")
        if issuer.withdrawn_at and issuer.withdrawn_at <= anchored_at:
            raise UntrustedIssuerError(f"the issuer's accreditation had ended on {to_utc(issuer.withdrawn_at)}")
        confirmed = self._confirmed(issuer.controller) if self._policy.require_did_document else ""
        return f"{did} is issuer {issuer_id}, accredited since {to_utc(issuer.accredited_at)}{confirmed}"

    def _confirmed(self, controller: Address) -> str:
        """Check that the issuer itself names the key that anchored, or its controller, as its own."""
        did = self._claim.issuer_did
        document = self._evidence.did_document(did)
        asked = f", asked at {document.source}" if document.source else ""
        if document_url(did) is not None and document.content is None:
            raise UnconfirmedIssuerError(f"{document.problem}{asked}")
        accounts = accounts_of(did, document.content, self._claim.registry.chain_id)
        for what, account in (("its controller", controller), ("the key that anchored", self._batch().key)):
            if account in accounts:
                return f"; its DID confirms {what}{asked}"
        raise UnconfirmedIssuerError(
            f"the issuer's DID names neither the key that anchored nor the issuer's controller{asked}"
        )

    def _batch_not_revoked(self) -> str:
        batch, issuer = self._batch(), self.state().issuer(self._claim.issuer_id)
        if batch.is_revoked_in(issuer.status_epoch):
            raise BatchRevokedError("the issuer revoked the whole batch")
        return "the batch is not revoked"

    # What the steps share.

    def _pin(self) -> TrustedRegistry:
        if self._trusted is None:
            raise UntrustedRegistryError(f"the policy does not trust the registry {self._claim.registry.to_text()}")
        return self._trusted

    def _batch(self) -> Batch:
        return self.state().batch(self._claim.issuer_id, self._claim.root)


@lru_cache(maxsize=1024)
def _did_hash(did: str) -> bytes:
    return keccak(did.encode())


def _vouched(basis: Basis) -> str:
    names = ", ".join(basis.vouched_by)
    match basis.vouching:
        case Vouching.PINNED_HASH:
            return "its hash known to the policy"
        case Vouching.K_OF_N:
            return f"its hash agreed on by {len(basis.vouched_by)} of {basis.nodes_asked} nodes: {names}"
        case Vouching.OWN_NODE:
            return f"its hash from your own node {names}"
        case _:
            return f"its hash on the word of one node, {names}"
