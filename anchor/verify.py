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
    12  validFrom and validUntil       13  other proofs (not judged here: unknown if the policy requires one)

Pure: no clock, no network. Any failed check makes the verdict `invalid`, else any unknown one `unknown`, else `valid`.
Facts that are not needed never spoil it. Malformed input has no verdict: it does not get here.
"""

from __future__ import annotations

from typing import Final, NoReturn

from anchor.batch_steps import BatchClaim, BatchSteps
from anchor.credential import Credential
from anchor.errors import (
    ExpiredError,
    NotAnchoredError,
    NotYetValidError,
    RequiredProofError,
    RevokedError,
    SuspendedError,
    TrustListError,
)
from anchor.evidence import Evidence, EvidenceRequest
from anchor.merkle import check_inclusion
from anchor.model import Basis, CheckStatus, Outcome, Policy, Verdict, to_hex, to_utc
from anchor.status import StatusPurpose
from anchor.steps import Steps

_LEDGER_STEPS: Final = range(4, 12)


def verify(credential: Credential, evidence: Evidence, policy: Policy, now: int) -> Verdict:
    """Judge a credential.

    Args:
        credential: As parsed by `anchor.credential.parse_credential`.
        evidence: State proofs, from whomever; nothing in them is believed before it is proven.
        policy: What the verifier trusts.
        now: The verifier's time, Unix seconds.

    Returns:
        The verdict. Of several anchor proofs, which all name one registry, one that passes suffices.

    Raises:
        TrustListError: The policy names trust lists that were not put in (`anchor.trust_list.apply_trust_lists`).
    """
    return Verifier(evidence, policy, now).verify(credential)


class Verifier:
    """Judges any number of credentials by one policy, at one time, on the same evidence.

    Args:
        evidence: State proofs, from whomever; nothing in them is believed before it is proven.
        policy: What the verifier trusts.
        now: The verifier's time, Unix seconds.

    Raises:
        TrustListError: The policy names trust lists that were not put in (`anchor.trust_list.apply_trust_lists`), so
            that issuers denied there would be accepted.
    """

    def __init__(self, evidence: Evidence, policy: Policy, now: int) -> None:
        if policy.trust_lists:
            raise TrustListError("the policy names trust lists, and what they say is not in it yet")
        self._evidence: Final = evidence
        self._policy: Final = policy
        self._now: Final = now
        self._batches: Final[dict[BatchClaim, BatchSteps]] = {}

    def verify(self, credential: Credential) -> Verdict:
        """Judge one of them, as the function `verify` does."""
        if not credential.requests:
            return _Judgement(credential, self._policy, self._now).judge()
        verdicts = [
            _AnchorJudgement(credential, self._policy, self._now, request, self._batch(credential, request)).judge()
            for request in credential.requests
        ]
        if len(verdicts) == 1:
            return verdicts[0]
        # An unknown proof might still pass, so it outweighs one that failed.
        order = (Outcome.VALID, Outcome.UNKNOWN, Outcome.INVALID)
        return min(verdicts, key=lambda verdict: order.index(verdict.outcome))

    def _batch(self, credential: Credential, request: EvidenceRequest) -> BatchSteps:
        claim = BatchClaim(
            registry=request.proof.registry,
            issuer_id=request.proof.issuer_id,
            issuer_did=credential.issuer_did,
            root=request.proof.root,
            size=request.proof.inclusion.size,
        )
        steps = self._batches.get(claim)
        if steps is None:
            steps = self._batches[claim] = BatchSteps(claim, self._evidence, self._policy, self._now)
        return steps


class _Judgement(Steps):
    """One pass through all steps for a credential that carries no anchor proof."""

    def __init__(self, credential: Credential, policy: Policy, now: int) -> None:
        super().__init__()
        self.credential: Final = credential
        self.policy: Final = policy
        self.now: Final = now
        self.basis: Basis | None = None
        self.anchored_at: int | None = None
        self.compromised_at: int | None = None

    def judge(self) -> Verdict:
        """Run all steps and conclude."""
        self.run(1, self.well_formed)
        self.skip(2)
        self.run(3, self.absent)
        for step in _LEDGER_STEPS:
            self.skip(step)
        return self.finish()

    def finish(self) -> Verdict:
        """Run the steps that need no anchor proof and conclude: any failed, else any unknown, else valid."""
        self.run(12, self.dates)
        if self.policy.required_proofs:
            self.run(13, self.required_proofs)
        else:
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
            contact=self.credential.contact,
            anchored_at=self.anchored_at,
            compromised_at=self.compromised_at,
            error=error,
        )

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

    def required_proofs(self) -> NoReturn:
        required, carried = self.policy.required_proofs, self.credential.other_proofs
        if absent := sorted(required.difference(carried)):
            raise RequiredProofError(f"the policy requires proofs that the credential lacks: {', '.join(absent)}")
        raise RequiredProofError(
            f"the policy requires proofs that this version does not judge: {', '.join(sorted(required))}"
        )

    def other_proofs(self) -> str:
        others = self.credential.other_proofs
        return f"not judged: {', '.join(others)}" if others else "the credential has no other proofs"


class _AnchorJudgement(_Judgement):
    """One pass through all steps for one anchor proof."""

    def __init__(
        self, credential: Credential, policy: Policy, now: int, request: EvidenceRequest, batch: BatchSteps
    ) -> None:
        super().__init__(credential, policy, now)
        self.request: Final = request
        self.batch: Final = batch
        self.leaf_hash: Final = credential.leaf(request)

    def judge(self) -> Verdict:
        """Run all steps and conclude. After a failed one, those that could only repeat or confuse it are skipped."""
        self.run(1, self.well_formed)
        self.run(2, self.leaf)
        if self.run(3, self.inclusion):
            self.take_over(self.batch)
            self.basis, self.anchored_at = self.batch.basis, self.batch.anchored_at
            self.compromised_at = self.batch.compromised_at
            for step, check in ((10, self.not_revoked), (11, self.not_suspended)):
                if self.batch.anchoring_failed:
                    self.skip(step)
                else:
                    self.run(step, check)
        else:
            for step in _LEDGER_STEPS:
                self.skip(step)
        return self.finish()

    def leaf(self) -> str:
        position = self.request.position
        return f"leaf {to_hex(self.leaf_hash)}, status list {position.status_list}, index {position.index}"

    def inclusion(self) -> str:
        proof = self.request.proof
        check_inclusion(self.leaf_hash, proof.inclusion, proof.root)
        return f"leaf {proof.inclusion.leaf_index} of {proof.inclusion.size} leads to root {to_hex(proof.root)}"

    def not_revoked(self) -> str:
        if self.bit(StatusPurpose.REVOCATION):
            raise RevokedError("the issuer revoked this credential")
        return f"not revoked as of block {self.batch.state().block.number}"

    def not_suspended(self) -> str:
        if self.bit(StatusPurpose.SUSPENSION):
            raise SuspendedError("the issuer suspended this credential; it may be reinstated")
        return f"not suspended as of block {self.batch.state().block.number}"

    def bit(self, purpose: StatusPurpose) -> bool:
        state, issuer_id = self.batch.state(), self.request.proof.issuer_id
        return state.bit(purpose, issuer_id, state.issuer(issuer_id).status_epoch, self.request.position)
