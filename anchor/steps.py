"""Numbered steps, taken one by one, and what they found: each passes, fails or stays unknown.

What the steps are is said in `anchor.verify`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from anchor.errors import UndeterminedError, VerificationError
from anchor.model import Check, CheckStatus

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


class Steps:
    """Some of the steps, and what came of them."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.failed: VerificationError | None = None
        self.unknown: UndeterminedError | None = None
        """Of each kind the first."""

    def run(self, step: int, check: Callable[[], str]) -> bool:
        """Run one step, note what came of it, and tell whether it did not fail.

        Args:
            step: Its number.
            check: Returns what it found, in words, or raises.
        """
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
        self.checks.append(_check(step, status, detail, reason))

    def take_over(self, others: Steps) -> None:
        """Add steps that were taken apart, after those taken so far."""
        self.checks += others.checks
        self.failed = self.failed or others.failed
        self.unknown = self.unknown or others.unknown


@lru_cache(maxsize=1024)
def _check(step: int, status: CheckStatus, detail: str, reason: str) -> Check:
    """Build a check; thousands of credentials are told the same, and share it."""
    return Check(step=step, name=STEP_NAMES[step - 1], status=status, detail=detail, reason=reason)
