import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from anchor.credential import parse_credential
from anchor.errors import (
    LedgerUnavailableError,
    NoEvidenceError,
    PolicyFormatError,
    StateProofError,
    WrongCodeError,
    WrongLedgerError,
)
from anchor.evidence import ISSUER_COUNT_SLOT, Evidence, LedgerState, RegistryEvidence, head_slot
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_evidence, collect_slots
from anchor.ledger.testnet import CHAIN_ID, dev_signer
from anchor.ledger.vouching import vouch_newest
from anchor.model import KnownBlock, Outcome, RegistryId, Vouching, address
from anchor.status import StatusPurpose
from anchor.verify import verify
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, Chain, root_of
from tests.ledger.nodes import clients, invented_chain, lagging, move_to_next_epoch, panel_of, proxies
from tests.ledger.proxy import Fault, FaultProxy, when
from tests.support.issuing import make_batch


def only(evidence: Evidence) -> RegistryEvidence:
    assert evidence.missing == ()
    (found,) = evidence.registries
    return found


def test_what_is_collected_proves_all_that_a_verdict_needs(chain: Chain) -> None:
    anchored = chain.anchor(7, size=10)
    chain.execute(STATUS_KEY, chain.revoke_call([0], [1 << 3]))
    requests = [chain.request(7, index=index) for index in (3, 4)]

    found = only(collect_evidence([chain.client], requests, chain.policy()))

    state = LedgerState(found)
    state.check_code(chain.policy().registries[0])
    assert state.final_block().hash == state.block.hash
    assert found.vouched_by == (chain.url,)
    assert state.did_hash(chain.issuer_id) == keccak(DID.encode())
    batch = state.batch(chain.issuer_id, root_of(7))
    assert (batch.key, batch.size, batch.anchored_at) == (dev_signer(ANCHOR_KEY).address, 10, anchored.at)
    assert state.key(batch.key).issuer_id == chain.issuer_id
    assert state.issuer(chain.issuer_id).accredited_at > 0
    bits = [state.bit(StatusPurpose.REVOCATION, chain.issuer_id, 0, request.position) for request in requests]
    assert bits == [True, False]
    assert not state.bit(StatusPurpose.SUSPENSION, chain.issuer_id, 0, requests[0].position)


def test_what_was_not_anchored_is_proven_absent_in_one_round(chain: Chain, proxy: FaultProxy) -> None:
    found = only(collect_evidence([LedgerClient(proxy.url)], [chain.request(99)], chain.policy()))

    assert LedgerState(found).batch(chain.issuer_id, root_of(99)).anchored_at == 0
    assert proxy.count("eth_getProof") == 1


ALL = range(131_072)


@pytest.mark.parametrize(
    ("indices", "confirmations", "epoch"),
    [(range(1), 0, 0), (range(1), 2, 1), (range(500), None, 0), (range(500), 2, 0), (ALL, None, 0), (ALL, 2, 1)],
)
def test_any_number_of_credentials_takes_three_requests(
    chain: Chain, proxy: FaultProxy, indices: range, confirmations: int | None, epoch: int
) -> None:
    chain.anchor(7, size=131_072)
    if epoch:
        move_to_next_epoch(chain)
    chain.mine(70)
    requests = [chain.request(7, size=131_072, index=index) for index in indices]

    found = only(collect_evidence([LedgerClient(proxy.url)], requests, chain.policy(confirmations=confirmations)))

    assert proxy.requests == 3
    state = LedgerState(found)
    assert state.final_block().number <= state.block.number
    for request in requests[::100]:
        assert not state.bit(StatusPurpose.REVOCATION, chain.issuer_id, epoch, request.position)
    assert {"eth_chainId", "eth_getBlockByNumber", "eth_getProof"} == set(proxy.calls)


def test_of_three_nodes_that_agree_each_is_asked_once_and_one_proves(chain: Chain) -> None:
    chain.anchor(7, size=131_072)
    requests = [chain.request(7, size=131_072, index=index) for index in ALL[::256]]
    with proxies(chain.url, 3) as nodes:
        found = only(collect_evidence(clients(nodes), requests, panel_of(chain, nodes)))
        assert sorted(node.requests for node in nodes) == [1, 1, 3]
    assert (found.nodes_asked, len(found.vouched_by)) == (3, 2)
    LedgerState(found)


def test_finality_follows_the_policy(chain: Chain) -> None:
    chain.anchor(7)
    chain.mine(70)
    latest = chain.client.latest_block().header.number

    def final_number(confirmations: int | None) -> int:
        policy = chain.policy(confirmations=confirmations)
        return LedgerState(only(collect_evidence([chain.client], [chain.request(7)], policy))).final_block().number

    assert final_number(0) == latest
    assert final_number(5) == latest - 5
    assert 0 < final_number(None) < latest


def test_no_block_is_final_on_a_chain_shorter_than_the_confirmations(chain: Chain) -> None:
    found = only(collect_evidence([chain.client], [chain.request(7)], chain.policy(confirmations=10_000)))
    with pytest.raises(NoEvidenceError):
        LedgerState(found).final_block()


def test_a_chain_that_finalises_nothing_has_no_final_block(chain: Chain, proxy: FaultProxy) -> None:
    policy = chain.policy(confirmations=None)
    proxy.rule = lambda method, count: Fault.NULL if method == "eth_getBlockByNumber" and count == 1 else None
    assert only(collect_evidence([LedgerClient(proxy.url)], [chain.request(7)], policy)).final_hash is None
    proxy.refuse = lambda _, params: "finalized block not found" if "finalized" in params else None
    assert only(collect_evidence([LedgerClient(proxy.url)], [chain.request(7)], policy)).final_hash is None


def test_registries_are_collected_apart_and_only_if_trusted(chain: Chain) -> None:
    absent = RegistryId(chain_id=31337, address=address(b"\xab" * 20))
    elsewhere = RegistryId(chain_id=1, address=chain.registry.address)
    untrusted = RegistryId(chain_id=31337, address=address(b"\xcd" * 20))
    requests = [chain.request(7, registry=each) for each in (chain.registry, absent, elsewhere, untrusted)]
    policy = chain.policy(chain.registry, absent, elsewhere)

    evidence = collect_evidence([chain.client], requests, policy)

    assert {each.registry for each in evidence.registries} == {chain.registry, absent}
    with pytest.raises(WrongCodeError):
        evidence.state_of(absent).check_code(policy.registries[1])
    missing = dict(evidence.missing)
    assert "serves chain 31337, not chain 1" in missing[elsewhere]
    assert "does not trust" in missing[untrusted]


def test_a_node_that_is_down_leaves_the_registry_missing(chain: Chain) -> None:
    evidence = collect_evidence([LedgerClient("http://127.0.0.1:1")], [chain.request(7)], chain.policy())
    assert evidence.registries == ()
    assert "http://127.0.0.1:1 cannot be reached" in dict(evidence.missing)[chain.registry]


@pytest.mark.parametrize("method", ["eth_chainId", "eth_getBlockByNumber", "eth_getProof"])
@pytest.mark.parametrize("fault", Fault)
def test_no_fault_of_a_node_is_more_than_a_missing_registry(
    chain: Chain, proxy: FaultProxy, spoiled: LedgerClient, fault: Fault, method: str
) -> None:
    proxy.rule = when(method, fault)
    evidence = collect_evidence([spoiled], [chain.request(7)], chain.policy())
    proxy.release.set()
    reason = dict(evidence.missing)[chain.registry]
    assert proxy.url in reason


def test_one_busy_moment_is_got_over(chain: Chain, proxy: FaultProxy, spoiled: LedgerClient) -> None:
    proxy.rule = when("eth_getProof", Fault.BUSY, times=2)
    only(collect_evidence([spoiled], [chain.request(7)], chain.policy()))


def test_a_block_that_is_reorganised_away_meanwhile_is_replaced_by_a_newer_one(chain: Chain, proxy: FaultProxy) -> None:
    chain.anchor(7)
    first = chain.client.latest_block().header.hash

    def change(method: str, result: object) -> object:
        if method == "eth_getBlockByNumber" and proxy.count("eth_getProof") == 0:
            chain.node.write("anvil_reorg", [1, []])
        return result

    proxy.change = change
    found = only(collect_evidence([LedgerClient(proxy.url)], [chain.request(7)], chain.policy()))
    assert found.block_hash != first
    LedgerState(found)


def test_a_node_that_lies_in_a_proof_is_found_out(chain: Chain, proxy: FaultProxy) -> None:
    chain.anchor(7)

    def change(method: str, result: dict[str, object]) -> object:
        if method == "eth_getProof":
            result["accountProof"] = ["0x00"]
        return result

    proxy.change = change
    found = only(collect_evidence([LedgerClient(proxy.url)], [chain.request(7)], chain.policy()))
    with pytest.raises(StateProofError):
        LedgerState(found)


def test_a_node_that_lies_about_a_header_is_not_used(chain: Chain, proxy: FaultProxy) -> None:
    proxy.change = lambda method, result: {**result, "timestamp": "0x1"} if "ByNumber" in method else result
    evidence = collect_evidence([LedgerClient(proxy.url)], [chain.request(7)], chain.policy())
    assert "does not hash" in dict(evidence.missing)[chain.registry]


def test_one_node_does_not_vouch_as_several(chain: Chain) -> None:
    evidence = collect_evidence([chain.client], [chain.request(7)], chain.policy(vouching=Vouching.K_OF_N))
    reason = dict(evidence.missing)[chain.registry]
    assert reason.startswith("of 1 nodes 2 must agree on the newest block, and do not: the node http://127.0.0.1:")


def test_slots_are_collected_at_the_block_asked_for(chain: Chain) -> None:
    vouched = vouch_newest([chain.client], CHAIN_ID, chain.policy())
    chain.anchor(7)
    slots = [ISSUER_COUNT_SLOT, head_slot(chain.issuer_id)]

    before = LedgerState(collect_slots([chain.client], chain.registry, slots, chain.policy(), vouched=vouched))
    after = LedgerState(collect_slots([chain.client], chain.registry, slots, chain.policy()))

    assert before.block.hash == vouched.block.header.hash
    assert before.value(ISSUER_COUNT_SLOT) == after.value(ISSUER_COUNT_SLOT) == chain.issuer_id
    assert before.head(chain.issuer_id) != after.head(chain.issuer_id)


def test_slots_of_another_chain_or_of_no_node_raise(chain: Chain) -> None:
    elsewhere = RegistryId(chain_id=1, address=chain.registry.address)
    with pytest.raises(WrongLedgerError):
        collect_slots([chain.client], elsewhere, [ISSUER_COUNT_SLOT], chain.policy())
    with pytest.raises(LedgerUnavailableError):
        collect_slots([LedgerClient("http://127.0.0.1:1")], chain.registry, [ISSUER_COUNT_SLOT], chain.policy())


# Several nodes: whatever one of them does, the next one's proofs count.


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
