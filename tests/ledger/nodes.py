"""Several nodes of one chain: proxies before the same anvil, each of which may lag, lie, dawdle or be gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from anchor.evidence import Evidence, RegistryEvidence
from anchor.ledger.client import LedgerClient
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import Testnet, dev_signer
from anchor.model import KeyScope, Policy, Vouching, to_hex
from anchor.state_proof import header_from_rpc
from tests.ledger.chain import CONTROLLER, STATUS_KEY, STRANGER, Chain
from tests.ledger.proxy import FaultProxy

Lie = Callable[[str, list[Any], Any], Any]
"""Method, parameters and the right result -> what the node says."""


@contextmanager
def proxies(url: str, count: int) -> Iterator[list[FaultProxy]]:
    nodes = [FaultProxy(url) for _ in range(count)]
    try:
        yield nodes
    finally:
        for node in nodes:
            node.release.set()
        for node in nodes:
            node.close()


@contextmanager
def invented_chain(folder: Path) -> Iterator[Chain]:
    """Another chain that looks like the first: the same number, registry, issuer and keys."""
    testnet = Testnet(folder)
    chain = Chain(url=testnet.up(port=0).url)
    try:
        chain.set_up()
        yield chain
    finally:
        testnet.down()


def only(evidence: Evidence) -> RegistryEvidence:
    """The evidence of the one registry that was asked about."""
    assert evidence.missing == ()
    (found,) = evidence.registries
    return found


def clients(nodes: Sequence[FaultProxy], timeout_seconds: float = 60.0) -> list[LedgerClient]:
    """Patient ones: no test may pass because a node was given up on."""
    return [LedgerClient(node.url, timeout_seconds=timeout_seconds) for node in nodes]


def panel_of(chain: Chain, nodes: Sequence[FaultProxy], **changes: Any) -> Policy:
    """A policy that wants more than half of these nodes to agree."""
    return chain.policy(vouching=Vouching.K_OF_N, nodes=tuple(node.url for node in nodes), **changes)


def forged(block: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A block with other members, and the hash that follows."""
    changed = {**block, **members}
    return {**changed, "hash": to_hex(keccak(header_from_rpc(changed)))}


def lagging(chain: Chain, blocks: int, finality: int = 64) -> Lie:
    """A node that is so many blocks behind, with all that it says of blocks."""
    node = RpcNode(chain.url)

    def say(method: str, params: list[Any], result: Any) -> Any:
        if method != "eth_getBlockByNumber":
            return result
        last = int(node.read("eth_blockNumber", []), 16) - blocks
        number = {"latest": last, "finalized": last - finality}.get(params[0])
        number = int(params[0], 16) if number is None else number
        return node.read("eth_getBlockByNumber", [hex(number), False]) if 0 <= number <= last else None

    return say


def forking(chain: Chain, depth: int, mark: int) -> Lie:
    """A node whose newest blocks, so many, are others than everybody's."""
    node = RpcNode(chain.url)

    def say(method: str, _params: list[Any], result: Any) -> Any:
        if method != "eth_getBlockByNumber" or result is None:
            return result
        last = int(node.read("eth_blockNumber", []), 16)
        return forged(result, extraData=hex(mark)) if int(result["number"], 16) > last - depth else result

    return say


def of_blocks(change: Callable[[dict[str, Any]], Any], *tags: str) -> Lie:
    """A lie about blocks that are asked for by these tags, by default all."""

    def say(method: str, params: list[Any], result: Any) -> Any:
        asked = method == "eth_getBlockByNumber" and (not tags or params[0] in tags)
        return change(result) if asked and result is not None else result

    return say


def move_to_next_epoch(chain: Chain) -> None:
    """Let the issuer's status key be stolen, and another one take over."""
    signer = dev_signer(STRANGER)
    consent = chain.consent(STRANGER, KeyScope.STATUS, status_epoch=1)
    chain.execute(CONTROLLER, chain.contract.add_key(consent, signer.sign_key_consent(chain.registry, consent)))
    since = chain.client.latest_block().header.timestamp
    chain.execute(CONTROLLER, chain.contract.compromise_key(dev_signer(STATUS_KEY).address, since=since))
