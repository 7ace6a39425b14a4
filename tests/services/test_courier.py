"""One message to one address, over real sockets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

import pytest

from registry.services.courier import MAX_ANSWER_BYTES, Courier, Outcome
from registry.services.webhook_address import REFUSED, Target, parse_target
from tests.support.lists_host import CERTIFICATE, NAME
from tests.support.receiver import WAIT_SECONDS, Receiver, receiving, status

BODY = b'{"type":"ping"}'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def target_of(receiver: Receiver) -> Target:
    return parse_target(receiver.url, is_anything_allowed=True)


def courier(*, seconds: float = 30, is_anything_allowed: bool = True) -> Courier:
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    return Courier(seconds=seconds, is_anything_allowed=is_anything_allowed, context=context)


def test_a_message_arrives_as_it_is(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    outcome = courier().post(target_of(receiver), BODY, {"Content-Type": "application/json", "webhook-id": "7"})
    assert outcome == Outcome(status=204)
    message = receiver.next()
    assert (message.path, message.body, message.id) == ("/hook?token=secret", BODY, "7")
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert message.headers["content-type"] == "application/json"


@pytest.mark.parametrize("code", [300, 301, 302, 307, 400, 404, 410, 500, 503])
def test_only_success_is_success_and_redirects_lead_nowhere(receiver: Receiver, code: int) -> None:
    with receiving() as elsewhere:
        receiver.answer = status(code, Location=elsewhere.url, Retry_After="7")
        outcome = courier().post(target_of(receiver), BODY, {})
        assert outcome == Outcome(status=code, error=f"it answered {code}", retry_after="7")
        assert elsewhere.came.empty()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 2", b"HTTP/9.9 200 OK\r\n\r\n"])
def test_what_is_no_answer_is_said(receiver: Receiver, answer: bytes) -> None:
    receiver.answer = lambda handler: said(handler, answer)
    outcome = courier().post(target_of(receiver), BODY, {})
    assert outcome == Outcome(error="what it answered is no HTTP answer, or the connection broke off")


def said(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.wfile.write(content)
    handler.close_connection = True


def test_only_the_beginning_of_an_answer_is_read(receiver: Receiver) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(MAX_ANSWER_BYTES):
            handler.wfile.write(b"X: y\r\n")

    receiver.answer = endless
    assert courier().post(target_of(receiver), BODY, {}).error is not None
    receiver.answer = lambda handler: said(handler, b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1 << 20))
    assert courier().post(target_of(receiver), BODY, {}) == Outcome(status=200)


def test_one_that_speaks_slowly_is_cut_off(receiver: Receiver) -> None:
    """Each byte comes in time; the whole never would."""

    gone = Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            while not gone.wait(0.01):
                handler.wfile.write(b"x")
        except OSError:
            gone.set()

    receiver.answer = trickle
    assert courier(seconds=0.3).post(target_of(receiver), BODY, {}).error == "it did not answer in time"
    assert gone.wait(WAIT_SECONDS)


def test_nobody_there(receiver: Receiver) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        target = parse_target(f"http://127.0.0.1:{closed.getsockname()[1]}/", is_anything_allowed=True)
        assert courier().post(target, BODY, {}) == Outcome(error="no connection could be made")


def leading(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have names lead to addresses, one after the other at each look-up; give the names looked up."""
    real, asked = socket.getaddrinfo, list[str]()

    def resolve(name: Any, *rest: Any, **more: Any) -> Any:
        asked.append(name)
        if addresses[0] == "nowhere":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        found = addresses[min(len(asked), len(addresses)) - 1]
        return [answer for each in found.split() for answer in real(each, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_tls_by_name_to_the_address_that_the_name_led_to(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
    with receiving(context) as receiver:
        receiver.host = NAME
        asked = leading(monkeypatch, "127.0.0.1")
        assert courier().post(target_of(receiver), BODY, {}) == Outcome(status=204)
        assert asked == [NAME]
        assert receiver.next().headers["host"] == f"{NAME}:{receiver.port}"
        receiver.host = "other.example"
        outcome = courier().post(target_of(receiver), BODY, {})
        assert outcome.error is not None
        assert "certificate" in outcome.error
        assert receiver.came.empty()
        untrusting = Courier(seconds=30, is_anything_allowed=True)
        receiver.host = NAME
        assert untrusting.post(target_of(receiver), BODY, {}) == outcome


@pytest.mark.parametrize("found", ["127.0.0.1", "169.254.169.254", "8.8.8.8 10.0.0.1", "::1", "nowhere"])
def test_names_that_lead_to_the_operators_network_are_refused_as_those_that_lead_nowhere(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """Whether something listens there or not: nobody learns it."""
    leading(monkeypatch, found)
    target = Target(is_tls=False, host="innocent.example", port=receiver.port, path="/")
    outcome = courier(is_anything_allowed=False).post(target, BODY, {})
    assert outcome == Outcome(error=REFUSED)
    assert receiver.came.empty()


def test_a_name_that_leads_elsewhere_a_moment_later_gains_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked up once: what was judged is what is connected to."""
    asked = leading(monkeypatch, "8.8.8.8", "127.0.0.1")
    connected = list[Any]()

    def connect(_: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    target = Target(is_tls=False, host="rebinding.example", port=receiver.port, path="/")
    assert courier(is_anything_allowed=False).post(target, BODY, {}).error == "no connection could be made"
    assert asked == ["rebinding.example"]
    assert connected == [("8.8.8.8", receiver.port)]
    assert receiver.came.empty()


def test_of_several_addresses_one_that_answers_will_do(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    leading(monkeypatch, "127.0.0.2 127.0.0.1")
    target = Target(is_tls=False, host="two.example", port=receiver.port, path="/")
    assert courier().post(target, BODY, {}) == Outcome(status=204)


def test_a_name_that_is_too_long_for_the_resolver_is_refused() -> None:
    target = Target(is_tls=True, host=f"{'a' * 64}.example", port=443, path="/")
    assert courier().post(target, BODY, {}) == Outcome(error=REFUSED)
