"""The client's own rules, on a real chain through a node that misbehaves."""

from typing import Any

import pytest

from anchor.errors import LedgerUnavailableError, NodeRefusedError
from anchor.ledger.client import LedgerClient
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import CHAIN_ID, dev_signer
from anchor.model import to_hex
from tests.ledger.chain import ANCHOR_KEY, STRANGER, Chain, root_of
from tests.ledger.proxy import Fault, FaultProxy, answering, refusing, when


def test_a_read_is_repeated_when_the_node_is_busy_and_not_when_it_is_slow(chain: Chain, proxy: FaultProxy) -> None:
    node = RpcNode(proxy.url, timeout_seconds=0.2)
    proxy.rule = when("eth_chainId", Fault.BUSY, times=2)
    assert node.read("eth_chainId", []) == hex(CHAIN_ID)
    assert proxy.count("eth_chainId") == 3
    proxy.rule = when("eth_blockNumber", Fault.HANG_AFTER)
    with pytest.raises(LedgerUnavailableError, match="did not answer in time"):
        node.read("eth_blockNumber", [])
    assert proxy.count("eth_blockNumber") == 1


def test_logs_come_in_order_and_in_pieces_when_the_node_refuses_many(chain: Chain, proxy: FaultProxy) -> None:
    for number in range(3):
        chain.anchor(50 + number)
        chain.mine(40)
    last = chain.client.latest_block().header.number
    whole = list(chain.client.logs(chain.registry.address, 0, last))
    assert len([log for log in whole if log.topics]) == len(whole) >= 6

    spans: list[int] = []

    def refuse(method: str, params: list[dict[str, str]]) -> str | None:
        spans.append(int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1)
        return "query spans more than 50 blocks" if spans[-1] > 50 else None

    limited = LedgerClient(proxy.url)
    proxy.refuse = refuse
    assert list(limited.logs(chain.registry.address, 0, last)) == whole
    assert spans[0] > 50 >= min(spans)

    proxy.refuse = refusing("not served")
    with pytest.raises(NodeRefusedError, match="refused eth_getLogs: not served"):
        list(limited.logs(chain.registry.address, 0, last))


def test_logs_that_were_not_asked_for_are_refused(chain: Chain, proxy: FaultProxy) -> None:
    client = LedgerClient(proxy.url)
    proxy.change = answering([{**log, "blockNumber": "0xffff"} for log in chain.node.read("eth_getLogs", [{}])])
    with pytest.raises(LedgerUnavailableError, match="logs that were not asked for"):
        list(client.logs(chain.registry.address, 0, 5))


def test_an_answer_about_something_else_is_refused(chain: Chain, proxy: FaultProxy) -> None:
    client = LedgerClient(proxy.url)
    receipt = chain.execute(ANCHOR_KEY, chain.anchor_call(5))
    block = chain.client.latest_block()
    assert client.block_by_hash(block.header.hash) == block
    assert client.block_by_hash(root_of(1)) is None
    assert client.receipt(root_of(1)) is None
    assert client.balance(dev_signer(STRANGER).address) == 10_000 * 10**18
    others: dict[str, dict[str, Any]] = {
        "eth_getTransactionReceipt": {"transactionHash": to_hex(root_of(9))},
        "eth_getProof": {"storageProof": [{"key": "0x1", "value": "0x0", "proof": []}]},
    }
    proxy.change = lambda method, result: {**result, **others[method]}
    with pytest.raises(LedgerUnavailableError, match="receipt of another transaction"):
        client.receipt(receipt.transaction_hash)
    with pytest.raises(LedgerUnavailableError, match="not for the slots asked for"):
        client.proof(chain.registry.address, (root_of(2),), block.header.hash)
    earlier = chain.node.read("eth_getBlockByNumber", ["0x1", False])
    proxy.change = answering(earlier)
    with pytest.raises(LedgerUnavailableError, match="another block than asked for"):
        client.block_by_hash(block.header.hash)


def test_a_tip_is_assumed_where_the_node_suggests_none(chain: Chain, proxy: FaultProxy) -> None:
    client = LedgerClient(proxy.url)
    proxy.refuse = refusing("no such method", "eth_maxPriorityFeePerGas")
    assert client.fees().max_tip_wei == 10**9


def test_a_json_rpc_error_counts_whatever_the_http_status(chain: Chain, proxy: FaultProxy) -> None:
    proxy.refuse = refusing("execution reverted")
    proxy.status = 400
    with pytest.raises(NodeRefusedError, match="execution reverted"):
        LedgerClient(proxy.url).chain_id()
