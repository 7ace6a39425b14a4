"""Small histories that the tests of replay and audit go on from."""

from __future__ import annotations

from typing import Any

import pytest

from anchor.errors import HistoryError
from anchor.history import History
from anchor.replay import replay
from tests.support.history import (
    REGISTRY,
    Call,
    accredited,
    anchored,
    batch_revoked,
    chain,
    deployed,
    epochs_changed,
    key_added,
    key_compromised,
    status_changed,
    withdrawn,
)

REVOKED, SUSPENDED, REINSTATED = "CredentialsRevoked", "CredentialsSuspended", "CredentialsReinstated"

CONTROLLER, OTHER, NEWCOMER = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20
ANCHOR_KEY, STATUS_KEY, OTHER_KEY = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
SECOND_ANCHOR_KEY, STAGED_KEY = b"\x0d" * 20, b"\x0e" * 20
ROOT, SECOND_ROOT = b"\x07" * 32, b"\x08" * 32

BEGINNING = (
    *deployed(at=50, block=0),
    accredited(1, "did:web:one.example", controller=CONTROLLER, at=100, block=1),
    accredited(2, "did:web:two.example", controller=OTHER, at=100, block=1),
    key_added(1, ANCHOR_KEY, 1, actor=CONTROLLER, at=200, block=2),
    key_added(1, STATUS_KEY, 2, actor=CONTROLLER, at=200, block=2),
    key_added(2, OTHER_KEY, 1, actor=OTHER, at=300, block=3, valid_from=1000),
)
"""Two issuers and their keys; up to time 300, block 3."""

STORY = (
    *BEGINNING,
    anchored(1, ROOT, size=500, actor=ANCHOR_KEY, at=400, block=4),
    status_changed(REVOKED, 1, [0, 2], [0b101, 1 << 255], actor=STATUS_KEY, at=500, block=5, reason=1),
    status_changed(SUSPENDED, 1, [0], [0b110], actor=STATUS_KEY, at=600, block=6, reason=2),
    status_changed(REINSTATED, 1, [0], [0b010], actor=STATUS_KEY, at=700, block=7, reason=3),
    status_changed(SUSPENDED, 1, [0], [0b010], actor=STATUS_KEY, at=800, block=8, status_list=5),
)
"""A batch and changes of status; up to time 800, block 8."""

STAGED = (
    *STORY,
    batch_revoked(1, ROOT, actor=STATUS_KEY, at=900, block=9, reason=5),
    key_added(1, STAGED_KEY, 2, actor=CONTROLLER, at=1000, block=10, epoch=1),
    status_changed(REVOKED, 1, [0], [0b100], actor=STAGED_KEY, at=1100, block=11, epoch=1),
    status_changed(SUSPENDED, 1, [0], [0b001], actor=STAGED_KEY, at=1100, block=11, epoch=1),
)
"""The batch revoked, and the next status epoch staged; up to time 1100, block 11."""

LATER: dict[str, Any] = {"at": 2000, "block": 20}
"""When it goes on."""


def by_controller(**changes: Any) -> dict[str, Any]:
    """Say that the first issuer's controller goes on with a story."""
    return {"actor": CONTROLLER, **LATER, **changes}


def revoked_alone(bit: int, *, actor: bytes = STATUS_KEY, epoch: int = 0, at: int = 2000, block: int = 20) -> Call:
    """Go on with the revocation of one credential that no story touches."""
    return status_changed(REVOKED, 1, [100], [1 << bit], actor=actor, epoch=epoch, at=at, block=block)


NEW_ANCHOR_KEY = key_added(1, SECOND_ANCHOR_KEY, 1, **by_controller())
COMPROMISED = key_compromised(1, STATUS_KEY, 550, **by_controller())

SWITCHED = (*STAGED, COMPROMISED, epochs_changed(1, 1, 2, **by_controller()))
"""The status key is stolen, and the staged epoch becomes the current one."""

SKIPPED = (
    *STAGED,
    key_compromised(1, STAGED_KEY, 1000, **by_controller()),
    epochs_changed(1, 0, 2, **by_controller()),
)
"""The staged key is stolen, and its epoch will never count."""

ENDED = (*STORY, withdrawn(1, 2000, at=1500, block=15))
"""The first issuer's accreditation ends when the story goes on."""

VOID = (*STORY, key_compromised(1, ANCHOR_KEY, 400, **by_controller()), NEW_ANCHOR_KEY)
"""The batch is void, and there is a key to anchor it again."""


def replayed(*calls: Call) -> History:
    """Replay what the contract would have logged of these calls."""
    logs, _ = chain(calls)
    return replay(logs, REGISTRY)


def assert_refused(calls: list[Call] | tuple[Call, ...], why: str) -> None:
    """Check that the last event, and no earlier one, is refused."""
    logs, _ = chain(calls)
    with pytest.raises(HistoryError, match=why) as caught:
        replay(logs, REGISTRY)
    assert str(caught.value).startswith(f"{logs[-1].place}: ")
