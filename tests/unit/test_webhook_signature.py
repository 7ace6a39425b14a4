import hmac
from base64 import b64decode
from uuid import UUID

import pytest

from anchor.errors import MalformedError
from anchor.webhook_signature import secret_of, secret_text, signed_headers


def test_each_secret_signs_id_time_and_body() -> None:
    headers = signed_headers(UUID(int=7), b"body", [b"one", b"two"], now=123)
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (str(UUID(int=7)), "123")
    signatures = [b64decode(each.removeprefix("v1,")) for each in headers["webhook-signature"].split(" ")]
    signed = f"{UUID(int=7)}.123.body".encode()
    assert signatures == [hmac.digest(key, signed, "sha256") for key in (b"one", b"two")]


def test_a_secret_is_read_as_it_is_written() -> None:
    assert secret_of(secret_text(b"\x00\xff" * 12)) == b"\x00\xff" * 12


def test_secrets_and_signatures_are_those_of_standard_webhooks() -> None:
    # The secret is the example of its specification; signed by openssl dgst -sha256 -mac HMAC.
    text, key = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        bytes.fromhex("31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0"),
    )
    assert (secret_of(text), secret_text(key)) == (key, text)
    signature = signed_headers(UUID(int=1), b"{}", [key], now=1790000000)["webhook-signature"]
    assert signature == "v1,N9U8L4O2XOUZv31nIHkmfBxIZNn2lRm8XooobDkBGYw="


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_é", "whsec_abc", "whsec_abcd!", "whsec_AP8A /wD/", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
)
def test_what_is_no_secret_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        secret_of(text)
    assert len(text) < 7 or text not in str(caught.value)
