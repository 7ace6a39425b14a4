"""Reports of audits, of histories that the contract's model writes."""

from __future__ import annotations

from typing import Final

from anchor.activity import activity_of
from anchor.cli.audit_html import report_pieces
from anchor.cli.audit_sections import AuditReport
from anchor.cli.audit_tables import SHOWN_ROWS
from anchor.cli.wording import wording_of
from anchor.model import Basis, Vouching, hash32
from tests.support.history import (
    ACCREDITOR_ROLE,
    REGISTRY,
    Call,
    accredited,
    anchored,
    batch_revoked,
    control_accepted,
    control_offered,
    deployed,
    key_added,
    key_compromised,
    key_retired,
    nonces_cancelled,
    role_changed,
    status_changed,
    withdrawn,
)
from tests.support.stories import (
    ANCHOR_KEY,
    CONTROLLER,
    NEW_ANCHOR_KEY,
    NEWCOMER,
    OTHER,
    OTHER_KEY,
    REINSTATED,
    REVOKED,
    SECOND_ANCHOR_KEY,
    STAGED_KEY,
    STATUS_KEY,
    SWITCHED,
    replayed,
)

HOSTILE_DID: Final = "did:web:x.example</bdi><script>alert(1)</script>\u202e"
RTL_DID: Final = "did:web:" + "שלום" * 40 + ".example"
NOW: Final = 40_000_000

EMPTY: Final = deployed()
EVENTFUL: Final = (
    *SWITCHED,
    NEW_ANCHOR_KEY,
    anchored(1, b"\x09" * 32, size=0, actor=ANCHOR_KEY, at=3000, block=21),
    anchored(2, b"\x0a" * 32, size=1200, actor=OTHER_KEY, at=30_000_000, block=41),
    accredited(3, HOSTILE_DID, controller=NEWCOMER, at=30_000_100, block=42),
    accredited(4, RTL_DID, controller=NEWCOMER, at=30_000_100, block=42),
    control_offered(2, NEWCOMER, actor=OTHER, at=30_000_200, block=43),
    control_offered(2, bytes(20), actor=OTHER, at=30_000_201, block=44),
    control_offered(2, NEWCOMER, actor=OTHER, at=30_000_202, block=45),
    control_accepted(2, NEWCOMER, at=30_000_300, block=46),
    nonces_cancelled(2, OTHER_KEY, 5, actor=NEWCOMER, at=30_000_301, block=47),
    status_changed(REVOKED, 1, [0, 1], [0b1000, (1 << 9) - 1], actor=STAGED_KEY, at=30_000_400, block=48, epoch=1),
    status_changed("CredentialsSuspended", 1, [3], [1], actor=STAGED_KEY, at=30_000_401, block=49, epoch=1),
    status_changed(REINSTATED, 1, [3], [1], actor=STAGED_KEY, at=30_000_402, block=50, epoch=1),
    batch_revoked(1, b"\x09" * 32, actor=STAGED_KEY, at=30_000_500, block=51, epoch=1, reason=5),
    withdrawn(2, 31_000_000, at=30_000_600, block=52),
    role_changed(b"\x77" * 32, NEWCOMER, at=30_000_700, block=53),
    role_changed(ACCREDITOR_ROLE, NEWCOMER, at=30_000_701, block=54),
    role_changed(ACCREDITOR_ROLE, NEWCOMER, granted=False, at=30_000_702, block=55),
    key_retired(1, SECOND_ANCHOR_KEY, actor=CONTROLLER, at=NOW, block=60),
)
"""Nearly everything that can happen; two institutions with names that no page may obey."""


def two_years() -> tuple[Call, ...]:
    """A college that issues each month for two years, revokes now and then, and loses a key; for a picture."""
    start, month = 1_709_251_200, 30 * 86_400  # 2024-03-01
    calls = [
        *deployed(at=start, block=1),
        accredited(1, "did:web:college.example", controller=CONTROLLER, at=start, block=2),
        accredited(2, "did:web:institut.example", controller=OTHER, at=start, block=2),
        key_added(1, ANCHOR_KEY, 1, actor=CONTROLLER, at=start, block=3),
        key_added(1, STATUS_KEY, 2, actor=CONTROLLER, at=start, block=3),
        key_added(2, OTHER_KEY, 1, actor=OTHER, at=start, block=3),
    ]
    for number in range(24):
        at, block = start + number * month + 86_400, 10 + 10 * number
        key = ANCHOR_KEY if number < 16 else SECOND_ANCHOR_KEY
        size = (240, 410, 130, 90, 520, 760, 180, 220, 340, 480, 90, 60)[number % 12] + 10 * number
        if number == 16:
            since = at - month // 2
            calls.append(anchored(1, b"\x66" * 32, size=25, actor=ANCHOR_KEY, at=at - 86_300, block=block - 2))
            calls.append(key_added(1, SECOND_ANCHOR_KEY, 1, actor=CONTROLLER, at=at - 2, block=block - 1))
            calls.append(key_compromised(1, ANCHOR_KEY, since, actor=CONTROLLER, at=at - 2, block=block - 1))
        calls.append(anchored(1, bytes([number + 1] * 32), size=size, actor=key, at=at, block=block))
        if number % 3 == 1:
            mask = (1 << number % 7 + 1) - 1 << 11 * (number % 20)
            reason = (1, 5, 4, 6)[number % 4]
            calls.append(
                status_changed(
                    REVOKED, 1, [number], [mask], actor=STATUS_KEY, at=at + 9, block=block + 1, reason=reason
                )
            )
        if number % 4 == 2:
            for event, mask, later in (("CredentialsSuspended", 0b111, 2), (REINSTATED, 0b11, 3)):
                when = {"at": at + 99 * later, "block": block + later}
                calls.append(status_changed(event, 1, [number], [mask], actor=STATUS_KEY, **when))
        if number % 5 == 4:
            calls.append(
                anchored(2, bytes([number + 101] * 32), size=number * 9, actor=OTHER_KEY, at=at + 999, block=block + 4)
            )
    return tuple(calls)


def made(
    calls: tuple[Call, ...], *, did: str | None = None, at: int = NOW, vouching: Vouching = Vouching.ONE_NODE
) -> AuditReport:
    """Give what a report shows of a history."""
    history = replayed(*calls)
    basis = Basis(
        registry=REGISTRY,
        block_number=1234,
        block_hash=hash32(b"\xbb" * 32),
        block_at=at,
        vouching=vouching,
        vouched_by=("https://one.example", "https://two.example"),
        nodes_asked=3,
        registry_name="New Brunswick",
    )
    return AuditReport(
        history=history,
        activity=activity_of(history, did=did, last=SHOWN_ROWS),
        basis=basis,
        code_hash=hash32(b"\xc0" * 32),
        made_at=at + 60,
        did=did,
    )


def report_of(calls: tuple[Call, ...], language: str = "en", **options: str | int | None) -> str:
    """Give the report of a history as HTML."""
    return "".join(report_pieces(made(calls, **options), wording_of(language)))  # type: ignore[arg-type]


def many(count: int) -> tuple[Call, ...]:
    """A registry of many institutions, each with a key and a batch."""
    calls = list(deployed())
    for number in range(1, count + 1):
        controller, key, at = number.to_bytes(20, "big"), (number + 2**32).to_bytes(20, "big"), 1000 + number * 90_000
        calls += [
            accredited(number, f"did:web:college-{number}.example", controller=controller, at=at, block=number + 1),
            key_added(number, key, 1, actor=controller, at=at, block=number + 1),
            anchored(number, number.to_bytes(32, "big"), size=number, actor=key, at=at, block=number + 1),
        ]
    return tuple(calls)
