import pytest

from anchor.errors import LedgerUnavailableError, MalformedError
from anchor.ledger.answers import read_block, read_list, read_log, read_object, read_quantity, read_receipt
from anchor.ledger.endpoints import is_loopback, node_name
from anchor.ledger.rpc import RpcNode, _revert_data


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("https://user:pa55@node.example/", "https://node.example"),
        ("https://node.example/v3/0123456789abcdef", "https://node.example/…"),
        ("https://node.example?key=0123456789abcdef", "https://node.example/…"),
        ("HTTPS://Node.Example:443", "https://node.example:443"),
        ("http://[::1]:8545", "http://[::1]:8545"),
    ],
)
def test_a_node_is_named_without_what_may_be_secret(url: str, name: str) -> None:
    assert node_name(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8545",
        "ftp://node.example",
        "http://",
        "http://[::1",
        "http://x:99999",
        "http://a b",
        "http://a\n",
    ],
)
def test_what_is_no_address_is_malformed(url: str) -> None:
    with pytest.raises(MalformedError) as refused:
        node_name(url)
    assert str(refused.value).startswith("the node's address ")


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://127.0.0.1:8545", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:1", True),
        ("http://localhost", True),
        ("http://anvil.localhost", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_this_machine_is_told_from_others(url: str, is_local: bool) -> None:
    assert is_loopback(url) is is_local


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
