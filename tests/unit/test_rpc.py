import pytest

from anchor.errors import LedgerUnavailableError, MalformedError
from anchor.ledger.answers import read_block, read_list, read_log, read_object, read_quantity, read_receipt
from anchor.ledger.rpc import RpcNode, _revert_data


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("0x0102", b"\x01\x02"),
        ("Reverted 0x0102", b"\x01\x02"),
        ({"data": "0x0102"}, b"\x01\x02"),
        ({"data": {"data": "0x"}}, b""),
        ("0x012", b""),
        (None, b""),
        (7, b""),
    ],
)
def test_revert_data_is_found_where_nodes_put_it(value: object, data: bytes) -> None:
    assert _revert_data(value) == data


JUNK = [[], {}, "", "0x", 7, True, 1.5, "0xzz", [[]], {"hash": 7}, {"logs": {}}, {"status": "0x2"}]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_is_malformed_whatever_it_is_read_as(junk: object) -> None:
    for read in (read_block, read_log, read_receipt, read_quantity):
        with pytest.raises(MalformedError):
            read(junk)


def test_containers_are_of_their_kind() -> None:
    assert (read_object({}), read_list([])) == ({}, [])
    for read, other in ((read_object, []), (read_list, {})):
        with pytest.raises(MalformedError):
            read(other)
    assert read_receipt(None) is None
    assert read_block(None) is None


@pytest.mark.parametrize("answer", [{" status": []}, {" status": {}}, {" status": 429}, {"error": None}])
def test_answer_without_a_result_is_no_answer_whatever_else_it_has(answer: dict[str, object]) -> None:
    node = RpcNode("http://127.0.0.1:1")
    with pytest.raises(LedgerUnavailableError, match="without a result"):
        node._result("eth_chainId", answer)


@pytest.mark.parametrize(
    ("block", "index", "is_taken"),
    [(0, 0, True), (2**63 - 1, 2**63 - 1, True), (2**63, 0, False), (0, 2**63, False), (2**64, 2**64, False)],
)
def test_places_of_logs_are_those_that_an_archive_can_hold(block: int, index: int, is_taken: bool) -> None:
    log = {
        "address": "0x" + "11" * 20,
        "topics": [],
        "data": "0x",
        "blockNumber": hex(block),
        "blockHash": "0x" + "22" * 32,
        "transactionHash": "0x" + "33" * 32,
        "logIndex": hex(index),
    }
    if is_taken:
        assert (read_log(log).block_number, read_log(log).log_index) == (block, index)
    else:
        with pytest.raises(MalformedError, match=r"from 0 to 2\^63"):
            read_log(log)
