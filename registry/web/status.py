"""How a verdict is said on a page: in one word, a sentence, and a colour that never says more than the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from anchor.errors import (
    BatchRevokedError,
    ExpiredError,
    KeyCompromisedError,
    NotYetValidError,
    PendingError,
    RevokedError,
    SuspendedError,
)
from anchor.model import Outcome, Verdict

_INVALID: Final = {
    each.reason: tone
    for each, tone in (
        (RevokedError, "bad"),
        (BatchRevokedError, "bad"),
        (KeyCompromisedError, "bad"),
        (SuspendedError, "paused"),
        (ExpiredError, "paused"),
        (NotYetValidError, "paused"),
    )
}
"""Reasons that have words of their own, and the tone of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """What a page says of a status."""

    name: str
    """Of its words."""
    tone: str
    """good, bad, paused or unsure."""
    block: int | None = None
    """Number of the block that it was checked against; None: none was reached."""
    block_at: datetime | None = None
    anchored_at: int | None = None
    """Unix seconds, as it was proven; None: it was not."""


UNKNOWN: Final = StatusView(name="unknown", tone="unsure")
"""Whatever keeps it from being determined."""


def status_of(verdict: Verdict | None) -> StatusView:
    """Say a verdict.

    Args:
        verdict: The verifier's; None: it came to none.
    """
    if verdict is None:
        return UNKNOWN
    match verdict.outcome:
        case Outcome.VALID:
            name, tone = "valid", "good"
        case Outcome.INVALID if verdict.reason in _INVALID:
            name, tone = verdict.reason, _INVALID[verdict.reason]
        case Outcome.INVALID:
            name, tone = "invalid", "bad"
        case _ if verdict.reason == PendingError.reason:
            name, tone = "pending", "unsure"
        case _:
            name, tone = UNKNOWN.name, UNKNOWN.tone
    basis = verdict.basis
    return StatusView(
        name=name,
        tone=tone,
        block=None if basis is None else basis.block_number,
        block_at=None if basis is None else datetime.fromtimestamp(basis.block_at, UTC),
        anchored_at=verdict.anchored_at,
    )
