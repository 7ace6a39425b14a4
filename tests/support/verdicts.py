"""Asks for the verdict on a `World`, and says which of its steps decided."""

import pytest

from anchor.errors import UndeterminedError, VerificationError
from anchor.evidence import Evidence
from anchor.model import CheckStatus, Outcome, Policy, Verdict
from anchor.verify import verify
from tests.support.world import NOW, World, policy

LEDGER_STEPS = range(6, 12)


def judge(world: World, *, rules: Policy | None = None, evidence: Evidence | None = None, now: int = NOW) -> Verdict:
    return verify(world.credential(), evidence or world.evidence(), rules or policy(), now)


def statuses(verdict: Verdict) -> dict[int, CheckStatus]:
    return {check.step: check.status for check in verdict.checks}


def assert_invalid(verdict: Verdict, step: int, reason: str) -> None:
    """Assert that exactly this step fails, and decides."""
    assert verdict.outcome is Outcome.INVALID
    assert verdict.reason == reason
    assert [each.step for each in verdict.checks if each.status is CheckStatus.FAILED] == [step]
    assert CheckStatus.UNKNOWN not in statuses(verdict).values()
    with pytest.raises(VerificationError):
        verdict.require_valid()


def assert_unknown(verdict: Verdict, steps: set[int], reason: str) -> None:
    """Assert that exactly these steps are unknown, and the first decides."""
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason == reason
    assert {each.step for each in verdict.checks if each.status is CheckStatus.UNKNOWN} == steps
    assert CheckStatus.FAILED not in statuses(verdict).values()
    with pytest.raises(UndeterminedError):
        verdict.require_valid()
