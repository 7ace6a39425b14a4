"""Where messages to webhooks may go."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from anchor.errors import MalformedError
from registry.services.webhook_address import REFUSED, is_public, parse_target

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::200e"]
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - nobody listens there
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%2",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_sent_to(text: str) -> None:
    assert is_public(text)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_what_is_not_of_the_public_internet_is_refused_in_the_same_words(text: str) -> None:
    assert not is_public(text)
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(MalformedError) as caught:
        parse_target(f"https://{host}/", is_anything_allowed=False)
    if "%" not in text:
        assert str(caught.value) == REFUSED
        assert parse_target(f"https://{host}/", is_anything_allowed=True).host == text


def test_every_address_around_the_borders_of_private_networks() -> None:
    for first, last in (
        ("10.0.0.0", "10.255.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("100.64.0.0", "100.127.255.255"),
    ):
        assert is_public(str(ip_address(first) - 1))
        assert not is_public(first)
        assert not is_public(last)
        assert is_public(str(ip_address(last) + 1))


@pytest.mark.parametrize(
    ("text", "host", "port", "path", "authority"),
    [
        ("https://lms.example", "lms.example", 443, "/", "lms.example"),
        ("https://lms.example:8443/a/b?c=d&e=%20", "lms.example", 8443, "/a/b?c=d&e=%20", "lms.example:8443"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2606:4700::1111]:1024/x", "2606:4700::1111", 1024, "/x", "[2606:4700::1111]:1024"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/", "xn--bcher-kva.example"),
    ],
)
def test_addresses_are_read(text: str, host: str, port: int, path: str, authority: str) -> None:
    target = parse_target(text, is_anything_allowed=False)
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)
    assert target.is_tls


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lms.example",
        "http://lms.example/",
        "ftp://lms.example/",
        "HTTPS://lms.example/",
        "https://",
        "https:///x",
        "https://user@lms.example/",
        "https://user:password@lms.example/",
        "https://lms.example/#part",
        "https://lms.example?token",
        "https://lms.example\\@10.0.0.1/",
        "https://lms.example@10.0.0.1/",
        "https://lms.example:0/",
        "https://lms.example:22/",
        "https://lms.example:80/",
        "https://lms.example:65536/",
        "https://lms.example:99999999/",
        "https://lms..example/",
        "https://-lms.example/",
        "https://lms.example./",
        "https://lms_x.example/",
        "https://bücher.example/",
        "https://lms.example/ä",
        "https://lms.example/a b",
        "https://lms.example/\r\nX: y",
        "https://lms.example/\n",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://0x7f.0x0.0x0.0x1/",
        "https://017700000001/",
        "https://8.8.8/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[1::2::3]/",
        f"https://lms.example/{'x' * 2000}",
    ],
)
def test_other_addresses_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_target(text, is_anything_allowed=False)
    assert "lms" not in str(caught.value)


def test_for_trying_things_out_anything_goes() -> None:
    target = parse_target("http://127.0.0.1:80/hook", is_anything_allowed=True)
    assert (target.is_tls, target.authority) == (False, "127.0.0.1")
