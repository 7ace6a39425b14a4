import pytest
from eth_hash.auto import keccak

from anchor.errors import (
    LedgerUnavailableError,
    NoEvidenceError,
    StateProofError,
    WrongCodeError,
    WrongLedgerError,
)
from anchor.evidence import ISSUER_COUNT_SLOT, LedgerState, head_slot
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_evidence, collect_slots
from anchor.ledger.testnet import CHAIN_ID, dev_signer
from anchor.ledger.vouching import vouch_newest
from anchor.model import RegistryId, Vouching, address
from anchor.status import StatusPurpose
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, Chain, root_of
from tests.ledger.nodes import clients, move_to_next_epoch, only, panel_of, proxies
from tests.ledger.proxy import Fault, FaultProxy, when


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
