"""The client's own rules, on a real chain through a node that misbehaves."""

from typing import Any

import pytest

from anchor.errors import LedgerUnavailableError, NodeRefusedError
from anchor.ledger.client import LedgerClient, ask_block_by_hash, ask_proofs
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
    assert client.ask_one(ask_block_by_hash(block.header.hash)) == block
    assert client.ask_one(ask_block_by_hash(root_of(1))) is None
    assert client.receipt(root_of(1)) is None
    assert client.balance(dev_signer(STRANGER).address) == 10_000 * 10**18
    others: dict[str, dict[str, Any]] = {
        "eth_getTransactionReceipt": {"transactionHash": to_hex(root_of(9))},
        "eth_getProof": {"storageProof": [{"key": "0x1", "value": "0x0", "proof": []}]},
    }
    proxy.change = lambda method, result: {**result, **others[method]}
    with pytest.raises(LedgerUnavailableError, match="receipt of another transaction"):
        client.receipt(receipt.transaction_hash)
    (proof,) = client.ask(ask_proofs(chain.registry.address, [root_of(2)], block.header.hash))
    assert "not for the slots asked for" in str(proof)
    earlier = chain.node.read("eth_getBlockByNumber", ["0x1", False])
    proxy.change = answering(earlier)
    with pytest.raises(LedgerUnavailableError, match="another block than asked for"):
        client.ask_one(ask_block_by_hash(block.header.hash))
    with pytest.raises(LedgerUnavailableError, match="another block than asked for"):
        client.block(2)


def test_a_tip_is_assumed_where_the_node_suggests_none(chain: Chain, proxy: FaultProxy) -> None:
    client = LedgerClient(proxy.url)
    proxy.refuse = refusing("no such method", "eth_maxPriorityFeePerGas")
    assert client.fees().max_tip_wei == 10**9


def test_a_json_rpc_error_counts_whatever_the_http_status(chain: Chain, proxy: FaultProxy) -> None:
    proxy.refuse = refusing("execution reverted")
    proxy.status = 400
    with pytest.raises(NodeRefusedError, match="execution reverted"):
        LedgerClient(proxy.url).chain_id()


def test_a_node_is_told_nothing_of_the_machine_that_asks(chain: Chain, proxy: FaultProxy) -> None:
    proxy.headers = {"Set-Cookie": "you=1234"}
    node = RpcNode(proxy.url)
    for _ in range(2):
        node.read("eth_chainId", [])
    sent = proxy.asked_with
    assert sent.pop("Host") == proxy.url.removeprefix("http://")
    assert int(sent.pop("Content-Length")) > 0
    assert sent == {
        "User-Agent": "credanchor",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
        "Content-Type": "application/json",
    }


def asked_for(count: int) -> list[tuple[str, list[object]]]:
    """Questions with answers that differ: the balances of so many accounts, each with a number of its own."""
    return [("eth_getStorageAt", [to_hex(dev_signer(0).address), hex(number), "latest"]) for number in range(count)]


def numbered(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let each answer say which call it is for."""
    return [{**answer, "result": answer["id"]} for answer in answers]


def test_many_calls_are_one_request_however_the_answers_are_ordered(chain: Chain, proxy: FaultProxy) -> None:
    node = RpcNode(proxy.url)
    proxy.batches = lambda answers: numbered(answers)[::-1]
    assert node.read_many(asked_for(5)) == [1, 2, 3, 4, 5]
    assert proxy.requests == 1
    assert node.read_many(asked_for(250)) == [*range(1, 101), *range(1, 101), *range(1, 51)]
    assert proxy.requests == 4
    assert node.read_many([]) == []


@pytest.mark.parametrize(
    ("spoil", "alone"),
    [
        (lambda answers: [*answers[:1], *answers[2:]], 1),
        (lambda answers: [*answers, answers[1]], 1),
        (lambda answers: [*answers, {**answers[1], "id": 77}], 0),
        (lambda answers: [answers[0], {**answers[1], "id": "2"}, answers[2]], 1),
        (lambda answers: [answers[0], {**answers[1], "id": True}, answers[2]], 1),
        (lambda answers: [answers[0], {**answers[1], "id": 1.0}, answers[2]], 1),
        (lambda answers: [answers[0], {**answers[1], "id": [2]}, answers[2]], 1),
        (lambda answers: [answers[0], "?", answers[2]], 1),
        (lambda answers: [answers[0], {"id": 2, "error": {"code": -32003, "message": "too large"}}, answers[2]], 1),
    ],
    ids=["dropped", "doubled", "invented", "text", "yes", "fraction", "list", "no-object", "too-much"],
)
def test_what_is_not_answered_clearly_is_asked_for_by_itself(
    chain: Chain, proxy: FaultProxy, spoil: Any, alone: int
) -> None:
    right = proxy.change = lambda _method, result: {"right": result}
    proxy.batches = spoil
    calls = asked_for(3)
    assert RpcNode(proxy.url).read_many(calls) == [right("", "0x" + "00" * 32)] * 3
    assert proxy.requests == 1 + alone


def test_each_call_of_many_fails_by_itself(chain: Chain, proxy: FaultProxy) -> None:
    proxy.refuse = lambda _method, params: "not this one" if "0x1" in params else None
    proxy.batches = lambda answers: [
        {**answer, "error": {"code": []}} if answer["id"] == 3 else answer for answer in answers
    ]
    first, second, third, fourth = RpcNode(proxy.url).read_many(asked_for(4))
    assert first == fourth == "0x" + "00" * 32
    assert isinstance(second, NodeRefusedError)
    assert second.text == "not this one"
    assert isinstance(third, NodeRefusedError)
    assert "no reason given" in str(third)
    assert proxy.requests == 1


@pytest.mark.parametrize(
    "batches",
    [
        None,
        lambda _answers: {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch not supported"}},
        lambda _answers: [{"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch not supported"}}],
        lambda _answers: [],
        lambda _answers: "no",
    ],
    ids=["http-400", "error", "list-of-error", "empty", "text"],
)
def test_a_node_that_takes_no_batches_is_asked_singly_from_then_on(
    chain: Chain, proxy: FaultProxy, batches: Any
) -> None:
    node = RpcNode(proxy.url)
    proxy.batches = batches
    assert node.read_many(asked_for(3)) == ["0x" + "00" * 32] * 3
    assert proxy.requests == 1 + 3
    assert node.read_many(asked_for(2)) == ["0x" + "00" * 32] * 2
    assert proxy.requests == 1 + 3 + 2


def test_a_node_that_answers_nothing_is_not_asked_call_by_call(chain: Chain, proxy: FaultProxy) -> None:
    node = RpcNode(proxy.url, timeout_seconds=0.2)
    proxy.rule = lambda _method, _count: Fault.HANG_AFTER
    answers = node.read_many(asked_for(3))
    assert ["did not answer in time" in str(answer) for answer in answers] == [True] * 3
    assert proxy.requests == 1
    proxy.batches = None
    answers = node.read_many(asked_for(3))
    assert [isinstance(answer, LedgerUnavailableError) for answer in answers] == [True] * 3
    assert proxy.requests == 1 + 1 + 1


@pytest.mark.parametrize(("status", "requests"), [(401, 1), (404, 1), (500, 2), (503, 3)])
def test_an_http_status_tells_whether_asking_singly_helps(
    chain: Chain, proxy: FaultProxy, status: int, requests: int
) -> None:
    proxy.status = status
    (first, second) = RpcNode(proxy.url).read_many(asked_for(2))
    assert f"HTTP status {status}" in str(first)
    assert isinstance(second, LedgerUnavailableError)
    assert proxy.requests == requests


@pytest.mark.parametrize(
    ("wanted", "requests"), [("0", 3), ("1", 2), ("3600", 1), ("Fri, 31 Dec 2100 23:59:59 GMT", 3)]
)
def test_a_busy_node_says_how_long_to_wait_and_is_waited_for_if_not_long(
    chain: Chain, proxy: FaultProxy, wanted: str, requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("anchor.ledger.rpc.time.sleep", waited.append)
    proxy.headers = {"Retry-After": wanted}
    proxy.rule = when("eth_chainId", Fault.BUSY, times=1 if wanted == "1" else 9)
    (answer, _) = RpcNode(proxy.url).read_many([("eth_chainId", [])] * 2)
    assert (answer == hex(CHAIN_ID)) is (wanted == "1")
    assert proxy.requests == requests
    assert max(waited, default=0) == {"0": 0.1, "1": 1, "3600": 0}.get(wanted, 0.1)
