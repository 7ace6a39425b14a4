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
