"""One lie for each thing that stops lies, so that each can be seen to be needed (`scripts/defences.py`).

And the judge itself is judged: verifiers that lack something, or never say anything, do not pass here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from eth_hash.auto import keccak

from anchor import evidence as evidence_module
from anchor import state_proof
from anchor.credential import Credential
from anchor.errors import NoEvidenceError
from anchor.evidence import Evidence, StorageProof
from anchor.ledger import client as client_module
from anchor.ledger import proofs as proofs_module
from anchor.ledger.answers import AccountProof, Block, read_hash, read_list, read_object, read_quantity
from anchor.model import BlockHeader, Hash32, Outcome, Policy, Verdict, Vouching
from anchor.state_proof import header_from_rpc
from anchor.verify import verify
from tests.lies import about_facts
from tests.lies import theatre as theatre_module
from tests.lies.every_kind import KINDS
from tests.lies.judge import WrongVerdictError
from tests.lies.kinds import Case, Kind, Scene
from tests.lies.node import HONEST, Lie
from tests.lies.theatre import NODES, Theatre, Verifier

SEEDS = range(12)
"""Each lie is told under different policies, to different effect."""


def tell(
    theatre: Theatre,
    situation: str,
    make: Callable[[Scene], Lie],
    verifier: Verifier = verify,
) -> None:
    """Tell a lie; raise `WrongVerdictError` if a verdict comes of it that must not be."""
    told = Kind(name="one lie", make=make)
    for seed in SEEDS:
        theatre.play(Case(kind=told, situation=situation, seed=seed, position=seed % 3), verifier)


def the_truth(_scene: Scene) -> Lie:
    return HONEST


def not_revoked(scene: Scene, way: Callable[[Scene, str, int], Lie]) -> Lie:
    """Forge a status word without revocations."""
    return way(scene, "revoked", 0)


not_revoked_in_the_header = partial(not_revoked, way=about_facts.up_to_the_header)


# What stops each. `tests/mutants/defences.toml` has the code to take away.


def test_lie_account_with_a_forged_storage_root(theatre: Theatre) -> None:
    tell(theatre, "revoked", partial(not_revoked, way=about_facts.up_to_the_state_root))


def test_lie_slot_with_a_forged_path(theatre: Theatre) -> None:
    tell(theatre, "revoked", partial(not_revoked, way=about_facts.up_to_the_storage_root))


def test_lie_contract_with_other_code_at_a_trusted_address(theatre: Theatre) -> None:
    tell(theatre, "at an impostor", the_truth)


def test_lie_batch_of_another_size(theatre: Theatre) -> None:
    tell(theatre, "wrong size", the_truth)


def test_lie_block_of_minutes_before_the_anchoring(theatre: Theatre) -> None:
    tell(theatre, "lately anchored", KINDS["old block: before the anchoring"].make)


def test_lie_invented_block_for_who_knows_the_hash(theatre: Theatre) -> None:
    tell(theatre, "revoked", KINDS["invented: one block, all hashed anew"].make)


def test_lie_block_of_days_before_the_revocation(theatre: Theatre) -> None:
    tell(theatre, "revoked", KINDS["old block: before the revocation"].make)


def test_lie_block_of_a_time_to_come(theatre: Theatre) -> None:
    tell(theatre, "not yet valid", KINDS["header: in the future, with its own hash"].make)


def test_lie_newest_block_as_final(theatre: Theatre) -> None:
    tell(theatre, "pending", KINDS["block tag: final too new"].make)
    case = Case(kind=KINDS["none: the truth"], situation="pending", seed=0, position=0)
    verdict = theatre.verdict_on_changed_evidence(
        case,
        theatre.policy(confirmations=case.confirmations),
        lambda given: replace(given, final_hash=given.block_hash, final_header=given.header),
    )
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "noEvidence")


def test_lie_anchoring_that_is_not_final(theatre: Theatre) -> None:
    tell(theatre, "pending", the_truth)


def test_lie_another_chain_with_the_same_addresses(theatre: Theatre) -> None:
    tell(theatre, "forged", KINDS["chain id: another chain with the same addresses"].make)


def test_lie_block_that_one_of_three_names(theatre: Theatre) -> None:
    tell(theatre, "forged", KINDS["invented: a whole chain"].make)


def test_lie_vouching_of_one_for_two(theatre: Theatre) -> None:
    case = Case(kind=KINDS["invented: a whole chain"], situation="forged", seed=0, position=0)
    verdict = theatre.verdict_on_changed_evidence(
        case,
        theatre.policy(confirmations=case.confirmations, vouching=Vouching.K_OF_N, agreeing=2),
        lambda given: replace(given, vouching=Vouching.K_OF_N, nodes_asked=NODES),
    )
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "unvouchedBlock")


# The judge.


def test_who_never_says_anything_does_not_pass(theatre: Theatre) -> None:
    def never(credential: Credential, evidence: Evidence, policy: Policy, now: int) -> Verdict:
        error = NoEvidenceError("who knows")
        return Verdict(outcome=Outcome.UNKNOWN, reason=error.reason, checks=(), error=error)

    with pytest.raises(WrongVerdictError, match="not right, though it could be: unknown"):
        tell(theatre, "valid", the_truth, never)
    with pytest.raises(WrongVerdictError, match="not right, though it could be: unknown"):
        tell(theatre, "revoked", about_facts_not_needed, never)


def about_facts_not_needed(scene: Scene) -> Lie:
    return about_facts.as_absent(scene, "did", 0)


def test_who_is_always_sure_does_not_pass(theatre: Theatre) -> None:
    def sure(credential: Credential, evidence: Evidence, policy: Policy, now: int) -> Verdict:
        return Verdict(outcome=Outcome.VALID, reason="", checks=())

    with pytest.raises(WrongVerdictError, match="wrong valid"):
        tell(theatre, "revoked", the_truth, sure)
    with pytest.raises(WrongVerdictError, match="wrong valid"):
        tell(theatre, "pending", the_truth, sure)


def test_who_believes_the_nodes_words_does_not_pass(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_stated(value: Any, slots: tuple[Hash32, ...]) -> AccountProof:
        stated = [read_quantity(entry["value"]) for entry in read_list(read_object(value)["storageProof"])]  # type: ignore[index]
        nodes = [word.to_bytes(32, "big") for word in stated]
        account = tuple(bytes.fromhex(node[2:]) for node in value["accountProof"])
        storage = tuple(StorageProof(slot=slot, nodes=(node,)) for slot, node in zip(slots, nodes, strict=True))
        return AccountProof(account_nodes=account, storage=storage)

    def believed(_root: Hash32, _slot: Hash32, nodes: tuple[bytes, ...]) -> int:
        return int.from_bytes(nodes[0], "big")

    for reader in (client_module, theatre_module):
        monkeypatch.setattr(reader, "read_account_proof", read_stated)
    for module in (evidence_module, proofs_module):
        monkeypatch.setattr(module, "check_storage", believed)
    tell(theatre, "valid", the_truth)
    with pytest.raises(WrongVerdictError, match="wrong valid"):
        tell(theatre, "revoked", partial(not_revoked, way=about_facts.only_stated))
    with pytest.raises(WrongVerdictError, match="wrong valid"):
        tell_all_of(theatre, "status word", "suspended")


def tell_all_of(theatre: Theatre, kind: str, situation: str) -> None:
    """Tell lies of a kind of the suite itself, as many as it does."""
    for seed in range(100):
        theatre.play(Case(kind=KINDS[kind], situation=situation, seed=seed, position=seed % 3))


def test_who_does_not_hash_headers_does_not_pass(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_nothing(header: bytes, block_hash: Hash32) -> BlockHeader:
        return replace(state_proof.check_header(header, Hash32(keccak(header))), hash=block_hash)

    def read_block_as_stated(value: Any) -> Block | None:
        if value is None:
            return None
        header = header_from_rpc(value)
        return Block(header=check_nothing(header, read_hash(value["hash"])), header_rlp=header, base_fee_wei=None)

    monkeypatch.setattr(client_module, "read_block", read_block_as_stated)
    monkeypatch.setattr(evidence_module, "check_header", check_nothing)
    tell(theatre, "valid", the_truth)
    with pytest.raises(WrongVerdictError, match="wrong valid"):
        tell(theatre, "revoked", not_revoked_in_the_header)
    with pytest.raises(WrongVerdictError, match="wrong valid"):
        tell_all_of(theatre, "status word", "revoked")


def test_who_does_not_wait_for_finality_does_not_pass(theatre: Theatre) -> None:
    def hasty(credential: Credential, evidence: Evidence, policy: Policy, now: int) -> Verdict:
        return verify(credential, evidence, replace(policy, confirmations=0), now)

    tell(theatre, "valid", the_truth, hasty)
    with pytest.raises(WrongVerdictError, match="wrong valid"):
        tell(theatre, "pending", the_truth, hasty)


def test_who_takes_blocks_of_any_age_does_not_pass(theatre: Theatre) -> None:
    def patient(credential: Credential, evidence: Evidence, policy: Policy, now: int) -> Verdict:
        return verify(credential, evidence, replace(policy, max_age_seconds=None), now)

    tell(theatre, "valid", the_truth, patient)
    with pytest.raises(WrongVerdictError, match="wrong valid"):
        tell(theatre, "revoked", KINDS["old block: before the revocation"].make, patient)
    with pytest.raises(WrongVerdictError, match="wrong invalid"):
        tell(theatre, "reinstated", KINDS["old block: during a suspension since lifted"].make, patient)
