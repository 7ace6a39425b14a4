"""Several nodes of one chain: proxies before the same anvil, each of which may lag, lie, dawdle or be gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from anchor.ledger.client import LedgerClient
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import dev_signer
from anchor.model import KeyScope, Policy, Vouching
from tests.ledger.chain import CONTROLLER, STATUS_KEY, STRANGER, Chain
from tests.ledger.proxy import FaultProxy


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


def clients(nodes: Sequence[FaultProxy], timeout_seconds: float = 5.0) -> list[LedgerClient]:
    return [LedgerClient(node.url, timeout_seconds=timeout_seconds) for node in nodes]


def panel_of(chain: Chain, nodes: Sequence[FaultProxy], **changes: Any) -> Policy:
    """A policy that wants more than half of these nodes to agree."""
    return chain.policy(vouching=Vouching.K_OF_N, nodes=tuple(node.url for node in nodes), **changes)


def lagging(chain: Chain, blocks: int) -> Any:
    """What a node does that is so many blocks behind, with all that it says."""
    node = RpcNode(chain.url)

    def change(method: str, params: list[Any], result: Any) -> Any:
        if method != "eth_getBlockByNumber":
            return result
        last = int(node.read("eth_blockNumber", []), 16) - blocks
        number = last if params[0] == "latest" else last - 64 if params[0] == "finalized" else int(params[0], 16)
        return node.read("eth_getBlockByNumber", [hex(number), False]) if 0 <= number <= last else None

    return change


def move_to_next_epoch(chain: Chain) -> None:
    """Let the issuer's status key be stolen, and another one take over."""
    signer = dev_signer(STRANGER)
    consent = chain.consent(STRANGER, KeyScope.STATUS, status_epoch=1)
    chain.execute(CONTROLLER, chain.contract.add_key(consent, signer.sign_key_consent(chain.registry, consent)))
    since = chain.client.latest_block().header.timestamp
    chain.execute(CONTROLLER, chain.contract.compromise_key(dev_signer(STATUS_KEY).address, since=since))
