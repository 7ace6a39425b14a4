"""Verification: thirteen numbered steps over (credential, evidence, policy, now), and the verdict they give.

     1  parse                                            `anchor.credential.parse_credential`
     2  canonical bytes, status entries agree, leaf      same; the leaf here
     3  the inclusion proof leads from leaf to root
     4  the registry is one that the policy trusts
     5  the block is vouched for and fresh; the registry's account and code are proven
     6  the batch was anchored by this issuer, with this size, and is final
     7  its key had scope ANCHOR, was valid then, no cut-off at or before
     8  the issuer was accredited then, is not denied, and its DID is the credential's issuer.id
     9  the batch is not revoked       10  nor the credential       11  nor is it suspended
    12  validFrom and validUntil       13  other proofs (not judged here)

Pure: no clock, no network. Any failed check makes the verdict `invalid`, else any unknown one `unknown`, else `valid`.
Facts that are not needed never spoil it. Malformed input has no verdict: it does not get here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from eth_hash.auto import keccak

from anchor.credential import Credential
from anchor.errors import (
    BatchRevokedError,
    ExpiredError,
    KeyCompromisedError,
    KeyNotValidError,
    NoEvidenceError,
    NotAnchoredError,
    NotYetValidError,
    PendingError,
    RevokedError,
    StaleBlockError,
    SuspendedError,
    TamperedError,
    UndeterminedError,
    UntrustedIssuerError,
    UntrustedRegistryError,
    UnvouchedBlockError,
    VerificationError,
)
from anchor.evidence import Evidence, EvidenceRequest, LedgerState
from anchor.merkle import check_inclusion
from anchor.model import (
    Basis,
    Batch,
    Check,
    CheckStatus,
    KeyScope,
    Outcome,
    Policy,
    TrustedRegistry,
    Verdict,
    Vouching,
    to_hex,
    to_utc,
)
from anchor.status import StatusPurpose

MAX_CLOCK_SKEW_SECONDS: Final = 60
"""How far in the future a block may lie (design section 7): clocks differ, and proposers run ahead by seconds."""

STEP_NAMES: Final = (
    "wellFormed",
    "statusEntries",
    "inclusion",
    "registryTrusted",
    "block",
    "anchored",
    "key",
    "issuer",
    "batchNotRevoked",
    "notRevoked",
    "notSuspended",
    "dates",
    "otherProofs",
)
"""Names of the thirteen checks, in order."""


def verify(credential: Credential, evidence: Evidence, policy: Policy, now: int) -> Verdict:
    """Judge a credential.

    Args:
        credential: As parsed by `anchor.credential.parse_credential`.
        evidence: State proofs, from whomever; nothing in them is believed before it is proven.
        policy: What the verifier trusts.
        now: The verifier's time, Unix seconds.

    Returns:
        The verdict. Of several anchor proofs one that passes suffices; proofs in registries that the policy does not
        trust are judged only when there is no other.
    """
    if not credential.requests:
        return _Judgement(credential, policy, now).judge_without_proof()
    requests = [each for each in credential.requests if policy.pin_of(each.proof.registry) is not None]
    verdicts = [
        _AnchorJudgement(credential, policy, now, request, evidence).judge()
        for request in requests or credential.requests
    ]
    # An unknown proof might still pass, so it outweighs one that failed.
    order = (Outcome.VALID, Outcome.UNKNOWN, Outcome.INVALID)
    return min(verdicts, key=lambda verdict: order.index(verdict.outcome))


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
    )


class _Judgement:
    """One pass through the steps, as far as they need no anchor proof, and what it has found so far."""

    def __init__(self, credential: Credential, policy: Policy, now: int) -> None:
        self.credential = credential
        self.policy = policy
        self.now = now
        self.checks: list[Check] = []
        self.failed: VerificationError | None = None
        self.unknown: UndeterminedError | None = None
        self.basis: Basis | None = None
        self.anchored_at: int | None = None
        self.compromised_at: int | None = None

    def judge_without_proof(self) -> Verdict:
        """Run the steps for a credential that carries no anchor proof."""
        self.run(1, self.well_formed)
        self.skip(2)
        self.run(3, self.absent)
        for step in range(4, 12):
            self.skip(step)
        return self.finish()

    def finish(self) -> Verdict:
        """Run the steps that need no anchor proof and conclude: any failed, else any unknown, else valid."""
        self.run(12, self.dates)
        self.note(13, CheckStatus.NOT_APPLICABLE, self.other_proofs())
        error = self.failed or self.unknown
        outcome = Outcome.INVALID if self.failed else Outcome.UNKNOWN if self.unknown else Outcome.VALID
        return Verdict(
            outcome=outcome,
            reason=error.reason if error else "",
            checks=tuple(self.checks),
            basis=self.basis,
            credential_id=self.credential.id,
            issuer_did=self.credential.issuer_did,
            contact=self.credential.contact(),
            anchored_at=self.anchored_at,
            compromised_at=self.compromised_at,
            error=error,
        )

    def run(self, step: int, check: Callable[[], str]) -> bool:
        """Run one step, note what came of it, and tell whether it did not fail."""
        try:
            self.note(step, CheckStatus.PASSED, check())
        except VerificationError as error:
            self.failed = self.failed or error
            self.note(step, CheckStatus.FAILED, str(error), error.reason)
            return False
        except UndeterminedError as error:
            self.unknown = self.unknown or error
            self.note(step, CheckStatus.UNKNOWN, str(error), error.reason)
        return True

    def skip(self, step: int) -> None:
        """Note a step that has nothing to check, because an earlier one failed."""
        self.note(step, CheckStatus.SKIPPED, "not checked, for an earlier check failed")

    def note(self, step: int, status: CheckStatus, detail: str, reason: str = "") -> None:
        """Record a step."""
        self.checks.append(Check(step=step, name=STEP_NAMES[step - 1], status=status, detail=detail, reason=reason))

    # Steps. Each returns what it found, in words, or raises.

    def well_formed(self) -> str:
        return "the file is strict JSON and a credential"

    def absent(self) -> str:
        raise NotAnchoredError("the credential carries no anchor proof")

    def dates(self) -> str:
        valid_from, valid_until = self.credential.valid_from, self.credential.valid_until
        # A clock that is slow must not make "valid" into "not valid": the ledger shows what time has passed.
        passed = max(self.now, self.basis.block_at) if self.basis is not None else self.now
        if valid_from is not None and passed < valid_from:
            raise NotYetValidError(f"valid only from {to_utc(valid_from)}")
        if valid_until is not None and valid_until <= self.now:
            raise ExpiredError(f"expired on {to_utc(valid_until)}")
        since = f"valid since {to_utc(valid_from)}" if valid_from is not None else "no start stated"
        until = f"until {to_utc(valid_until)}" if valid_until is not None else "without end"
        return f"{since}, {until}"

    def other_proofs(self) -> str:
        others = self.credential.other_proofs
        return f"not judged: {', '.join(others)}" if others else "the credential has no other proofs"


class _AnchorJudgement(_Judgement):
    """One pass through all steps for one anchor proof."""

    def __init__(
        self, credential: Credential, policy: Policy, now: int, request: EvidenceRequest, evidence: Evidence
    ) -> None:
        super().__init__(credential, policy, now)
        self.proof = request.proof
        self.position = request.position
        self.leaf_hash = credential.leaf(request)
        self.evidence = evidence
        self.ledger: LedgerState | UndeterminedError = NoEvidenceError("the ledger was not asked")
        """The proven state, or why no fact of it may be used."""

    def judge(self) -> Verdict:
        """Run all steps. After a failed one, those that could only repeat or confuse it are skipped."""
        self.run(1, self.well_formed)
        self.run(2, self.leaf)
        ledger_steps = {
            4: self.registry_trusted,
            5: self.block,
            6: self.anchored,
            7: self.key,
            8: self.issuer,
            9: self.batch_not_revoked,
            10: self.not_revoked,
            11: self.not_suspended,
        }
        proceed = self.run(3, self.inclusion)
        for step, check in ledger_steps.items():
            if not proceed:
                self.skip(step)
            elif not self.run(step, check) and step == 6:
                proceed = False
        return self.finish()

    def leaf(self) -> str:
        place = f"status list {self.position.status_list}, index {self.position.index}"
        return f"leaf {to_hex(self.leaf_hash)}, {place}"

    def inclusion(self) -> str:
        inclusion = self.proof.inclusion
        check_inclusion(self.leaf_hash, inclusion, self.proof.root)
        return f"leaf {inclusion.leaf_index} of {inclusion.size} leads to root {to_hex(self.proof.root)}"

    def registry_trusted(self) -> str:
        pin = self.pin()
        return f"{pin.name or 'the registry'} ({pin.registry.to_text()}) is one that the policy trusts"

    def block(self) -> str:
        try:
            state = self.evidence.state_of(self.pin().registry)
            self.basis = basis_of(state, self.pin())
            check_ledger(state, self.pin(), self.policy, self.now)
        except UndeterminedError as error:
            self.ledger = error
            raise
        self.ledger = state
        return f"block {state.block.number} of {to_utc(state.block.timestamp)}, {_vouched(self.basis)}"

    def anchored(self) -> str:
        state, batch = self.state(), self.batch()
        if batch.anchored_at == 0:
            raise NotAnchoredError(f"as of block {state.block.number} this issuer has not anchored the batch")
        if batch.size != self.proof.inclusion.size:
            raise TamperedError(
                f"the batch was anchored with {batch.size} leaves, the proof says {self.proof.inclusion.size}"
            )
        self.anchored_at = batch.anchored_at
        if self.policy.confirmations == 0:
            return f"anchored on {to_utc(batch.anchored_at)}; the policy takes the newest block as final"
        final = state.final_block()
        newest = state.block.number - (self.policy.confirmations or 0)
        if final.number > newest or final.timestamp > state.block.timestamp:
            raise NoEvidenceError(f"block {final.number} was given as final, which the policy does not take for final")
        # Chains exist with several blocks in one second: of the same second may be before or after the final block.
        if batch.anchored_at >= final.timestamp:
            raise PendingError(f"anchored on {to_utc(batch.anchored_at)} and not final yet; ask again in some minutes")
        return f"anchored on {to_utc(batch.anchored_at)}, which is final as of block {final.number}"

    def key(self) -> str:
        batch, key = self.batch(), self.state().key(self.batch().key)
        if key.issuer_id != self.proof.issuer_id or key.scope != KeyScope.ANCHOR.value:
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

    def issuer(self) -> str:
        did = self.credential.issuer_did
        if did in self.policy.denied_issuers:
            raise UntrustedIssuerError("the policy denies this issuer")
        issuer_id, state = self.proof.issuer_id, self.state()
        if state.did_hash(issuer_id) != keccak(did.encode()):
            raise UntrustedIssuerError("the issuer who anchored has another DID than the credential names")
        issuer, anchored_at = state.issuer(issuer_id), self.batch().anchored_at
        if not 0 < issuer.accredited_at <= anchored_at:
            raise UntrustedIssuerError("the issuer was not accredited when the batch was anchored")
        if issuer.withdrawn_at and issuer.withdrawn_at <= anchored_at:
            raise UntrustedIssuerError(f"the issuer's accreditation had ended on {to_utc(issuer.withdrawn_at)}")
        return f"{did} is issuer {issuer_id}, accredited since {to_utc(issuer.accredited_at)}"

    def batch_not_revoked(self) -> str:
        batch, issuer = self.batch(), self.state().issuer(self.proof.issuer_id)
        if batch.is_revoked_in(issuer.status_epoch):
            raise BatchRevokedError("the issuer revoked the whole batch")
        return "the batch is not revoked"

    def not_revoked(self) -> str:
        if self.bit(StatusPurpose.REVOCATION):
            raise RevokedError("the issuer revoked this credential")
        return f"not revoked as of block {self.state().block.number}"

    def not_suspended(self) -> str:
        if self.bit(StatusPurpose.SUSPENSION):
            raise SuspendedError("the issuer suspended this credential; it may be reinstated")
        return f"not suspended as of block {self.state().block.number}"

    # What the steps share.

    def pin(self) -> TrustedRegistry:
        registry = self.proof.registry
        pin = self.policy.pin_of(registry)
        if pin is None:
            raise UntrustedRegistryError(f"the policy does not trust the registry {registry.to_text()}")
        return pin

    def state(self) -> LedgerState:
        if isinstance(self.ledger, UndeterminedError):
            raise self.ledger
        return self.ledger

    def batch(self) -> Batch:
        return self.state().batch(self.proof.issuer_id, self.proof.root)

    def bit(self, purpose: StatusPurpose) -> bool:
        state, issuer_id = self.state(), self.proof.issuer_id
        return state.bit(purpose, issuer_id, state.issuer(issuer_id).status_epoch, self.position)


_VOUCHING_WORDS: Final = {
    Vouching.PINNED_HASH: "pinned by its hash",
    Vouching.K_OF_N: "its hash agreed on by",
    Vouching.OWN_NODE: "its hash from your own node",
    Vouching.ONE_NODE: "its hash on the word of one node,",
}


def _vouched(basis: Basis) -> str:
    return f"{_VOUCHING_WORDS[basis.vouching]} {', '.join(basis.vouched_by)}"
