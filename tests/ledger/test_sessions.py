"""What a node and a webhook are told by who asks them: nothing that their address does not hold."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from uuid import UUID

import pytest

from anchor.ledger import sessions
from anchor.ledger.alerting import post_alert
from anchor.ledger.rpc import RpcNode
from tests.support.receiver import Receiver, receiving


def ask_node(url: str) -> None:
    assert RpcNode(url).read("eth_chainId", []) == "0x1"


def alert(url: str) -> None:
    post_alert(url, UUID(int=5), b"{}", None)


def answer(handler: BaseHTTPRequestHandler) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.send_header("Set-Cookie", "seen=1")
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Receiver]:
    """A host elsewhere, so to say: of this machine no settings of the environment are taken anyhow."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login zoe password secret")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setattr(sessions, "is_loopback", lambda _url: False)
    with receiving() as found:
        found.answer = answer
        yield found


@pytest.mark.parametrize("ask", [ask_node, alert])
def test_nobody_is_told_a_password_that_is_not_in_the_address(receiver: Receiver, ask: Callable[[str], None]) -> None:
    for _ in range(2):
        ask(receiver.url)
        headers = {name.lower(): value for name, value in receiver.next().headers.items()}
        assert not {"authorization", "cookie"} & headers.keys()
        assert headers["user-agent"] == "credanchor"


@pytest.mark.parametrize("ask", [ask_node, alert])
def test_the_password_in_the_address_is_told_its_host(receiver: Receiver, ask: Callable[[str], None]) -> None:
    ask(receiver.url.replace("//", "//node:s3%3Acret@"))
    assert receiver.next().headers["Authorization"] == f"Basic {b64encode(b'node:s3:cret').decode()}"
