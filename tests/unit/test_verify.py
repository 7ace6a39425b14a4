"""Thirteen steps: for each what fails it, what makes it unknown, and that nothing else does (design section 7)."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_hash.auto import keccak

from anchor import evidence as slots
from anchor.credential import parse_credential
from anchor.errors import RevokedError, StaleBlockError, UndeterminedError, VerificationError
from anchor.evidence import Evidence
from anchor.model import (
    CheckStatus,
    Hash32,
    Outcome,
    Policy,
    RegistryId,
    StatusPosition,
    Verdict,
    Vouching,
    address,
    hash32,
)
from anchor.proof import anchor_proof_member
from anchor.status import StatusPurpose
from anchor.verify import STEP_NAMES, verify
from tests.support.world import CODE_HASH, DID, ISSUER_ID, KEY, NOW, REGISTRY, World, policy

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


def test_valid_credential_passes_all_steps_and_says_what_it_rests_on() -> None:
    verdict = judge(World())
    assert verdict.outcome is Outcome.VALID
    assert [check.step for check in verdict.checks] == list(range(1, 14))
    assert tuple(check.name for check in verdict.checks) == STEP_NAMES
    assert set(statuses(verdict).values()) == {CheckStatus.PASSED, CheckStatus.NOT_APPLICABLE}
    assert verdict.anchored_at == NOW - 1_000
    assert verdict.basis is not None
    assert verdict.basis.block_number == 100
    assert verdict.basis.vouched_by == ("http://127.0.0.1:8545",)
    assert verdict.contact == "Borealis College · https://college.example"
    verdict.require_valid()


@pytest.mark.parametrize("size", [1, 2, 3, 8, 1000])
def test_batches_of_any_size_verify(size: int) -> None:
    assert judge(World(size=size, leaf_index=size - 1)).outcome is Outcome.VALID


def test_verdict_is_not_true_or_false() -> None:
    with pytest.raises(TypeError, match="not true or false"):
        bool(judge(World()))


def test_verdict_cannot_be_valid_with_an_error() -> None:
    for error, outcome in ((RevokedError("x"), Outcome.VALID), (None, Outcome.INVALID)):
        with pytest.raises(ValueError, match="nothing speaks against it"):
            Verdict(outcome=outcome, reason="", checks=(), error=error)


# Step 2 and 3: what is tampered with.


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Data literacy!"},
        {"issuer": {"id": DID, "type": ["Profile"], "name": "Boreal College"}},
        {"validFrom": "2025-01-01T00:00:00Z"},
        {"added": None},
        {"id": "urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b12"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_changed_content_is_tampered(change: dict[str, Any]) -> None:
    world = World()
    verdict = verify(world.credential(**change), world.evidence(), policy(), NOW)
    assert_invalid(verdict, 3, "tampered")
    assert {statuses(verdict)[step] for step in range(4, 12)} == {CheckStatus.SKIPPED}


def test_white_space_and_member_order_are_not_content() -> None:
    world = World()
    text = json.dumps(dict(reversed(world.document().items())), indent=4)
    assert verify(parse_credential(text.encode()), world.evidence(), policy(), NOW).outcome is Outcome.VALID


def test_another_credentials_salt_or_position_is_tampered() -> None:
    world = World()
    proof = replace(world.anchor_proof(), salt=hash32(b"t" * 32))
    assert_invalid(
        verify(world.credential(proof=[anchor_proof_member(proof)]), world.evidence(), policy(), NOW), 3, "tampered"
    )
    moved = World(position=StatusPosition(status_list=0, index=1)).body()["credentialStatus"]
    assert_invalid(verify(world.credential(credentialStatus=moved), world.evidence(), policy(), NOW), 3, "tampered")


def test_missing_proof_is_not_anchored() -> None:
    world = World()
    verdict = verify(world.credential(proof=[]), Evidence(), policy(), NOW)
    assert_invalid(verdict, 3, "notAnchored")
    assert verdict.basis is None


# Step 4 and 5: no fact of the ledger may be used.


def test_unknown_registry_is_unknown() -> None:
    assert_unknown(judge(World(), rules=policy(registries=())), {4, *range(5, 12)}, "untrustedRegistry")


def test_no_evidence_is_unknown_and_says_why() -> None:
    missing = Evidence(missing=((REGISTRY, "the node does not answer"),))
    verdict = judge(World(), evidence=missing)
    assert_unknown(verdict, {5, *LEDGER_STEPS}, "noEvidence")
    assert str(verdict.error) == "the node does not answer"
    other = RegistryId(chain_id=1, address=REGISTRY.address)
    assert_unknown(judge(World(), evidence=Evidence(missing=((other, "x"),))), {5, *LEDGER_STEPS}, "noEvidence")


def test_block_not_vouched_for_as_the_policy_wants_is_unknown() -> None:
    for vouching in Vouching:
        verdict = judge(World(), evidence=World().evidence(vouching=vouching))
        if vouching is Vouching.ONE_NODE:
            assert verdict.outcome is Outcome.VALID
        else:
            assert_unknown(verdict, {5, *LEDGER_STEPS}, "unvouchedBlock")


def test_header_that_does_not_hash_to_the_vouched_hash_is_unknown() -> None:
    verdict = judge(World(), evidence=World().evidence(block_hash=hash32(b"x" * 32)))
    assert_unknown(verdict, {5, *LEDGER_STEPS}, "badStateProof")


@pytest.mark.parametrize(
    ("block_at", "fresh"),
    [(NOW - 3600, True), (NOW - 3601, False), (NOW, True), (NOW + 60, True), (NOW + 61, False)],
)
def test_old_and_future_blocks_are_unknown(block_at: int, fresh: bool) -> None:
    verdict = judge(World(block_at=block_at, final_at=min(block_at, NOW - 500), anchored_at=NOW - 4_000))
    if fresh:
        assert verdict.outcome is Outcome.VALID
    else:
        assert_unknown(verdict, {5, *LEDGER_STEPS}, "staleBlock")
        assert verdict.basis is not None
        assert isinstance(verdict.error, StaleBlockError)


def test_policy_without_maximal_age_takes_old_blocks_but_none_from_the_future() -> None:
    rules = policy(max_age_seconds=None)
    assert judge(World(block_at=NOW - 900, final_at=NOW - 900), rules=rules, now=NOW + 10**8).outcome is Outcome.VALID
    assert judge(World(block_at=NOW + 61), rules=rules).reason == "staleBlock"


def test_absent_contract_or_other_code_is_unknown() -> None:
    assert_unknown(judge(World(account_exists=False)), {5, *LEDGER_STEPS}, "wrongCode")
    assert_unknown(judge(World(code_hash=hash32(b"x" * 32))), {5, *LEDGER_STEPS}, "wrongCode")


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


# Step 12 and 13.


@pytest.mark.parametrize(
    ("member", "text", "reason"),
    [
        ("validFrom", "2026-09-21T14:13:21Z", "notYetValid"),
        ("validFrom", "2026-09-21T14:13:20Z", None),
        ("validUntil", "2026-09-21T14:13:20Z", "expired"),
        ("validUntil", "2026-09-21T14:13:21Z", None),
    ],
)
def test_dates_are_half_open(member: str, text: str, reason: str | None) -> None:
    verdict = judge(World(content={member: text}))  # NOW is 2026-09-21T14:13:20Z
    if reason is None:
        assert verdict.outcome is Outcome.VALID
    else:
        assert_invalid(verdict, 12, reason)


def test_slow_clock_does_not_make_a_credential_not_yet_valid() -> None:
    world = World(content={"validFrom": "2026-09-21T14:13:15Z"}, block_at=NOW - 5)
    assert judge(world, now=NOW - 60).outcome is Outcome.VALID
    # By two hours, the block is from the future: unknown, and not invalid.
    assert_unknown(judge(world, now=NOW - 7_200), {5, *LEDGER_STEPS}, "staleBlock")


def test_credential_without_dates_has_no_limits() -> None:
    assert judge(_Undated()).checks[11].detail == "no start stated, without end"


class _Undated(World):
    def body(self) -> dict[str, Any]:
        return {name: member for name, member in super().body().items() if name != "validFrom"}


def test_other_proofs_are_named_and_do_not_count() -> None:
    world = World()
    proofs = [{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"}, *world.document()["proof"]]
    verdict = verify(world.credential(proof=proofs), world.evidence(), policy(), NOW)
    assert verdict.outcome is Outcome.VALID
    assert verdict.checks[12].detail == "not judged: eddsa-rdfc-2022"


# What is missing or broken in the evidence.


def without(world: World, slot: Hash32) -> Evidence:
    kept = tuple(each for each in world.registry_evidence().storage if each.slot != slot)
    return world.evidence(storage=kept)


def broken(world: World, slot: Hash32) -> Evidence:
    proofs = world.registry_evidence().storage
    return world.evidence(storage=tuple(replace(each, nodes=()) if each.slot == slot else each for each in proofs))


WORLD = World()
ROOT = Hash32(WORLD.levels()[-1])
SLOT_STEPS = {
    "issuer": (slots.issuer_slot(ISSUER_ID), {8, 9, 10, 11}),
    "did": (slots.did_hash_slot(ISSUER_ID), {8}),
    "batch": (slots.batch_slot(ISSUER_ID, ROOT), {6, 7, 8, 9}),
    "key": (slots.key_slot(KEY), {7}),
    "revoked": (slots.word_slot(StatusPurpose.REVOCATION, ISSUER_ID, 0, 0, 94_567 >> 8), {10}),
    "suspended": (slots.word_slot(StatusPurpose.SUSPENSION, ISSUER_ID, 0, 0, 94_567 >> 8), {11}),
}


@pytest.mark.parametrize("name", SLOT_STEPS)
@pytest.mark.parametrize(("spoil", "reason"), [(without, "noEvidence"), (broken, "badStateProof")])
def test_each_fact_that_is_not_proven_makes_its_steps_unknown(
    name: str, spoil: Callable[[World, Hash32], Evidence], reason: str
) -> None:
    slot, steps = SLOT_STEPS[name]
    assert_unknown(judge(WORLD, evidence=spoil(WORLD, slot)), steps, reason)


@pytest.mark.parametrize("name", ["did", "key", "revoked", "suspended"])
def test_facts_that_are_not_needed_do_not_spoil_a_verdict(name: str) -> None:
    world = World(batch_revoked=(1, 0))
    verdict = judge(world, evidence=broken(world, SLOT_STEPS[name][0]))
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "batchRevoked")


def test_broken_proofs_of_slots_nobody_asks_for_do_not_count() -> None:
    proofs = WORLD.registry_evidence().storage
    stray = replace(proofs[0], slot=hash32(keccak(b"stray")), nodes=(b"junk",))
    assert judge(WORLD, evidence=WORLD.evidence(storage=(*proofs, stray))).outcome is Outcome.VALID


# Several anchor proofs.


def test_one_proof_that_passes_suffices() -> None:
    world = World()
    good = world.anchor_proof()
    bad = replace(good, salt=hash32(b"t" * 32))
    for proofs in ((good, bad), (bad, good)):
        credential = world.credential(proof=[anchor_proof_member(each) for each in proofs])
        assert verify(credential, world.evidence(), policy(), NOW).outcome is Outcome.VALID


def test_proof_that_might_still_pass_outweighs_one_that_failed() -> None:
    world = World()
    good = world.anchor_proof()
    bad = replace(good, salt=hash32(b"t" * 32))
    credential = world.credential(proof=[anchor_proof_member(each) for each in (bad, good)])
    assert verify(credential, Evidence(), policy(), NOW).outcome is Outcome.UNKNOWN
    both_bad = world.credential(proof=[anchor_proof_member(bad)] * 2)
    assert verify(both_bad, Evidence(), policy(), NOW).outcome is Outcome.INVALID


def test_dates_beyond_the_calendar_are_shown_as_seconds() -> None:
    verdict = judge(World(compromised_at=2**40 - 1))
    assert verdict.outcome is Outcome.VALID
    assert f"second {2**40 - 1}" in verdict.checks[6].detail


def test_policy_pins_each_registry_by_chain_and_address() -> None:
    elsewhere = RegistryId(chain_id=31337, address=address(b"\x01" * 20))
    rules = policy(registries=tuple(replace(pin, registry=elsewhere) for pin in policy().registries))
    assert judge(World(), rules=rules).reason == "untrustedRegistry"
    assert policy().registries[0].code_hash == CODE_HASH
