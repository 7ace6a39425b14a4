"""Documents fetched by address: within bounds, from that host alone, and never from within for somebody else."""

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from anchor.errors import FetchError
from anchor.ledger import fetching, sessions
from anchor.ledger.fetching import address_name, check_address, fetch
from tests.support.host import DocumentHost


@pytest.fixture
def host() -> Iterator[DocumentHost]:
    with DocumentHost(documents={"/1.json": b"{}", "/large": b"x" * 1001}) as host:
        yield host


def test_document_comes_as_it_is_without_cookie_or_password(
    host: DocumentHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login zoe password secret")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    host.headers["/1.json"] = {"Set-Cookie": "seen=1"}
    # Of this machine no settings of the environment are taken anyhow; this host is to stand for another one.
    monkeypatch.setattr(sessions, "is_loopback", lambda _url: False)
    for _ in range(2):
        assert fetch(host.url("/1.json"), max_bytes=2) == b"{}"
    for _, headers in host.asked:
        assert not {"cookie", "authorization"} & {name.lower() for name in headers}


def test_longer_document_than_wanted_is_refused(host: DocumentHost) -> None:
    assert len(fetch(host.url("/large"), max_bytes=1001)) == 1001
    with pytest.raises(FetchError, match="more than 1000 bytes"):
        fetch(host.url("/large"), max_bytes=1000)


def test_slow_host_is_not_waited_for(host: DocumentHost) -> None:
    host.silent.add("/1.json")
    with pytest.raises(FetchError, match="did not come in time"):
        fetch(host.url("/1.json"), max_bytes=10, timeout_seconds=0.2)


def test_body_that_trickles_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b"x")
                except OSError:
                    return

        thread = Thread(target=trickle, daemon=True)
        thread.start()
        with pytest.raises(FetchError, match="did not come in time"):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/", max_bytes=10**12, timeout_seconds=0.2)


@pytest.mark.parametrize("status", [401, 404, 410, 429, 500])
def test_other_status_is_an_error_that_says_so(host: DocumentHost, status: int) -> None:
    host.statuses["/1.json"] = status
    with pytest.raises(FetchError, match=str(status)) as caught:
        fetch(host.url("/1.json"), max_bytes=10)
    assert caught.value.advice


def test_compressed_answer_is_refused(host: DocumentHost) -> None:
    host.headers["/1.json"] = {"Content-Encoding": "gzip"}
    with pytest.raises(FetchError, match="compressed"):
        fetch(host.url("/1.json"), max_bytes=10)


def test_redirect_on_the_same_host_is_followed(host: DocumentHost) -> None:
    host.statuses["/old"] = 302
    host.headers["/old"] = {"Location": "/1.json"}
    assert fetch(host.url("/old"), max_bytes=10) == b"{}"


def test_redirects_in_a_circle_end(host: DocumentHost) -> None:
    host.statuses["/a"] = 302
    host.headers["/a"] = {"Location": "/a"}
    with pytest.raises(FetchError, match="on and on"):
        fetch(host.url("/a"), max_bytes=10)
    assert len(host.asked) == 4


def test_redirect_to_another_host_is_shown_and_not_followed(host: DocumentHost) -> None:
    with DocumentHost() as other:
        host.statuses["/a"] = 302
        for location in (other.url("/1.json"), f"http://localhost:{host.port}/1.json"):
            host.headers["/a"] = {"Location": location}
            with pytest.raises(FetchError, match="leads to another host"):
                fetch(host.url("/a"), max_bytes=10)
        assert other.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "college.example/1.json",
        "ftp://college.example/1",
        "https://",
        "https://[::1",
        "https://a b/",
        "https://x:0/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(FetchError, match="not an address"):
        check_address(url)


def test_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(FetchError) as caught:
        check_address("https://zoe:hunter2@college.example/1.json")
    assert "hunter2" not in caught.value.diagnostics()


def test_without_https_only_this_machine_is_asked() -> None:
    with pytest.raises(FetchError, match="without https"):
        check_address("http://college.example/1.json")
    assert check_address("http://localhost:1/1.json") == "localhost"
    assert check_address("https://college.example/1.json", public_only=True) == "college.example"


@pytest.mark.parametrize(
    "inside",
    [
        "localhost",
        "localhost.",
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        "224.0.0.1",
        "[::1]",
        "[fe80::1]",
        "[fc00::1]",
        "[::ffff:10.0.0.1]",
    ],
)
def test_list_of_somebody_else_does_not_reach_into_the_network(inside: str) -> None:
    assert check_address(f"https://{inside}/1.json")
    with pytest.raises(FetchError, match="within your network"):
        check_address(f"https://{inside}/1.json", public_only=True)


def test_name_that_leads_inside_is_noticed_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                received.append(connection.recv(4096))

        thread = Thread(target=answer, daemon=True)
        thread.start()
        real = socket.getaddrinfo

        def resolve(name: str, *rest: Any, **more: Any) -> Any:
            return real("127.0.0.1" if name == "innocent.example" else name, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with pytest.raises(FetchError, match="within your network"):
            fetch(f"https://innocent.example:{port}/1.json", max_bytes=10, public_only=True)
        thread.join(10)
    assert received == [b""]


def test_host_that_is_not_there_and_one_that_is_not_secure_are_told_apart(host: DocumentHost) -> None:
    with pytest.raises(FetchError, match="cannot be reached"):
        fetch("https://127.0.0.1:1/1.json", max_bytes=10)
    with pytest.raises(FetchError, match="not secure"):
        fetch(f"https://127.0.0.1:{host.port}/1.json", max_bytes=10)


def test_what_may_be_secret_in_an_address_is_not_shown(host: DocumentHost) -> None:
    assert address_name("https://college.example/c?token=abc#x") == "https://college.example/c?…"
    assert address_name("https://college.example/c#x") == "https://college.example/c"
    with pytest.raises(FetchError) as caught:
        fetch(host.url("/none?token=abc"), max_bytes=10)
    assert "abc" not in caught.value.diagnostics()


def test_proxy_of_the_outside_world_is_not_asked_for_this_machine(
    host: DocumentHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert fetch(host.url("/1.json"), max_bytes=10) == b"{}"
    assert fetching.DEFAULT_TIMEOUT_SECONDS > 1
