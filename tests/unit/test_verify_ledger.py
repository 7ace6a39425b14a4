"""Steps 6 to 11, what the ledger says: for each what fails it, and that nothing else does (design section 7)."""

from typing import Any

import pytest

from anchor.evidence import Evidence
from anchor.model import CheckStatus, Outcome, StatusPosition, hash32
from anchor.status import StatusPurpose
from tests.support.verdicts import assert_invalid, assert_unknown, judge, statuses
from tests.support.world import DID, NOW, World, policy

# Step 6.


def test_batch_that_is_not_on_the_ledger_is_not_anchored() -> None:
    verdict = judge(World(anchored_at=0))
    assert_invalid(verdict, 6, "notAnchored")
    assert {statuses(verdict)[step] for step in range(7, 12)} == {CheckStatus.SKIPPED}
    assert verdict.anchored_at is None


def test_size_that_differs_from_the_anchored_one_is_tampered() -> None:
    assert_invalid(judge(World(anchored_size=6)), 6, "tampered")
    assert_invalid(judge(World(anchored_size=0)), 6, "tampered")


def test_anchoring_that_is_not_final_is_pending() -> None:
    assert judge(World(final_at=NOW - 999)).outcome is Outcome.VALID
    # A block of the same second may come before the anchoring: Arbitrum and anvil make several a second.
    assert_unknown(judge(World(final_at=NOW - 1_000)), {6}, "pending")


def test_finality_that_nobody_stated_or_that_is_too_new_is_unknown() -> None:
    assert_unknown(judge(World(final_number=None)), {6}, "noEvidence")
    assert_unknown(judge(World(final_number=101)), {6}, "noEvidence")
    assert_unknown(judge(World(final_number=98), rules=policy(confirmations=3)), {6}, "noEvidence")
    assert judge(World(final_number=97), rules=policy(confirmations=3)).outcome is Outcome.VALID
    assert_unknown(judge(World(), evidence=World().evidence(final_hash=hash32(b"x" * 32))), {6}, "badStateProof")


def test_final_block_of_a_later_time_than_the_evidence_is_unknown() -> None:
    assert_unknown(judge(World(final_at=NOW - 4)), {6}, "noEvidence")


def test_policy_without_confirmations_to_wait_for_needs_no_final_block() -> None:
    verdict = judge(World(final_number=None), rules=policy(confirmations=0))
    assert verdict.outcome is Outcome.VALID
    assert "takes the newest block as final" in verdict.checks[5].detail


def test_absence_from_a_block_that_is_not_quite_new_settles_nothing() -> None:
    for age, settled in ((120, True), (121, False)):
        verdict = judge(World(anchored_at=0, block_at=NOW - age))
        if settled:
            assert_invalid(verdict, 6, "notAnchored")
        else:
            assert_unknown(verdict, {6, 7, 8, 9, 10, 11}, "staleBlock")
            assert "it may have since" in str(verdict.error)
    # Whoever accepts any age asks what was so as of that block.
    old = World(anchored_at=0, block_at=NOW - 121)
    assert_invalid(judge(old, rules=policy(max_age_seconds=None)), 6, "notAnchored")
    # What this block has is settled by it.
    assert judge(World(block_at=NOW - 121)).outcome is Outcome.VALID


# Step 7.


def test_key_cut_off_at_or_before_the_anchoring_is_compromised() -> None:
    verdict = judge(World(compromised_at=NOW - 1_000))
    assert_invalid(verdict, 7, "keyCompromised")
    assert verdict.compromised_at == NOW - 1_000


def test_key_compromised_later_leaves_the_credential_valid_and_is_shown() -> None:
    verdict = judge(World(compromised_at=NOW - 999))
    assert verdict.outcome is Outcome.VALID
    assert verdict.compromised_at == NOW - 999
    assert "declared compromised from" in verdict.checks[6].detail


@pytest.mark.parametrize(
    ("key", "valid"),
    [
        ({"valid_from": NOW - 1_000}, True),
        ({"valid_from": NOW - 999}, False),
        ({"valid_until": NOW - 999}, True),
        ({"valid_until": NOW - 1_000}, False),
        ({"key_scope": 2}, False),
        ({"key_scope": 0}, False),
        ({"key_issuer": 8}, False),
        ({"key_issuer": 0}, False),
    ],
)
def test_key_must_be_the_issuers_for_anchoring_and_valid_then(key: dict[str, int], valid: bool) -> None:
    verdict = judge(World(**key))  # type: ignore[arg-type]  # a table of keyword arguments
    if valid:
        assert verdict.outcome is Outcome.VALID
    else:
        assert_invalid(verdict, 7, "keyNotValid")


# Step 8.


@pytest.mark.parametrize(
    ("issuer", "valid"),
    [
        ({"did": "did:web:other.example"}, False),
        ({"accredited_at": NOW - 999}, False),
        ({"accredited_at": NOW - 1_000}, True),
        ({"accredited_at": 1}, True),
        ({"accredited_at": 0}, False),
        ({"withdrawn_at": NOW - 1_000}, False),
        ({"withdrawn_at": NOW - 999}, True),
    ],
)
def test_issuer_must_be_the_one_named_and_accredited_then(issuer: dict[str, Any], valid: bool) -> None:
    verdict = judge(World(**issuer))
    if valid:
        assert verdict.outcome is Outcome.VALID
    else:
        assert_invalid(verdict, 8, "untrustedIssuer")


def test_denied_issuer_is_invalid_whatever_the_ledger_says() -> None:
    rules = policy(denied_issuers=frozenset({DID}))
    assert_invalid(judge(World(), rules=rules), 8, "untrustedIssuer")
    blind = judge(World(), rules=rules, evidence=Evidence())
    assert (blind.outcome, blind.reason) == (Outcome.INVALID, "untrustedIssuer")


# Steps 9 to 11.


def test_revoked_batch_is_invalid_until_a_later_status_epoch() -> None:
    assert_invalid(judge(World(batch_revoked=(1, 0))), 9, "batchRevoked")
    assert_invalid(judge(World(batch_revoked=(1, 2), status_epoch=2)), 9, "batchRevoked")
    assert judge(World(batch_revoked=(1, 1), status_epoch=2)).outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("purpose", "step", "reason"),
    [(StatusPurpose.REVOCATION, 10, "revoked"), (StatusPurpose.SUSPENSION, 11, "suspended")],
)
def test_status_bit_counts_in_the_issuers_epoch_only(purpose: StatusPurpose, step: int, reason: str) -> None:
    for epoch in (0, 3):
        world = World(status_epoch=epoch)
        world.set_bit(purpose, epoch=epoch)
        assert_invalid(judge(world), step, reason)
        other = World(status_epoch=epoch)
        other.set_bit(purpose, epoch=epoch + 1)
        assert judge(other).outcome is Outcome.VALID


def test_neighbours_bits_are_not_mine() -> None:
    world = World()
    for purpose in StatusPurpose:
        for index in (94_566, 94_568, 94_567 - 256, 94_567 + 256):
            world.set_bit(purpose, position=StatusPosition(status_list=0, index=index))
        world.set_bit(purpose, position=StatusPosition(status_list=1, index=94_567))
    assert judge(world).outcome is Outcome.VALID


def test_dates_beyond_the_calendar_are_shown_as_seconds() -> None:
    verdict = judge(World(compromised_at=2**40 - 1))
    assert verdict.outcome is Outcome.VALID
    assert f"second {2**40 - 1}" in verdict.checks[6].detail
