"""Alerts to a webhook that answers in every way: taken once, told when not, and nothing given away."""

import hmac
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from threading import Event
from uuid import UUID

import pytest

from anchor.errors import FetchError, MalformedError
from anchor.ledger import alerting
from anchor.ledger.alerting import check_webhook, post_alert
from tests.support.receiver import Receiver, receiving, status

MESSAGE, KEY = UUID(int=5), b"\x07" * 24


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


class Clock:
    """The machine's, which goes on while the program waits, and nobody else does."""

    def __init__(self) -> None:
        self.now = 1000.9
        self.pauses: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(alerting, "time", clock)
    return clock


def test_an_alert_is_posted_as_it_is_and_unsigned_without_a_secret(receiver: Receiver, clock: Clock) -> None:
    post_alert(receiver.url, MESSAGE, b'{"a":1}', None)
    came = receiver.next()
    assert (came.path, came.body) == ("/hook?token=secret", b'{"a":1}')
    assert (came.headers["content-type"], came.headers["user-agent"]) == ("application/json", "credanchor")
    assert not [name for name in came.headers if name.lower().startswith("webhook-")]
    assert (receiver.came.empty(), clock.pauses) == (True, [])


def test_a_signature_is_of_the_moment_at_which_it_is_sent(receiver: Receiver, clock: Clock) -> None:
    codes = [500, 204]

    def recover(handler: BaseHTTPRequestHandler) -> None:
        status(codes.pop(0))(handler)

    receiver.answer = recover
    post_alert(receiver.url, MESSAGE, b"{}", KEY)
    for moment in ("1000", "1002"):
        came = receiver.next()
        assert (came.id, came.headers["webhook-timestamp"]) == (str(MESSAGE), moment)
        signed = f"{MESSAGE}.{moment}.{{}}".encode()
        signature = came.headers["webhook-signature"].removeprefix("v1,")
        assert b64decode(signature) == hmac.digest(KEY, signed, "sha256")
    assert (receiver.came.empty(), clock.pauses) == (True, [2])


@pytest.mark.parametrize("code", [200, 202, 204, 299])
def test_what_says_that_it_took_an_alert_gets_it_once(receiver: Receiver, code: int) -> None:
    receiver.answer = status(code)
    post_alert(receiver.url, MESSAGE, b"{}", None)
    assert receiver.came.qsize() == 1


@pytest.mark.parametrize("code", [300, 302, 304, 308, 400, 404, 410, 500])
def test_what_says_anything_else_gets_it_a_few_times(receiver: Receiver, clock: Clock, code: int) -> None:
    receiver.answer = status(code)
    with pytest.raises(FetchError) as caught:
        post_alert(receiver.url, MESSAGE, b"{}", None)
    name = f"http://127.0.0.1:{receiver.port}/…"
    assert str(caught.value) == f"the webhook {name} did not take an alert: it answered {code}"
    assert (receiver.came.qsize(), clock.pauses) == (3, [2, 4])


def test_an_alert_goes_nowhere_else(receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.answer = status(307, location=elsewhere.url)
        with pytest.raises(FetchError, match="it answered 307"):
            post_alert(receiver.url, MESSAGE, b"{}", KEY)
        assert elsewhere.came.empty()


def test_a_proxy_for_the_outside_world_gets_no_alert_for_this_machine(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        post_alert(receiver.url, MESSAGE, b"{}", KEY)
        assert (receiver.came.qsize(), proxy.came.qsize()) == (1, 0)


def test_what_the_webhook_says_is_not_read(receiver: Receiver) -> None:
    def promise(handler: BaseHTTPRequestHandler) -> None:
        status(200, content_length="1000000000")(handler)

    receiver.answer = promise
    post_alert(receiver.url, MESSAGE, b"{}", None)
    assert receiver.came.qsize() == 1


def test_a_webhook_that_is_not_there_or_says_nothing_is_told(
    receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as gone:
        url = gone.url
    with pytest.raises(FetchError, match=r"/… did not take an alert: it cannot be reached \(ConnectionError\)$"):
        post_alert(url, MESSAGE, b"{}", None)
    assert clock.pauses == [2, 4]
    monkeypatch.setattr(alerting, "TIMEOUT_SECONDS", 0.2)

    def hold(_: BaseHTTPRequestHandler) -> None:
        ended.wait()

    receiver.answer = hold
    ended = Event()
    try:
        with pytest.raises(FetchError, match=r"it cannot be reached \(ReadTimeout\)$"):
            post_alert(receiver.url, MESSAGE, b"{}", None)
    finally:
        ended.set()


@pytest.mark.parametrize(
    "url", ["https://alerts.example/x", "http://127.0.0.1:9/x", "http://localhost/", "http://[::1]/"]
)
def test_alerts_may_go_over_https_and_to_this_machine(url: str) -> None:
    check_webhook(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://alerts.example/x?token=1", "over https only, not to http://alerts.example/…$"),
        ("http://10.0.0.1/", "over https only"),
        ("http://127.0.0.1.example/", "over https only"),
        ("ftp://127.0.0.1/", "address"),
        ("https://", "address"),
        ("alerts.example", "address"),
    ],
)
def test_alerts_go_nowhere_that_others_can_read_them(url: str, why: str) -> None:
    with pytest.raises(MalformedError, match=why) as caught:
        check_webhook(url)
    assert "token" not in str(caught.value)
