import pytest

from anchor.errors import MalformedError, PolicyFormatError
from anchor.ledger.endpoints import endpoint_of, is_loopback, node_name, require_distinct


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
        ("http://localhost.", False),
        ("http://127.0.0.1.", False),
        ("http://10.0.0.1", False),
    ],
)
def test_this_machine_is_told_from_others(url: str, is_local: bool) -> None:
    assert is_loopback(url) is is_local


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://node.example", "node.example", 80),
        ("https://node.example", "node.example", 443),
        ("HTTPS://Node.EXAMPLE.:443/v3/key?a=b#c", "node.example", 443),
        ("https://user:pa55@node.example:8545/", "node.example", 8545),
        ("https://bücher.example", "xn--bcher-kva.example", 443),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example", 443),
        ("http://[2001:DB8:0:0::1]:8545", "2001:db8::1", 8545),
        ("http://localhost:8545", "localhost", 8545),
        ("http://127.0.0.1:8545", "localhost", 8545),
        ("http://[::1]:8545", "localhost", 8545),
        ("http://anvil.localhost.:8545", "localhost", 8545),
        (f"http://{'a' * 64}.example:1", f"{'a' * 64}.example", 1),
    ],
)
def test_an_address_leads_to_one_host_and_port_however_it_is_spelt(url: str, host: str, port: int) -> None:
    assert endpoint_of(url) == (host, port)


def test_nodes_of_the_same_host_and_port_are_not_distinct() -> None:
    require_distinct(
        map(endpoint_of, ["http://a.example", "http://a.example:81", "https://a.example", "http://b.example"])
    )
    for again in ("http://A.example:80/", "http://user@a.example./other?key=1"):
        with pytest.raises(
            PolicyFormatError, match=r"two of the nodes are a\.example:80, which can agree with itself only"
        ):
            require_distinct(map(endpoint_of, ["http://a.example", "http://b.example", again]))
    with pytest.raises(MalformedError):
        endpoint_of("a.example:80")
