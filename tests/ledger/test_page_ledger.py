"""The page's own asking of nodes (TypeScript, run by Node) against real chains and nodes that misbehave.

Every kind of lie is told to it in tests/lies/test_page.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.testnet import CHAIN_ID
from anchor.model import KnownBlock, Outcome, Policy, RegistryId, Verdict, Vouching, address, to_hex
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, Chain
from tests.ledger.nodes import forking, invented_chain, lagging, move_to_next_epoch, panel_of, proxies
from tests.ledger.proxy import Fault, FaultProxy, when
from tests.ledger.test_failover import LIES as PROOF_LIES
from tests.ledger.test_failover import SPOILT, spoil
from tests.ledger.test_vouching import LIES as BLOCK_LIES
from tests.support.issuing import make_batch
from tests.support.page_ledger import Page, PageAnswer, PageRefusedError, page_program

FINALITY = 64
VALID, REVOKED, PENDING = (
    (Outcome.VALID, ""),
    (Outcome.INVALID, "revoked"),
    (Outcome.UNKNOWN, "pending"),
)
METHODS = ("eth_chainId", "eth_getBlockByNumber", "eth_getProof", "eth_getProof")
NO_EVIDENCE = (Outcome.UNKNOWN, "noEvidence")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with page_program() as page:
        yield page


@dataclass(kw_only=True)
class World:
    """Three credentials: valid, revoked, and anchored too late to be final."""

    chain: Chain
    page: Page
    documents: list[dict[str, Any]]
    tip: int

    def check(self, policy: Policy, documents: list[dict[str, Any]] | None = None, **options: Any) -> PageAnswer:
        now = self.chain.client.latest_block().header.timestamp
        return self.page.check(policy, self.documents if documents is None else documents, now, **options)

    def one(self, node: FaultProxy | str, **changes: Any) -> Policy:
        return self.chain.policy(nodes=(node if isinstance(node, str) else node.url,), **changes)


@pytest.fixture
def world(chain: Chain, page: Page) -> World:
    first, documents = make_batch(chain.registry, chain.issuer_id, DID, ["Ana", "Bea"])
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=first, size=2))
    chain.execute(STATUS_KEY, chain.revoke_call([0], [1 << 1]))
    chain.node.write("evm_increaseTime", [2])
    chain.mine(FINALITY + 26)
    second, late = make_batch(chain.registry, chain.issuer_id, DID, ["Cem"], first_index=2)
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=second, size=1))
    tip = chain.client.latest_block().header.number
    return World(chain=chain, page=page, documents=[*documents, *late], tip=tip)


def said(answer: PageAnswer) -> list[tuple[Outcome, str]]:
    return [(verdict.outcome, verdict.reason) for verdict in answer.verdicts]


def words(verdict: Verdict) -> str:
    return "; ".join(check.detail for check in verdict.checks)


@pytest.mark.parametrize("confirmations", [None, 0, 2])
def test_verdicts_rest_on_one_node_and_say_so(world: World, proxy: FaultProxy, confirmations: int | None) -> None:
    answer = world.check(world.one(proxy, confirmations=confirmations))
    assert said(answer) == [VALID, REVOKED, VALID if confirmations == 0 else PENDING]
    basis = answer.verdicts[0].basis
    assert basis is not None
    assert (basis.block_number, basis.vouching, basis.vouched_by) == (world.tip, Vouching.ONE_NODE, (proxy.url,))
    assert (basis.block_hash, basis.nodes_asked) == (world.chain.client.latest_block().header.hash, 1)


@pytest.mark.parametrize(("confirmations", "epoch"), [(2, 1), (None, 0)])
def test_any_number_of_credentials_takes_three_requests(
    chain: Chain, page: Page, proxy: FaultProxy, confirmations: int | None, epoch: int
) -> None:
    root, documents = make_batch(chain.registry, chain.issuer_id, DID, [f"Learner {number}" for number in range(300)])
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root, size=300))
    if epoch:
        move_to_next_epoch(chain)
    chain.node.write("evm_increaseTime", [2])
    chain.mine(FINALITY + 6)
    now = chain.client.latest_block().header.timestamp
    answer = page.check(chain.policy(nodes=(proxy.url,), confirmations=confirmations), documents, now)
    assert set(said(answer)) == {VALID}
    assert proxy.requests == len(answer.asked) == 3
    assert set(proxy.calls) == {"eth_chainId", "eth_getBlockByNumber", "eth_getProof"}


@pytest.mark.parametrize("from_question", [0, 1])
@pytest.mark.parametrize("how", SPOILT, ids=lambda how: getattr(how, "__name__", str(how)))
def test_what_one_node_spoils_another_proves(world: World, how: Any, from_question: int) -> None:
    with proxies(world.chain.url, 2) as nodes:
        spoil(nodes[0], how, from_question=from_question)
        answer = world.check(world.chain.policy(nodes=tuple(node.url for node in nodes), confirmations=None))
        assert said(answer) == [VALID, REVOKED, PENDING]
        assert nodes[1].count("eth_getProof") >= 1


@pytest.mark.parametrize(
    ("lie", "confirmations"),
    [*itertools.product(BLOCK_LIES, (None, 5)), *((lie.__name__, None) for lie in PROOF_LIES)],
)
def test_one_liar_among_three_changes_nothing(world: World, lie: str, confirmations: int | None) -> None:
    with proxies(world.chain.url, 3) as nodes:
        liar = nodes[len(lie) % 3]
        if lie in BLOCK_LIES:
            liar.answer = BLOCK_LIES[lie]
        else:
            spoil(liar, next(each for each in PROOF_LIES if each.__name__ == lie))
        answer = world.check(panel_of(world.chain, nodes, confirmations=confirmations))
        assert said(answer) == [VALID, REVOKED, PENDING]
        basis = answer.verdicts[0].basis
        assert basis is not None
        assert (basis.block_number, basis.nodes_asked, len(basis.vouched_by) >= 2) == (world.tip, 3, True)
        assert liar.url not in basis.vouched_by or lie not in BLOCK_LIES or "final" in lie


@pytest.mark.parametrize(("depth", "outcome"), [(3, "as before"), (200, "nothing agreed")])
def test_nodes_on_different_forks_agree_on_a_block_below(world: World, depth: int, outcome: str) -> None:
    with proxies(world.chain.url, 3) as nodes:
        for mark, node in enumerate(nodes, 0x10):
            node.answer = forking(world.chain, depth, mark)
        answer = world.check(panel_of(world.chain, nodes, confirmations=None))
    if outcome == "nothing agreed":
        assert said(answer) == [NO_EVIDENCE] * 3
        assert (
            "of 3 nodes 2 must agree on the newest block, and do not" in answer.missing[world.chain.registry.to_text()]
        )
        return
    basis = answer.verdicts[0].basis
    assert basis is not None, answer.missing
    assert basis.block_number == world.tip - 4
    assert said(answer)[:2] == [VALID, REVOKED]


def test_a_node_that_lags_holds_nobody_back_and_one_that_is_silent_neither(world: World) -> None:
    with proxies(world.chain.url, 3) as nodes:
        nodes[0].answer = lagging(world.chain, 9)
        answer = world.check(panel_of(world.chain, nodes, confirmations=None))
        assert answer.verdicts[0].basis is not None
        assert answer.verdicts[0].basis.vouched_by == (nodes[1].url, nodes[2].url)
        nodes[0].rule = lambda _method, _count: Fault.HANG_AFTER
        assert said(world.check(panel_of(world.chain, nodes, confirmations=None))) == [VALID, REVOKED, PENDING]
        assert nodes[0].replies == 1


def test_an_invented_chain_convinces_nobody_but_whoever_asks_it_alone(world: World, tmp_path: Path) -> None:
    root, documents = make_batch(world.chain.registry, world.chain.issuer_id, DID, ["Dan"])
    with invented_chain(tmp_path) as other, proxies(world.chain.url, 2) as honest, proxies(other.url, 1) as liars:
        other.execute(ANCHOR_KEY, other.contract.anchor(issuer_id=other.issuer_id, root=root, size=1))
        other.mine(300)
        now = other.client.latest_block().header.timestamp
        (fooled,) = world.page.check(world.one(liars[0]), documents, now).verdicts
        (verdict,) = world.page.check(panel_of(world.chain, [*liars, *honest]), documents, now).verdicts
    assert fooled.outcome is Outcome.VALID
    assert fooled.basis is not None
    assert fooled.basis.vouched_by == (liars[0].url,)
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "notAnchored")


def test_the_newest_known_block_is_proven_at(world: World, proxy: FaultProxy) -> None:
    blocks = [world.chain.client.block(number) for number in (1, world.tip)]
    known = frozenset(KnownBlock(chain_id=CHAIN_ID, hash=block.header.hash) for block in blocks if block is not None)
    world.chain.execute(STATUS_KEY, world.chain.revoke_call([0], [1]))
    policy = world.one(proxy, vouching=Vouching.PINNED_HASH, known_blocks=known, confirmations=None)
    answer = world.check(policy)
    assert said(answer) == [VALID, REVOKED, VALID]
    newest = world.chain.client.block(world.tip)
    assert newest is not None
    assert answer.verdicts[0].basis is not None
    assert answer.verdicts[0].basis.vouched_by == (f"known block {to_hex(newest.header.hash)}",)
    proxy.answer = lambda method, _params, result: None if "ByHash" in method else result
    assert said(world.check(policy)) == [NO_EVIDENCE] * 3


def test_a_block_that_is_reorganised_away_meanwhile_is_replaced_by_a_newer_one(world: World, proxy: FaultProxy) -> None:
    first = world.chain.client.latest_block().header.hash

    def change(method: str, result: object) -> object:
        if method == "eth_getBlockByNumber" and proxy.count("eth_getProof") == 0:
            world.chain.node.write("anvil_reorg", [1, []])
        return result

    proxy.change = change
    answer = world.check(world.one(proxy, confirmations=None), world.documents[:2])
    assert said(answer) == [VALID, REVOKED]
    assert answer.verdicts[0].basis is not None
    assert answer.verdicts[0].basis.block_hash != first


@pytest.mark.parametrize(("fault", "method"), list(zip(Fault, itertools.cycle(METHODS), strict=False)))
def test_no_fault_of_a_node_is_more_than_an_unknown(world: World, proxy: FaultProxy, fault: Fault, method: str) -> None:
    proxy.rule = when(method, fault)
    answer = world.check(world.one(proxy), limits={"nodeMs": 400, "answerBytes": 2**22})
    proxy.release.set()
    assert said(answer) == [NO_EVIDENCE] * 3
    assert proxy.url in answer.missing[world.chain.registry.to_text()]


def test_proofs_that_are_missing_at_last_say_why(world: World, proxy: FaultProxy) -> None:
    spoil(proxy, Fault.ERROR_500_BEFORE, from_question=1)
    answer = world.check(world.one(proxy))
    # What does not need the key is determined all the same.
    assert said(answer) == [NO_EVIDENCE, REVOKED, NO_EVIDENCE]
    assert f"the node {proxy.url} answered eth_getProof with HTTP status 500" in words(answer.verdicts[0])


def test_no_further_node_is_asked_when_time_is_up(world: World) -> None:
    with proxies(world.chain.url, 2) as nodes:
        spoil(nodes[0], Fault.ERROR_500_BEFORE)
        policy = world.chain.policy(nodes=tuple(node.url for node in nodes))
        answer = world.check(policy, limits={"proofsMs": -1})
        assert f"no time left to ask the node {nodes[1].url}" in answer.missing[world.chain.registry.to_text()]
        assert nodes[1].requests == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_sent_to_another_node(world: World, status: int) -> None:
    with proxies(world.chain.url, 2) as nodes:
        nodes[0].status, nodes[0].headers = status, {"Location": nodes[1].url}
        assert said(world.check(world.one(nodes[0]))) == [NO_EVIDENCE] * 3
        assert nodes[1].requests == 0


def test_nodes_that_must_agree_and_are_the_same_are_refused(world: World, proxy: FaultProxy) -> None:
    nodes = (proxy.url, proxy.url.replace("127.0.0.1", "localhost"))
    with pytest.raises(PageRefusedError, match="the same"):
        world.check(world.chain.policy(vouching=Vouching.K_OF_N, nodes=nodes))
    assert proxy.requests == 0


def test_password_and_key_of_a_node_are_used_and_never_said(world: World, proxy: FaultProxy) -> None:
    secret = proxy.url.replace("//", "//ana:geheim@") + "/schluessel?key=geheim"
    answer = world.check(world.one(secret))
    assert said(answer)[0] == VALID
    assert proxy.asked_with["Authorization"] == "Basic YW5hOmdlaGVpbQ=="
    failing = world.check(world.one(secret, confirmations=10_000, max_age_seconds=1), limits={"answerBytes": 10})
    shown = " ".join([*map(words, [*answer.verdicts, *failing.verdicts]), *failing.missing.values()])
    assert f"{proxy.url}/…" in shown
    assert "geheim" not in shown
    assert "schluessel" not in shown


def test_registries_share_a_block_and_are_asked_about_only_if_trusted(world: World, proxy: FaultProxy) -> None:
    chain = world.chain
    absent = RegistryId(chain_id=CHAIN_ID, address=address(b"\xab" * 20))
    elsewhere = RegistryId(chain_id=1, address=chain.registry.address)
    untrusted = RegistryId(chain_id=CHAIN_ID, address=address(b"\xcd" * 20))
    documents = [make_batch(each, 1, DID, ["Eve"])[1][0] for each in (absent, elsewhere, untrusted)]
    policy = chain.policy(chain.registry, absent, elsewhere, nodes=(proxy.url,))
    answer = world.check(policy, [*world.documents, *documents])
    assert said(answer)[3:] == [
        (Outcome.UNKNOWN, "wrongCode"),
        NO_EVIDENCE,
        (Outcome.UNKNOWN, "untrustedRegistry"),
    ]
    assert f"serves chain {CHAIN_ID}, not 1" in answer.missing[elsewhere.to_text()]
    assert "does not trust" in answer.missing[untrusted.to_text()]
    assert (proxy.count("eth_chainId"), to_hex(untrusted.address) in str(proxy.calls)) == (2, False)
