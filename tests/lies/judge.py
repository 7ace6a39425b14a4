"""Judges verdicts: what is true, what a lie may change about it, and what a verdict so is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anchor.model import Outcome, Verdict
from tests.lies.kinds import Case
from tests.lies.node import Lie, Told
from tests.lies.story import FACTS_OF, PENDING, VALID, Situation, Truth

ONE_NODE: Final = "oneNode"
K_OF_N: Final = "kOfN"
STANDING_BY: Final = "oneNode of three"
LAGGING: Final = "kOfN, one lags"
PINNED: Final = "pinnedHash"
POLICIES: Final = (ONE_NODE, STANDING_BY, K_OF_N, LAGGING, PINNED)


class Cell(Enum):
    """What came of one case under one policy."""

    RIGHT = "right"
    UNKNOWN = "unknown"
    AS_VOUCHED = "as vouched for"
    """True of the block or chain that what vouches named, and shown to rest on it."""
    WRONG_VALID = "wrong valid"
    WRONG_INVALID = "wrong invalid"


Counts = Counter[tuple[str, Cell]]
"""How often each came, by policy."""


class WrongVerdictError(AssertionError):
    """A verdict that must not be."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What may be said of a situation, under one policy."""

    truth: Truth
    told: Told | None = None
    """What else may come, of the block that is vouched for."""
    must_be_right: bool = False
    """Right, or as what is vouched for has it; not unknown."""


def expectation(case: Case, situation: Situation, lie: Lie, policy: str, lagged: int) -> Expectation:
    """Say what may come of it.

    One node alone vouches for the block, and is believed in that. Where others stand by, it is the first, and a liar
    further behind changes nothing; and whoever vouches, others have proofs that hold. Of three of which two must agree,
    one liar changes nothing; if of the others one has only heard of an earlier block (`lagged`), that may be the newest
    that two agree on. Where the hash is known beforehand, whoever brings the proofs changes nothing but whether there
    are some.
    """
    # A block that is pinned is final.
    truth = VALID if policy == PINNED and situation.truth == PENDING else situation.truth
    vouches = policy == ONE_NODE or (policy == STANDING_BY and case.position == 0)
    told = lie.told if vouches else None
    if policy == LAGGING:
        told = Told(truths=frozenset({situation.truth_at(lagged)}), block=lagged)
    needed = set(FACTS_OF[truth])
    if needed:
        needed.add("block")
    if truth in {VALID, PENDING} and policy != PINNED:
        needed.add("final")
    is_about_it = bool(needed if lie.touches is None else needed & lie.touches) or lie.told is not None
    outvoted = policy in {K_OF_N, LAGGING} or (policy == STANDING_BY and (case.position > 0 or case.kind.only_proofs))
    return Expectation(truth=truth, told=told, must_be_right=outvoted or not is_about_it)


def cell_of(verdict: Verdict, expected: Expectation) -> Cell:
    """Say what a verdict is."""
    said = (verdict.outcome.value, verdict.reason)
    if said == expected.truth:
        return Cell.RIGHT
    if verdict.outcome is Outcome.UNKNOWN:
        return Cell.UNKNOWN
    if expected.told is not None and said in expected.told.truths and _names(verdict, expected.told):
        return Cell.AS_VOUCHED
    return Cell.WRONG_VALID if verdict.outcome is Outcome.VALID else Cell.WRONG_INVALID


def judge(verdict: Verdict, expected: Expectation) -> Cell:
    """Say what a verdict is, and raise `WrongVerdictError` where it must not be."""
    cell = cell_of(verdict, expected)
    if cell in {Cell.WRONG_VALID, Cell.WRONG_INVALID}:
        raise WrongVerdictError(f"{cell.value}: {_shown(verdict)}; true is {expected.truth}")
    if expected.must_be_right and cell is Cell.UNKNOWN:
        raise WrongVerdictError(f"not right, though it could be: {_shown(verdict)}; true is {expected.truth}")
    return cell


def _names(verdict: Verdict, told: Told) -> bool:
    """Whether it says what block it rests on, and on whose word."""
    basis = verdict.basis
    return basis is not None and told.block in {None, basis.block_number} and bool(basis.vouched_by)


def _shown(verdict: Verdict) -> str:
    checks = "; ".join(f"{check.step} {check.status.value}: {check.detail}" for check in verdict.checks)
    return f"{verdict.outcome.value} {verdict.reason} ({checks})"
