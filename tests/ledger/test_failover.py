"""Evidence from several nodes: whatever one of them does, the next one's proofs count."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchor.credential import parse_credential
from anchor.errors import (
    NoEvidenceError,
    PolicyFormatError,
    StateProofError,
    WrongCodeError,
)
from anchor.evidence import LedgerState, RegistryEvidence
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_evidence
from anchor.ledger.testnet import CHAIN_ID
from anchor.model import KnownBlock, Outcome, RegistryId, Vouching, address
from anchor.status import StatusPurpose
from anchor.verify import verify
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, Chain, root_of
from tests.ledger.nodes import clients, invented_chain, lagging, only, panel_of, proxies
from tests.ledger.proxy import Fault, FaultProxy
from tests.support.issuing import make_batch


def junk_account(result: dict[str, Any]) -> Any:
    return {**result, "accountProof": ["0x00"]}


def no_account(result: dict[str, Any]) -> Any:
    """As if there were no contract: the proof of another account, which is absent."""
    return {**result, "accountProof": result["accountProof"][:1]}


def junk_slots(result: dict[str, Any]) -> Any:
    return {**result, "storageProof": [{**entry, "proof": ["0xc0"]} for entry in result["storageProof"]]}


def one_junk_slot(result: dict[str, Any]) -> Any:
    first, *others = result["storageProof"]
    return {**result, "storageProof": [{**first, "proof": first["proof"][:-1]}, *others]}


def swapped_slots(result: dict[str, Any]) -> Any:
    """Each slot with the next one's proof; a single one with none."""
    entries = result["storageProof"]
    proofs = [*(entry["proof"] for entry in entries[1:]), []]
    return {
        **result,
        "storageProof": [{**entry, "proof": proof} for entry, proof in zip(entries, proofs, strict=True)],
    }


def fewer_slots(result: dict[str, Any]) -> Any:
    return {**result, "storageProof": result["storageProof"][1:]}


LIES = (junk_account, no_account, junk_slots, one_junk_slot, swapped_slots, fewer_slots)


@pytest.fixture
def two(chain: Chain) -> Iterator[list[FaultProxy]]:
    with proxies(chain.url, 2) as nodes:
        yield nodes


def spoil(node: FaultProxy, how: Any, *, from_question: int = 0) -> None:
    """Let a node lie, or fail, in its proofs from some question on."""
    if isinstance(how, Fault):
        node.rule = lambda method, count: how if method == "eth_getProof" and count >= from_question else None
    elif isinstance(how, str):
        node.refuse = lambda method, _: how if method == "eth_getProof" and node.count(method) > from_question else None
    else:
        node.change = lambda method, result: (
            how(result) if method == "eth_getProof" and node.count(method) > from_question else result
        )


def values_of(evidence: RegistryEvidence) -> dict[bytes, int]:
    state = LedgerState(evidence)
    return {proof.slot: state.value(proof.slot) for proof in evidence.storage}


SPOILT = [*LIES, Fault.DROP_BEFORE, Fault.ERROR_500_BEFORE, Fault.NULL, Fault.NO_OBJECT, Fault.GARBAGE, "no such block"]


@pytest.mark.parametrize("from_question", [0, 1])
@pytest.mark.parametrize("how", SPOILT, ids=lambda how: getattr(how, "__name__", str(how)))
def test_what_one_node_spoils_another_proves(chain: Chain, two: list[FaultProxy], how: Any, from_question: int) -> None:
    chain.anchor(7)
    chain.execute(STATUS_KEY, chain.revoke_call([0], [1 << 3]))
    requests = [chain.request(7, index=index) for index in (3, 400)]
    honest = only(collect_evidence([chain.client], requests, chain.policy()))
    spoil(two[0], how, from_question=from_question)

    found = only(collect_evidence(clients(two), requests, chain.policy()))

    assert values_of(found) == values_of(honest)
    assert replace(found, vouched_by=honest.vouched_by, storage=honest.storage) == honest
    assert found.vouched_by == (two[0].url,)
    assert two[1].count("eth_getProof") >= 1


@pytest.mark.parametrize("how", SPOILT, ids=lambda how: getattr(how, "__name__", str(how)))
def test_what_all_nodes_spoil_is_told_with_who_did_what(chain: Chain, two: list[FaultProxy], how: Any) -> None:
    chain.anchor(7)
    spoil(two[0], how)
    spoil(two[1], Fault.ERROR_500_BEFORE)
    evidence = collect_evidence(clients(two), [chain.request(7)], chain.policy())
    if how in {junk_account, junk_slots, one_junk_slot, swapped_slots, no_account}:
        (found,) = evidence.registries
        with pytest.raises((StateProofError, WrongCodeError)):
            read_everything(chain, LedgerState(found))
        return
    reason = dict(evidence.missing)[chain.registry]
    assert (
        reason.startswith(f"the node {two[0].url} ") or f"; the node {two[0].url} " in reason or "connection" in reason
    )
    assert f"the node {two[1].url} answered" in reason
    assert "HTTP status 500" in reason


def read_everything(chain: Chain, state: LedgerState) -> None:
    state.check_code(chain.policy().registries[0])
    values_of(state.evidence)


def test_a_proof_that_is_missing_at_last_says_why(chain: Chain, two: list[FaultProxy]) -> None:
    chain.anchor(7)
    for node in two:
        spoil(node, Fault.ERROR_500_BEFORE, from_question=1)
    found = only(collect_evidence(clients(two[:1]), [chain.request(7)], chain.policy()))
    state = LedgerState(found)
    batch = state.batch(chain.issuer_id, root_of(7))
    with pytest.raises(
        NoEvidenceError, match=f"for a fact that is needed: the node {two[0].url} answered eth_getProof"
    ):
        state.key(batch.key)
    assert not state.bit(StatusPurpose.REVOCATION, chain.issuer_id, 0, chain.request(7).position)


def test_no_further_node_is_asked_when_time_is_up(
    chain: Chain, two: list[FaultProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anchor.ledger.proofs._BUDGET_SECONDS", -1.0)
    only(collect_evidence(clients(two), [chain.request(7)], chain.policy()))
    spoil(two[0], Fault.ERROR_500_BEFORE)
    evidence = collect_evidence(clients(two), [chain.request(7)], chain.policy())
    assert f"there was no time left to ask the node {two[1].url}" in dict(evidence.missing)[chain.registry]
    assert two[1].requests == 0


def test_a_node_whose_proof_did_not_hold_is_asked_last_from_then_on(chain: Chain, two: list[FaultProxy]) -> None:
    chain.anchor(7)
    spoil(two[0], junk_account)
    only(collect_evidence(clients(two), [chain.request(7)], chain.policy()))
    assert [node.count("eth_getProof") for node in two] == [1, 2]


def test_those_who_vouch_are_asked_for_proofs_first(chain: Chain) -> None:
    chain.mine(70)
    with proxies(chain.url, 3) as nodes:
        nodes[0].answer = lagging(chain, 3)
        found = only(collect_evidence(clients(nodes), [chain.request(99)], panel_of(chain, nodes)))
        assert found.vouched_by == (nodes[1].url, nodes[2].url)
        assert [node.count("eth_getProof") for node in nodes] == [0, 1, 0]


@pytest.mark.parametrize("liar", range(3))
@pytest.mark.parametrize("how", LIES, ids=lambda how: how.__name__)
def test_a_verdict_is_the_same_whichever_node_delivers(chain: Chain, liar: int, how: Any) -> None:
    root, documents = make_batch(chain.registry, chain.issuer_id, DID, ["Ana", "Bea"])
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root, size=2))
    chain.execute(STATUS_KEY, chain.revoke_call([0], [1 << 1]))
    chain.node.write("evm_increaseTime", [2])
    chain.mine(70)
    credentials = [parse_credential(json.dumps(document).encode()) for document in documents]
    now = chain.client.latest_block().header.timestamp
    with proxies(chain.url, 3) as nodes:
        spoil(nodes[liar], how)
        policy = panel_of(chain, nodes, confirmations=2)
        requests = [request for credential in credentials for request in credential.requests]
        evidence = collect_evidence(clients(nodes), requests, policy)
    verdicts = [verify(credential, evidence, policy, now) for credential in credentials]
    assert [(verdict.outcome, verdict.reason) for verdict in verdicts] == [
        (Outcome.VALID, ""),
        (Outcome.INVALID, "revoked"),
    ]


def test_an_invented_chain_convinces_nobody_but_whoever_asks_it_alone(chain: Chain, tmp_path: Path) -> None:
    root, documents = make_batch(chain.registry, chain.issuer_id, DID, ["Ana"])
    credential = parse_credential(json.dumps(documents[0]).encode())
    with invented_chain(tmp_path) as other, proxies(chain.url, 2) as honest, proxies(other.url, 1) as liars:
        assert other.registry == chain.registry
        other.execute(ANCHOR_KEY, other.contract.anchor(issuer_id=other.issuer_id, root=root, size=1))
        other.mine(300)
        now = other.client.latest_block().header.timestamp
        alone = chain.policy(nodes=(liars[0].url,))
        policy = panel_of(chain, [*liars, *honest])

        fooled = verify(credential, collect_evidence(clients(liars), credential.requests, alone), alone, now)
        verdict = verify(
            credential, collect_evidence(clients([*liars, *honest]), credential.requests, policy), policy, now
        )

    assert fooled.outcome is Outcome.VALID
    assert fooled.basis is not None
    assert fooled.basis.vouched_by == (liars[0].url,)
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "notAnchored")


def test_the_newest_known_block_is_proven_at(chain: Chain, two: list[FaultProxy]) -> None:
    chain.anchor(7)
    block = chain.client.latest_block()
    chain.execute(STATUS_KEY, chain.revoke_call([0], [1]))
    known = frozenset({KnownBlock(chain_id=CHAIN_ID, hash=block.header.hash)})
    policy = chain.policy(vouching=Vouching.PINNED_HASH, known_blocks=known, confirmations=None)
    spoil(two[0], "missing trie node")
    evidence = collect_evidence(clients(two), [chain.request(7)], policy)
    state = LedgerState(only(evidence))
    assert state.block.hash == block.header.hash
    assert not state.bit(StatusPurpose.REVOCATION, chain.issuer_id, 0, chain.request(7).position)
    assert only(evidence).final_hash is None


def test_nodes_that_must_agree_and_are_the_same_are_refused(chain: Chain, two: list[FaultProxy]) -> None:
    with pytest.raises(PolicyFormatError, match="two of the nodes are localhost:"):
        collect_evidence(clients([two[0], two[0]]), [chain.request(7)], panel_of(chain, two))


def test_registries_of_one_chain_share_a_block(chain: Chain, proxy: FaultProxy) -> None:
    absent = RegistryId(chain_id=CHAIN_ID, address=address(b"\xab" * 20))
    requests = [chain.request(7, registry=each) for each in (chain.registry, absent)]
    evidence = collect_evidence([LedgerClient(proxy.url)], requests, chain.policy(chain.registry, absent))
    assert len({each.block_hash for each in evidence.registries}) == 1
    assert proxy.count("eth_chainId") == 1
