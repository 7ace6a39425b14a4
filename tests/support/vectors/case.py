"""A case of `verification.json`, its verdict written down by hand: thirteen letters, one a step.

p passed, f failed, u unknown, s skipped, n not applicable.
"""

from dataclasses import dataclass, field

from tests.support.vectors.common import Json, to_hex
from tests.support.vectors.credentials import credential
from tests.support.vectors.ledger import NOW

STEPS = (
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
_STATUSES = {"p": "passed", "f": "failed", "u": "unknown", "s": "skipped", "n": "notApplicable"}

PASSED = "ppp pp pppppp pn"
NOT_INCLUDED = "ppf ss ssssss pn"
NO_PROOF = "psf ss ssssss pn"
NO_REGISTRY = "ppp uu uuuuuu pn"
NO_BLOCK = "ppp pu uuuuuu pn"
NOT_ANCHORED = "ppp pp fsssss pn"


@dataclass(frozen=True)
class Case:
    name: str
    steps: str = PASSED
    reason: str = ""
    """Of the verdict, and of every step that failed or is unknown unless `reasons` says otherwise."""
    evidence: str = "plain"
    policy: str = "plain"
    data: bytes = field(default_factory=credential)
    now: int = NOW
    outcome: str = ""
    """Left empty, it is the one in the name: `step-07-failed-…` is invalid, `step-07-unknown-…` unknown."""
    reasons: dict[int, str] = field(default_factory=dict)

    def to_json(self) -> Json:
        letters = self.steps.replace(" ", "")
        assert len(letters) == len(STEPS), self.name
        checks = [
            {
                "step": step,
                "name": STEPS[step - 1],
                "status": _STATUSES[letter],
                "reason": self.reasons.get(step, self.reason) if letter in "fu" else "",
            }
            for step, letter in enumerate(letters, 1)
        ]
        return {
            "name": self.name,
            "credential": to_hex(self.data),
            "policy": self.policy,
            "evidence": self.evidence,
            "now": self.now,
            "outcome": self.outcome or self._outcome(),
            "reason": self.reason,
            "checks": checks,
        }

    def _outcome(self) -> str:
        kind = self.name.split("-")[2] if self.name.startswith("step-") else self.name.split("-")[0]
        return {"failed": "invalid", "unknown": "unknown", "passed": "valid", "valid": "valid"}[kind]


def unproven(step: int, what: str, steps: str) -> list[Case]:
    """Take away, or break, the proof of one slot."""
    kinds = (("without", "noEvidence"), ("broken", "badStateProof"))
    return [Case(f"step-{step:02}-unknown-{kind}-{what}", steps, reason, f"{kind}-{what}") for kind, reason in kinds]
