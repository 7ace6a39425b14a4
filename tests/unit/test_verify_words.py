"""What a verdict tells beyond valid, invalid, unknown: each step, what decided, what it rests on (design section 7)."""

import json
from dataclasses import replace

import pytest

from anchor.credential import parse_credential
from anchor.evidence import Evidence
from anchor.model import Basis, CheckStatus, KnownBlock, Outcome, Vouching, to_hex
from anchor.status import StatusPurpose
from anchor.steps import STEP_NAMES
from anchor.verify import verify
from tests.support.verdicts import assert_unknown, judge, statuses
from tests.support.world import DID, NODE, NOW, REGISTRY, World, policy

STEPS = (
    *("wellFormed", "statusEntries", "inclusion", "registryTrusted", "block", "anchored", "key", "issuer"),
    *("batchNotRevoked", "notRevoked", "notSuspended", "dates", "otherProofs"),
)


def test_steps_have_the_names_that_programs_know() -> None:
    assert STEP_NAMES == STEPS


def test_every_step_says_what_it_found() -> None:
    world = World()
    proof, credential = world.anchor_proof(), world.credential()
    leaf = credential.leaf(credential.requests[0])
    assert [check.detail for check in judge(world).checks] == [
        "the file is strict JSON and a credential",
        f"leaf {to_hex(leaf)}, status list 0, index 94567",
        f"leaf 2 of 5 leads to root {to_hex(proof.root)}",
        f"Test registry ({REGISTRY.to_text()}) is one that the policy trusts",
        f"block 100 of 2026-09-21 14:13:15 UTC, its hash on the word of one node, {NODE}",
        "anchored on 2026-09-21 13:56:40 UTC, which is final as of block 90",
        f"the key 0x{'11' * 20} was valid for anchoring",
        f"{DID} is issuer 7, accredited since 2026-09-21 11:26:40 UTC",
        "the batch is not revoked",
        "not revoked as of block 100",
        "not suspended as of block 100",
        "valid since 2026-01-01 00:00:00 UTC, without end",
        "the credential has no other proofs",
    ]
    assert {check.reason for check in judge(world).checks} == {""}


def test_what_is_not_the_usual_is_said_too() -> None:
    world = World(compromised_at=NOW - 999, content={"validUntil": "2027-01-01T00:00:00Z"})
    nameless = policy(registries=(replace(policy().registries[0], name=""),), confirmations=0)
    details = [check.detail for check in judge(world, rules=nameless).checks]
    assert details[3].startswith(f"the registry ({REGISTRY.to_text()})")
    assert details[5] == "anchored on 2026-09-21 13:56:40 UTC; the policy takes the newest block as final"
    assert details[6].endswith("; declared compromised from 2026-09-21 13:56:41 UTC on")
    assert details[11] == "valid since 2026-01-01 00:00:00 UTC, until 2027-01-01 00:00:00 UTC"


@pytest.mark.parametrize(
    ("vouching", "words"),
    [
        (Vouching.PINNED_HASH, "its hash known to the policy"),
        (Vouching.K_OF_N, "its hash agreed on by 2 of 3 nodes: one, two"),
        (Vouching.OWN_NODE, "its hash from your own node one, two"),
        (Vouching.ONE_NODE, "its hash on the word of one node, one, two"),
    ],
)
def test_verdict_says_what_vouches_for_the_block(vouching: Vouching, words: str) -> None:
    evidence = World().evidence(vouching=vouching, vouched_by=("one", "two"), nodes_asked=3)
    known = KnownBlock(chain_id=REGISTRY.chain_id, hash=evidence.registries[0].block_hash)
    rules = policy(vouching=vouching, known_blocks=frozenset({known}))
    verdict = judge(World(), rules=rules, evidence=evidence)
    assert verdict.checks[4].detail == f"block 100 of 2026-09-21 14:13:15 UTC, {words}"
    assert verdict.basis is not None
    assert verdict.basis.vouching is vouching


def test_verdict_names_credential_issuer_times_and_basis() -> None:
    world = World()
    verdict = judge(world)
    assert (verdict.credential_id, verdict.issuer_did) == (world.body()["id"], DID)
    assert (verdict.reason, verdict.error, verdict.compromised_at) == ("", None, None)
    assert verdict.anchored_at == NOW - 1_000
    assert verdict.basis == Basis(
        registry=REGISTRY,
        registry_name="Test registry",
        block_number=100,
        block_hash=world.registry_evidence().block_hash,
        block_at=NOW - 5,
        vouching=Vouching.ONE_NODE,
        vouched_by=(NODE,),
    )


def test_first_failure_decides_and_the_others_are_shown() -> None:
    world = World(key_scope=2, did="did:web:other.example", content={"validUntil": "2026-05-01T00:00:00Z"})
    world.set_bit(StatusPurpose.SUSPENSION)
    verdict = judge(world)
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "keyNotValid")
    failed = {check.step: check.reason for check in verdict.checks if check.status is CheckStatus.FAILED}
    assert failed == {7: "keyNotValid", 8: "untrustedIssuer", 11: "suspended", 12: "expired"}
    assert str(verdict.error) == verdict.checks[6].detail
    # A credential that is revoked, and by a wrong key: whoever reads the report learns both.
    assert {statuses(verdict)[step] for step in (6, 9, 10)} == {CheckStatus.PASSED}


def test_first_of_several_open_questions_is_named() -> None:
    world = World(final_number=None)
    proofs = tuple(replace(each, nodes=()) for each in world.registry_evidence().storage[3:])
    verdict = judge(world, evidence=world.evidence(storage=(*world.registry_evidence().storage[:3], *proofs)))
    assert_unknown(verdict, {6, 7, 10, 11}, "noEvidence")
    assert [check.reason for check in verdict.checks[5:11]] == [
        "noEvidence",
        "badStateProof",
        "",
        "",
        *["badStateProof"] * 2,
    ]


def test_failure_outweighs_an_open_question_that_came_first() -> None:
    world = World(final_number=None, batch_revoked=(1, 0))
    verdict = judge(world)
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "batchRevoked")
    assert statuses(verdict)[6] is CheckStatus.UNKNOWN


def test_credential_without_anchor_proof_is_judged_as_far_as_it_goes() -> None:
    world = World(content={"validUntil": "2026-05-01T00:00:00Z"})
    verdict = verify(world.credential(proof=[{"type": "Ed25519Signature2020"}]), Evidence(), policy(), NOW)
    shown = [(check.step, check.name, check.status.value, check.reason) for check in verdict.checks]
    skipped = [(step, STEPS[step - 1], "skipped", "") for step in range(4, 12)]
    assert shown == [
        (1, "wellFormed", "passed", ""),
        (2, "statusEntries", "skipped", ""),
        (3, "inclusion", "failed", "notAnchored"),
        *skipped,
        (12, "dates", "failed", "expired"),
        (13, "otherProofs", "notApplicable", ""),
    ]
    assert verdict.checks[1].detail == "not checked, for an earlier check failed"
    assert verdict.checks[12].detail == "not judged: Ed25519Signature2020"
    assert (verdict.outcome, verdict.reason, verdict.basis) == (Outcome.INVALID, "notAnchored", None)


def test_without_a_block_the_verifiers_clock_alone_counts() -> None:
    world = World(content={"validFrom": "2026-09-21T14:13:21Z"})  # a second after NOW
    verdict = verify(world.credential(proof=[]), Evidence(), policy(), NOW)
    assert [check.reason for check in verdict.checks if check.reason] == ["notAnchored", "notYetValid"]
    later = verify(world.credential(proof=[]), Evidence(), policy(), NOW + 1)
    assert [check.reason for check in later.checks if check.reason] == ["notAnchored"]


def test_newest_block_may_be_the_final_one() -> None:
    assert judge(World(final_number=100, final_at=NOW - 5)).outcome is Outcome.VALID


def test_whom_to_ask_is_what_the_issuer_says_of_itself() -> None:
    issuer = {"id": DID, "name": "College", "url": "https://college.example", "email": "registrar@college.example"}
    full = parse_credential(_text(World(content={"issuer": issuer})))
    assert full.contact == "College · https://college.example · registrar@college.example"
    part = parse_credential(_text(World(content={"issuer": {**issuer, "name": None, "url": ["x"]}})))
    assert part.contact == "registrar@college.example"


def _text(world: World) -> bytes:
    return json.dumps(world.document()).encode()
