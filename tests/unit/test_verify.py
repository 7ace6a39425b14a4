"""The verdict, and steps 1 to 5, 12, 13: for each what fails it, what makes it unknown, and that nothing else does."""

import json
import sys
from dataclasses import replace
from typing import Any

import pytest

from anchor.batch_steps import BatchClaim, BatchSteps
from anchor.credential import parse_credential
from anchor.errors import RevokedError, StaleBlockError
from anchor.evidence import Evidence
from anchor.model import CheckStatus, Outcome, RegistryId, StatusPosition, Verdict, Vouching, address, hash32
from anchor.proof import anchor_proof_member
from anchor.steps import STEP_NAMES
from anchor.verify import Verifier, verify
from tests.support.verdicts import LEDGER_STEPS, assert_invalid, assert_unknown, judge, statuses
from tests.support.world import CODE_HASH, DID, NOW, REGISTRY, World, policy


def test_valid_credential_passes_all_steps_and_says_what_it_rests_on() -> None:
    verdict = judge(World())
    assert verdict.outcome is Outcome.VALID
    assert type(verdict.checks) is tuple
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


def test_what_the_ledger_says_of_a_batch_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found_out = []

    class Counted(BatchSteps):
        def __init__(self, claim: BatchClaim, *arguments: Any) -> None:
            super().__init__(claim, *arguments)
            found_out.append(claim)

    monkeypatch.setattr(sys.modules[Verifier.__module__], "BatchSteps", Counted)
    world, other = World(), World(size=6)
    verifier = Verifier(world.evidence(), policy(), NOW)
    assert verifier.verify(world.credential()) == verifier.verify(world.credential())
    assert len(found_out) == 1
    verifier.verify(other.credential())
    assert [claim.size for claim in found_out] == [5, 6]


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


def test_policy_pins_each_registry_by_chain_and_address() -> None:
    elsewhere = RegistryId(chain_id=31337, address=address(b"\x01" * 20))
    rules = policy(registries=tuple(replace(pin, registry=elsewhere) for pin in policy().registries))
    assert judge(World(), rules=rules).reason == "untrustedRegistry"
    assert policy().registries[0].code_hash == CODE_HASH


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
